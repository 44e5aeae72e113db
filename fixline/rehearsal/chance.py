"""What chance decides in a simulation: when reports arrive, what they say, what work comes to and how long it takes.
One generator, seeded, so that a simulation is the same each time. Instants are aware UTC; weekdays and hours are local.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from fixline.catalog import Areas
from fixline.catalog.profiles import Profile, StepProfile
from fixline.catalog.scenarios.instants import WEEK, zone_of
from fixline.domain.definition.fields import FieldKind, FormField
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import OTHERWISE, RESERVED_OUTCOMES
from fixline.domain.process.commands import Open, Place
from fixline.domain.process.kinds import AnyStep, HumanStep

LIKELY = 1.5
"""What the first outcome of a step weighs against all others together, where a profile does not say."""
TAKES = {"dispatch": timedelta(hours=1), "inspection": timedelta(minutes=20), "task": timedelta(minutes=15)}
"""How much working time a task takes on average, by kind, where a profile does not say."""
ANSWERED = 0.5
SPREAD = 0.5


class Chance:
    """One simulation's chances."""

    def __init__(self, profile: Profile, areas: Areas, seed: int) -> None:
        self._profile = profile
        self._areas = {name: layer.keys for name, layer in areas.layers.items()}
        self._random = random.Random(seed)  # noqa: S311 - a simulation is to be repeatable, not secret
        self._weights: dict[tuple[str, str], tuple[list[str], list[float]]] = {}

    def arrivals(self, definition: Definition, count: int) -> list[datetime]:
        """When so many reports arrive, in order."""
        profile, zone = self._profile, zone_of(definition.calendar)
        hours, storm = range(profile.weeks * 7 * 24), profile.storm
        weights = []
        for hour in hours:
            day = hour // 24
            weight = profile.days[day % 7] * profile.hours[hour % 24]
            wild = storm is not None and storm.day <= day + 1 < storm.day + storm.lasts
            weights.append(weight * storm.times if storm and wild else weight)
        chosen = self._random.choices(hours, cum_weights=list(accumulate(weights)), k=count)
        offsets = (timedelta(hours=hour, seconds=self._random.randrange(3600)) for hour in chosen)
        return sorted((WEEK + offset).replace(tzinfo=zone).astimezone(UTC) for offset in offsets)

    def report(self, definition: Definition) -> Open:
        """What a report says."""
        questions = definition.intake.questions.items()
        asked = {name: each for name, each in questions if each.required or self._random.random() < ANSWERED}
        return Open(
            type=definition.type,
            version=definition.version,
            place=Place(address="1 Example Street") if definition.intake.location != "none" else None,
            areas={layer: self._random.choice(keys) for layer, keys in self._areas.items() if keys},
            answers={name: self._answer(each) for name, each in asked.items()},
            has_contact=True,
        )

    def form(self, step: HumanStep, outcome: str) -> dict[str, Any]:
        """What is recorded with an outcome: what must be."""
        asked = {name: each for name, each in step.form.items() if each.required or outcome in each.required_for}
        return {name: self._answer(each) for name, each in asked.items()}

    def _answer(self, field: FormField) -> Any:
        if field.kind is FieldKind.NUMBER:
            low = field.min if field.min is not None else 0
            high = field.max if field.max is not None else low + 20
            return round(self._random.triangular(low, high, low + (high - low) / 5))
        if field.kind is FieldKind.YES_NO:
            return self._random.random() < ANSWERED
        if field.options:
            option = self._random.choice(list(field.options))
            return [option] if field.kind is FieldKind.CHOICES else option
        return {FieldKind.DATE: "2026-10-01", FieldKind.DATETIME: "2026-10-01T12:00:00+00:00"}.get(field.kind, "x")

    def outcome(self, definition: Definition, name: str, step: AnyStep) -> str:
        """What a step comes to."""
        key = (definition.type, name)
        if key not in self._weights:
            self._weights[key] = self._weigh(self.told(*key).outcomes, list(getattr(step, "then", {})))
        names, weights = self._weights[key]
        return self._random.choices(names, cum_weights=weights)[0]

    def _weigh(self, told: dict[str, float], possible: list[str]) -> tuple[list[str], list[float]]:
        names = [outcome for outcome in possible if outcome not in RESERVED_OUTCOMES or outcome in told]
        names = names or possible
        others = [outcome for outcome in names if outcome not in told]
        if told:
            rest = told.get(OTHERWISE, 0.0) / (len(others) or 1)
            weights = [told.get(outcome, rest) for outcome in names]
        else:
            weights = [LIKELY * max(1, len(names) - 1), *[1.0] * (len(names) - 1)]
        return names, list(accumulate(weights))

    def told(self, type_: str, step: str) -> StepProfile:
        """What the profile says of a step."""
        return self._profile.steps.get((type_, step), StepProfile())

    def duration(self, definition: Definition, name: str, step: HumanStep) -> tuple[timedelta, bool]:
        """How long a piece of work takes, and whether that is working time."""
        span = self.told(definition.type, name).takes
        usual = span.length(definition.calendar.day) if span else TAKES[step.kind]
        return usual * self._random.uniform(1 - SPREAD, 1 + SPREAD), span is None or span.working

    def answer_after(self, since: datetime, limit: datetime | None, span: timedelta | None) -> datetime:
        """When somebody outside answers: on average after `span`; without one, sometimes after the limit."""
        if span is None:
            span = (limit - since) * 0.6 if limit else timedelta(days=5)
        return since + span * self._random.uniform(0.2, 1.8)
