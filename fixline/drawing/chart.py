"""What a picture of a definition shows: a box for each step, an arrow for each way, the branches as groups.

Owns the words in the boxes. Knows no coordinates. Must not import anything of Fixline but the domain.
"""

from __future__ import annotations

from dataclasses import dataclass

from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import JOINED
from fixline.domain.process.kinds import AnyStep
from fixline.domain.process.kinds.base import spoken
from fixline.domain.process.kinds.together import TogetherStep
from fixline.drawing.layout import NotDrawn


@dataclass(frozen=True)
class Box:
    """One step: its name, its kind, a title in plain words, and what else is promised or said about it."""

    name: str
    kind: str
    title: str
    notes: tuple[str, ...] = ()
    pauses: tuple[str, ...] = ()
    """The deadlines that stand while a request is here."""
    meets: tuple[str, ...] = ()
    """The deadlines that completing the step, or closing, meets."""


@dataclass(frozen=True)
class Arrow:
    """The ways from one step to another one; a label for each outcome that leads there."""

    source: str
    target: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """The steps of one branch of a together step."""

    owner: str
    name: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Chart:
    """Boxes in the order of the file, arrows, groups, and the step that a request begins with."""

    start: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    groups: tuple[Group, ...]


def chart_of(definition: Definition) -> Chart:
    """The chart of a checked definition. Raises NotDrawn for a type that takes no requests: it has no steps."""
    if definition.redirect is not None:
        raise NotDrawn(f"{definition.type} takes no requests: there is nothing to draw")
    arrows: dict[tuple[str, str], list[str]] = {}
    for name, step in definition.steps.items():
        for label, target in step.ways:
            if target == name:
                continue
            arrows.setdefault((name, target), []).append(label)
    return Chart(
        start=definition.start,
        boxes=tuple(_box(definition, name, step) for name, step in definition.steps.items()),
        arrows=tuple(Arrow(*pair, tuple(label for label in labels if label)) for pair, labels in arrows.items()),
        groups=tuple(
            Group(owner, branch, steps)
            for owner, step in definition.steps.items()
            if isinstance(step, TogetherStep)
            for branch, steps in step.branches.items()
        ),
    )


def _box(definition: Definition, name: str, step: AnyStep) -> Box:
    title, notes = step.words(name)
    state = getattr(step, "waiting_as", None)
    pauses = tuple(each for each, deadline in definition.deadlines.items() if state and state in deadline.paused_while)
    meets = tuple(each for each, deadline in definition.deadlines.items() if deadline.met_by == name)
    return Box(name, step.kind, title, (*notes, *_ends(name, step)), pauses, meets)


def _ends(name: str, step: AnyStep) -> tuple[str, ...]:
    """The outcomes without an arrow: those that lead back to the step itself, and those that end its branch."""
    then = getattr(step, "then", None)
    found: list[str] = []
    for target, words in ((name, "the same again"), (JOINED, "the branch ends")):
        outcomes = [label for label, leads_to in then.items() if leads_to == target] if isinstance(then, dict) else []
        if outcomes:
            found.append(f"{', '.join(map(spoken, outcomes))}: {words}")
    return tuple(found)
