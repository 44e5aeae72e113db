"""Lives of requests, played through the shipped definitions: what the rows of a large store are copied from.

Owns the city of the benchmark: which types it has, whose work is left lying, and which lives are copied how often.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from fixline.catalog import Catalog, read_catalog
from fixline.catalog.profiles import Profile
from fixline.domain.definition.model import Definition
from fixline.domain.process.decision import Decision
from fixline.domain.process.virtual import VirtualRequest
from fixline.rehearsal.simulation import DRAIN, Job, Simulation, Team
from fixline.settings import PACKAGED_DEFINITIONS

SEED = 8311
PER_TYPE = 100
"""Lives of each type that are played."""
WEEKS = 54
LEFT = 0.12
"""The share of work that nobody begins; and as much is begun and never ended."""
MOST_ENTRIES = 40
RECENT = timedelta(days=12)
"""After how long an open request is e times rarer."""
SPOTS = 60
"""Places where more is reported than elsewhere."""
LATITUDES, LONGITUDES = (41.65, 42.02), (-87.83, -87.53)
HEIGHT, WIDTH = LATITUDES[1] - LATITUDES[0], LONGITUDES[1] - LONGITUDES[0]
HALF_A_DAY, FOUR_WEEKS = 43_200, 28 * 86_400


@dataclass(frozen=True)
class Life:
    """One request from its opening to `now`, or to its close: the decisions, the last of which has its state."""

    definition: Definition
    decisions: Sequence[Decision]

    @property
    def id(self) -> str:
        """The number under which it was played."""
        return self.decisions[-1].state.id

    @property
    def opened_at(self) -> datetime:
        """When it was opened."""
        return self.decisions[-1].state.opened_at

    @property
    def closed_at(self) -> datetime | None:
        """When it was closed; None while it is open."""
        return self.decisions[-1].state.closed_at


class _Town(Simulation):
    """A simulation that keeps every decision, and in which some work is left lying."""

    def __init__(self, catalog: Catalog, types: Sequence[Definition], per_type: int) -> None:
        self.kept: dict[int, list[Decision]] = {}
        self._careless = random.Random(SEED)
        super().__init__(catalog, types, Profile(weeks=WEEKS), per_type, seed=SEED)
        self.ends_at -= DRAIN

    def _see(self, number: int, request: VirtualRequest, decision: Decision, before: datetime | None = None) -> None:
        self.kept.setdefault(number, []).append(decision)
        super()._see(number, request, decision, before)

    def _begin(self, team: Team, job: Job, now: datetime) -> bool:
        return self._careless.random() >= LEFT and super()._begin(team, job, now)

    def _done(self, team: Team, job: Job, at: datetime) -> None:
        if self._careless.random() >= LEFT:
            super()._done(team, job, at)
            return
        team.at_work -= 1
        self._work(team, at)


@dataclass(frozen=True)
class City:
    """The lives, and the instant up to which they were played."""

    lives: Sequence[Life]
    now: datetime

    @property
    def definitions(self) -> dict[str, Definition]:
        """The definitions that they follow, by version."""
        by_type = {life.definition.type: life.definition for life in self.lives}
        return {each.version: each for each in by_type.values()}


def play(per_type: int = PER_TYPE) -> City:
    """Play the lives; the same each time."""
    catalog = read_catalog(PACKAGED_DEFINITIONS).catalog
    types = [each for each in catalog.definitions.values() if each.takes_requests]
    town = _Town(catalog, types, per_type)
    town.run()
    of = {each.type: each for each in types}
    lives = [Life(of[kept[-1].state.type], kept) for kept in town.kept.values()]
    short = [life for life in lives if sum(len(each.entries) for each in life.decisions) <= MOST_ENTRIES]
    return City(short, town.ends_at)


class Copy(NamedTuple):
    """One request of the store: when it was opened (in seconds since 1970), which life it is a copy of, how many
    seconds later it was, and where."""

    opened: int
    life: str
    shift: int
    latitude: float
    longitude: float


def copies(city: City, count: int, open_share: float) -> list[Copy]:
    """So many copies in the order of their opening; the same each time."""
    dice = random.Random(SEED)
    common = _common(city)
    still = [life for life in city.lives if life.closed_at is None]
    over = [life for life in city.lives if life.closed_at is not None]
    fresh = [common[each.definition.type] * math.exp((each.opened_at - city.now) / RECENT) for each in still]
    usual = [common[each.definition.type] for each in over]
    number = round(count * open_share)
    spots = [(dice.uniform(*LATITUDES), dice.uniform(*LONGITUDES)) for _ in range(SPOTS)]
    found: list[Copy] = []
    for lives, weights, share in ((still, fresh, number), (over, usual, count - number)):
        ways = [_ways(city, life) for life in lives]
        for life, opened, least, span in dice.choices(ways, weights=weights, k=share):
            shift = least + int(span * dice.random())
            found.append(Copy(opened + shift, life, shift, *_place(dice, spots)))
    return sorted(found)


def _common(city: City) -> dict[str, float]:
    """How common each type is: the second half as common as the first, the third a third."""
    types = sorted({life.definition.type for life in city.lives})
    random.Random(SEED).shuffle(types)
    return {name: 1 / rank for rank, name in enumerate(types, 1)}


def _ways(city: City, life: Life) -> tuple[str, int, int, int]:
    """A life, when it was opened, and from how many seconds on over how many it may be put: an open one stays as late
    as it is, a closed one is closed by now."""
    opened = int(life.opened_at.timestamp())
    if life.closed_at is None:
        return life.id, opened, -HALF_A_DAY, HALF_A_DAY
    room = min(FOUR_WEEKS, int((city.now - life.closed_at).total_seconds()))
    return life.id, opened, -FOUR_WEEKS, FOUR_WEEKS + room


def _place(dice: random.Random, spots: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Anywhere in the city; three in ten around a spot."""
    latitude, longitude = LATITUDES[0] + dice.random() * HEIGHT, LONGITUDES[0] + dice.random() * WIDTH
    if dice.random() < 0.3:
        spot = spots[int(dice.random() * len(spots))]
        latitude, longitude = spot[0] + (latitude - 41.8) * 0.03, spot[1] + (longitude + 87.7) * 0.03
    return round(latitude, 6), round(longitude, 6)
