"""A plausible day of an invented city, the same for the same seed and definitions: what is reported, where, in which
words (those of `words.json`). Answers are made from each definition's own questions, so that they fit whatever the
department asks. No contact is real: names are numbers, mail goes to example.org."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from fixline.catalog import Areas
from fixline.domain.definition.fields import FieldKind, FormField
from fixline.domain.definition.model import Definition

BACKLOG_SHARE = 0.35
OLDEST_DAYS = 30.0
AGAIN_SHARE = 0.06
"""Of the day's reports that is somebody else's report of the same thing, a few steps away."""
A_FEW_STEPS = 0.00004
CHANNELS = {"web": 5, "phone": 4, "app": 3, "counter": 1}
CONTACT_SHARE = 0.4
LARGEST_NUMBER = 40.0
YES_SHARE = {"answered": 0.85, "near_electricity": 0.0, "alarm": 0.0, "somebody_fell_in": 0.0}
OTHER_YES_SHARE = 0.2
Dated = Callable[[FieldKind], str]
"""Gives an answer of the kind date or datetime."""
_EDGE = 0.02
_TRIES = 200


class Reported(msgspec.Struct):
    """How often a type is reported, against others, and what its reporters write."""

    weight: int = 8
    says: tuple[str, ...] = ("",)


class Words(msgspec.Struct):
    """The words of the invented city; texts by the name of their question."""

    directions: tuple[str, ...]
    streets: tuple[str, ...]
    texts: dict[str, tuple[str, ...]]
    types: dict[str, Reported]

    def of(self, type_: str) -> Reported:
        """What is reported of a type, known or not."""
        return self.types.get(type_, Reported())


WORDS = msgspec.json.decode(Path(__file__).with_name("words.json").read_bytes(), type=Words)


@dataclass(frozen=True)
class Planned:
    """A report to make; `age` is how long ago it came in, None for one that comes in now."""

    number: int
    type: str
    latitude: float
    longitude: float
    address: str
    answers: dict[str, Any]
    description: str
    channel: str
    age: timedelta | None = None
    contact: dict[str, str] = field(default_factory=dict)


def plan_day(seed: int, count: int, definitions: Mapping[str, Definition], areas: Areas, today: date) -> list[Planned]:
    """That many reports of a day; every type at least once, and a few that report again what is already known."""
    dice = random.Random(seed)  # noqa: S311 - plausible, not secret
    types = sorted(name for name, each in definitions.items() if each.takes_requests)
    weights = [WORDS.of(name).weight for name in types]
    again = int(count * AGAIN_SHARE)
    drawn = dice.choices(types, weights, k=count - again)
    drawn[: len(types)] = types[: count - again]  # every type at least once
    dice.shuffle(drawn)
    first = [_plan(dice, number, definitions[name], areas, today) for number, name in enumerate(drawn, 1)]
    known = [each for each in first if definitions[each.type].intake.location == "required"]
    seen = dice.sample(known, k=min(again, len(known)))
    return [*first, *(_again(dice, len(first) + number, each) for number, each in enumerate(seen, 1))]


def _again(dice: random.Random, number: int, first: Planned) -> Planned:
    """A report of today of what somebody else has reported."""
    return replace(
        first,
        number=number,
        latitude=round(first.latitude + dice.uniform(-A_FEW_STEPS, A_FEW_STEPS), 6),
        longitude=round(first.longitude + dice.uniform(-A_FEW_STEPS, A_FEW_STEPS), 6),
        description=dice.choice(WORDS.of(first.type).says),
        age=None,
        contact={},
    )


def _plan(dice: random.Random, number: int, definition: Definition, areas: Areas, today: date) -> Planned:
    latitude, longitude = _point(dice, areas)
    (channel,) = dice.choices(list(CHANNELS), list(CHANNELS.values()))
    old = dice.random() < BACKLOG_SHARE
    age = timedelta(days=OLDEST_DAYS * dice.random() ** 2, hours=1) if old else None
    contact = {}
    if not old and dice.random() < CONTACT_SHARE:
        contact = {"name": f"Resident {number}", "email": f"resident-{number}@example.org"}
    return Planned(
        number=number,
        type=definition.type,
        latitude=latitude,
        longitude=longitude,
        address=f"{dice.randrange(101, 9_499)} {dice.choice(WORDS.directions)} {dice.choice(WORDS.streets)}",
        answers=fill(dice, definition.intake.questions, partial(past, dice, today)),
        description=dice.choice(WORDS.of(definition.type).says),
        channel=channel,
        age=age,
        contact=contact,
    )


def _point(dice: random.Random, areas: Areas) -> tuple[float, float]:
    """A point in one of the city's districts; somewhere on the lake shore when no layer is drawn."""
    districts = [area for layer in areas.layers.values() for area in layer.areas]
    if not districts:
        return round(41.88 + dice.uniform(-_EDGE, _EDGE), 6), round(-87.63 + dice.uniform(-_EDGE, _EDGE), 6)
    district = dice.choice(districts)
    west, south, east, north = district.geometry.bounds
    # Districts reach into the lake and past the city's edge in places; their middle is inhabited.
    for _ in range(_TRIES):
        longitude = dice.triangular(west, east, (west + east) / 2)
        latitude = dice.triangular(south, north, (south + north) / 2)
        if district.key in areas.locate(latitude, longitude).values():
            return round(latitude, 6), round(longitude, 6)
    middle = district.geometry.representative_point()
    return round(middle.y, 6), round(middle.x, 6)


def fill(
    dice: random.Random, fields: Mapping[str, FormField], dated: Dated, *, outcome: str = "", share: float = 0.5
) -> dict[str, Any]:
    """Answers that fit: to everything asked for (for this outcome), and to this share of the rest."""
    return {
        name: dated(each.kind) if each.kind in (FieldKind.DATE, FieldKind.DATETIME) else _answer(dice, name, each)
        for name, each in fields.items()
        if each.required or outcome in each.required_for or dice.random() < share
    }


def past(dice: random.Random, today: date, kind: FieldKind) -> str:
    """A date, or an instant, of the days before."""
    day = today - timedelta(days=dice.randint(1, 4))
    if kind == FieldKind.DATE:
        return day.isoformat()
    return datetime.combine(day, time(dice.randint(0, 23), dice.choice((0, 15, 30, 45))), UTC).isoformat()


def _answer(dice: random.Random, name: str, field: FormField) -> Any:
    options = list(field.options)
    match field.kind:
        case FieldKind.CHOICE:
            return dice.choices(options, [2**-place for place in range(len(options))])[0]
        case FieldKind.CHOICES:
            return sorted(dice.sample(options, k=min(len(options), dice.randint(1, 2))))
        case FieldKind.NUMBER:
            low = field.min or 0.0
            high = min(field.max if field.max is not None else LARGEST_NUMBER, low + LARGEST_NUMBER)
            return max(int(low + (high - low) * dice.betavariate(1.2, 4)), low)
        case FieldKind.YES_NO:
            return dice.random() < YES_SHARE.get(name, OTHER_YES_SHARE)
        case FieldKind.PHOTO:
            return f"demo-photo-{dice.randrange(16**8):08x}"
    return dice.choice(WORDS.texts.get(name, (f"{name.replace('_', ' ')} {dice.randrange(10_000, 99_999)}",)))
