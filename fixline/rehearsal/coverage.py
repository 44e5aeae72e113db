"""What of a definition its scenarios reach: steps, the ways out of them, the rungs of its ladders.

Owns the counting and the places of what is not reached.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fixline.catalog.places import place_in
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import OTHERWISE
from fixline.domain.journal import clock_facts, facts, step_facts
from fixline.domain.journal.entry import Entry
from fixline.domain.process.kinds import AnyStep
from fixline.domain.process.kinds.choose import ChooseStep
from fixline.domain.process.kinds.close import CloseStep
from fixline.domain.process.kinds.notify import NotifyStep

STEPS, WAYS, RUNGS = "steps", "ways", "rungs"


@dataclass(frozen=True, order=True)
class Target:
    """Something that a scenario can reach: its path of keys in the definition's file, and its name for people."""

    path: tuple[str | int, ...]
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
        found += [
            Target(("deadlines", name, "escalate", number), RUNGS, f"{name} {rung.when}")
            for number, rung in enumerate(deadline.escalate)
        ]
    return found


def _ways(step: AnyStep) -> dict[str, tuple[str | int, ...]]:
    """Each way out of a step as the journal names it, with its path below the step."""
    if isinstance(step, CloseStep | NotifyStep):
        return {}
    if isinstance(step, ChooseStep):
        ways: dict[str, tuple[str | int, ...]] = {}
        for number, branch in enumerate(step.branches):
            ways.setdefault(branch.go, ("choose", number))
        return ways
    return {outcome: ("then", outcome) for outcome in step.then}


def reached(definition: Definition, journals: Iterable[Iterable[Entry]]) -> set[tuple[str | int, ...]]:
    """The paths of everything that these journals reach."""
    found: set[tuple[str | int, ...]] = set()
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
    known = reached(definition, journals)
    counts = dict.fromkeys((STEPS, WAYS, RUNGS), 0)
    there = dict(counts)
    missing: list[Unreached] = []
    tree = None
    for target in targets(definition):
        there[target.kind] += 1
        if target.path in known:
            counts[target.kind] += 1
            continue
        tree = tree or place_in(path)
        line, column = tree(target.path)
        missing.append(Unreached(str(path), line, column, target.kind.removesuffix("s"), target.name))
    missing.sort(key=lambda each: (each.line, each.column))
    return Coverage(definition.type, counts, there, tuple(missing))
