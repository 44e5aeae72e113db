"""A plausible day of an invented city: what is reported, where, in which words.

Owns the generation, which is the same for the same seed and definitions. Answers are made from each definition's own
questions, so that they fit whatever the department asks. No contact is real: names are numbers, mail goes to
example.org.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fixline.catalog import Areas
from fixline.cli.demo.words import DESCRIPTIONS, DIRECTIONS, STREETS, TEXTS
from fixline.domain.definition import Definition
from fixline.domain.fields import FieldKind, FormField

WEIGHTS = {
    "pothole": 24,
    "street-light": 18,
    "graffiti": 20,
    "rodent-baiting": 14,
    "abandoned-vehicle": 10,
    "sanitation-code-violation": 14,
}
OTHER_WEIGHT = 8
BACKLOG_SHARE = 0.35
OLDEST_DAYS = 30.0
CHANNELS = {"web": 5, "phone": 4, "app": 3, "counter": 1}
CONTACT_SHARE = 0.4
LARGEST_NUMBER = 40.0
_EDGE = 0.02
_TRIES = 200


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


def plan_day(seed: int, count: int, definitions: Mapping[str, Definition], areas: Areas) -> list[Planned]:
    """That many reports."""
    dice = random.Random(seed)  # noqa: S311 - plausible, not secret
    types = sorted(definitions)
    weights = [WEIGHTS.get(name, OTHER_WEIGHT) for name in types]
    drawn = dice.choices(types, weights, k=count)
    drawn[: len(types)] = types[:count]  # every type at least once
    dice.shuffle(drawn)
    return [_plan(dice, number, definitions[name], areas) for number, name in enumerate(drawn, 1)]


def _plan(dice: random.Random, number: int, definition: Definition, areas: Areas) -> Planned:
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
        address=f"{dice.randrange(101, 9_499)} {dice.choice(DIRECTIONS)} {dice.choice(STREETS)}",
        answers=fill(dice, definition.intake.questions, outcome=None),
        description=dice.choice(DESCRIPTIONS.get(definition.type, ("",))),
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


def fill(dice: random.Random, fields: Mapping[str, FormField], *, outcome: str | None) -> dict[str, Any]:
    """Answers that fit: to everything asked for (for this outcome), and to half of the rest."""
    found = {}
    for name, each in fields.items():
        needed = each.required or (outcome is not None and outcome in each.required_for)
        if needed or dice.random() < 0.5:
            found[name] = answer(dice, name, each.kind, list(each.options), each.min, each.max)
    return found


def answer(
    dice: random.Random, name: str, kind: str, options: Sequence[str], least: float | None, most: float | None
) -> Any:
    """One answer of a kind of field; for dates see `crews`, which knows the time."""
    if kind == FieldKind.CHOICE:
        return dice.choices(options, [2**-place for place in range(len(options))])[0]
    if kind == FieldKind.CHOICES:
        return sorted(dice.sample(options, k=min(len(options), dice.randint(1, 2))))
    if kind == FieldKind.NUMBER:
        low = least or 0.0
        high = min(most if most is not None else LARGEST_NUMBER, low + LARGEST_NUMBER)
        return int(low + (high - low) * dice.betavariate(1.2, 4))
    if kind == FieldKind.YES_NO:
        return dice.random() < 0.2
    if kind == FieldKind.PHOTO:
        return f"demo-photo-{dice.randrange(16**8):08x}"
    return dice.choice(TEXTS.get(name, (f"{name.replace('_', ' ')} {dice.randrange(10_000, 99_999)}",)))
