"""What of a definition its scenarios reach: steps, the ways out of them, the rungs of its ladders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from fixline.catalog.reading import place_in
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import OTHERWISE
from fixline.domain.journal import clock_facts, facts, step_facts
from fixline.domain.journal.entry import Entry
from fixline.domain.process.kinds import AnyStep, ChooseStep, TogetherStep

STEPS, WAYS, RUNGS = "steps", "ways", "rungs"
KeyPath = tuple[str | int, ...]
"""The keys and numbers that lead to something in the definition's file."""


class Target(NamedTuple):
    """Something that a scenario can reach: where it stands, and its name for people."""

    path: KeyPath
    kind: str
    name: str


@dataclass(frozen=True)
class Unreached:
    """What no scenario reaches, with its place."""

    file: str
    line: int
    column: int
    kind: str
    name: str

    def __str__(self) -> str:
        """`file:line:column: way repair -> too_wet is not reached`."""
        return f"{self.file}:{self.line}:{self.column}: {self.kind} {self.name} is not reached by any scenario"


@dataclass(frozen=True)
class Coverage:
    """One type's coverage: for steps, ways and rungs how many are reached and how many there are."""

    type: str
    reached: dict[str, int]
    there: dict[str, int]
    unreached: tuple[Unreached, ...]

    @property
    def percent(self) -> float:
        """The share of all that is reached, in per cent; 100 only when it is all of it."""
        total = sum(self.there.values())
        return 100 * sum(self.reached.values()) / total if total else 100.0


def targets(definition: Definition) -> list[Target]:
    """Everything that scenarios of a definition can reach, in the order of the file."""
    found: list[Target] = []
    for name, step in definition.steps.items():
        found.append(Target(("steps", name), STEPS, name))
        found += [Target(("steps", name, *path), WAYS, f"{name} -> {outcome}") for outcome, path in _ways(step).items()]
    for name, deadline in definition.deadlines.items():
        for number, rung in enumerate(deadline.escalate):
            found.append(Target(("deadlines", name, "escalate", number), RUNGS, f"{name} {rung.when}"))
    return found


def _ways(step: AnyStep) -> dict[str, KeyPath]:
    """Each way out of a step as the journal names it, with its path below the step."""
    if isinstance(step, ChooseStep):
        ways: dict[str, KeyPath] = {}
        for number, branch in enumerate(step.branches):
            ways.setdefault(branch.go, ("choose", number))
        return ways
    ways_out = step.then if isinstance(step, TogetherStep) else dict(step.exits)
    return {outcome: ("then", outcome) for outcome in ways_out if outcome}


def reached(definition: Definition, journals: Iterable[Iterable[Entry]]) -> set[KeyPath]:
    """The paths of everything that these journals reach."""
    found: set[KeyPath] = set()
    ways = {name: _ways(step) for name, step in definition.steps.items()}
    for journal in journals:
        promises: dict[str, str] = {}
        for entry in journal:
            match entry.fact:
                case facts.Recategorised():  # what follows is another definition's
                    break
                case clock_facts.ClockStarted(clock):
                    promises[clock.name] = clock.promise
                case step_facts.StepEntered(step):
                    found.add(("steps", step))
                case step_facts.StepLeft(step, str(outcome)):
                    way = ways[step].get(outcome) or ways[step].get(OTHERWISE)
                    found |= {("steps", step, *way)} if way else set()
                case clock_facts.RungFired(clock=name, rung=rung) if promises.get(name) in definition.deadlines:
                    found.add(("deadlines", promises[name], "escalate", rung))
    return found


def cover(definition: Definition, path: Path, journals: Iterable[Iterable[Entry]]) -> Coverage:
    """The coverage of the definition in that file by these journals."""
    known, there = reached(definition, journals), targets(definition)
    missing = [target for target in there if target.path not in known]
    unreached: list[Unreached] = []
    if missing:  # else the file is not read again
        place_of = place_in(path)
        unreached = [Unreached(str(path), *place_of(each.path), each.kind[:-1], each.name) for each in missing]
        unreached.sort(key=lambda each: (each.line, each.column))
    counts = {kind: sum(target.kind == kind for target in there) for kind in (STEPS, WAYS, RUNGS)}
    met = {kind: count - sum(target.kind == kind for target in missing) for kind, count in counts.items()}
    return Coverage(definition.type, met, counts, tuple(unreached))
