"""A picture of a definition: a box with words for each step, an arrow for each way, the branches as groups."""

from __future__ import annotations

from typing import NamedTuple

from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import JOINED
from fixline.domain.process.kinds import AnyStep, TogetherStep
from fixline.domain.process.kinds.base import spoken
from fixline.errors import FixlineError


class NotDrawn(FixlineError):
    """The definition has no steps, is too large to be drawn, or Graphviz did not answer; the text is for people."""


class Box(NamedTuple):
    """One step: its name, its kind, a title in plain words, and what else is promised or said about it."""

    name: str
    kind: str
    title: str
    notes: tuple[str, ...] = ()
    pauses: tuple[str, ...] = ()
    """The deadlines that stand while a request is here."""
    meets: tuple[str, ...] = ()
    """The deadlines that completing the step, or closing, meets."""


class Arrow(NamedTuple):
    """The ways from one step to another one; a label for each outcome that leads there."""

    source: str
    target: str
    labels: tuple[str, ...]


class Group(NamedTuple):
    """The steps of one branch of a together step."""

    name: str
    steps: tuple[str, ...]


class Chart(NamedTuple):
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
            if target != name:
                arrows.setdefault((name, target), []).append(label)
    return Chart(
        start=definition.start,
        boxes=tuple(_box(definition, name, step) for name, step in definition.steps.items()),
        arrows=tuple(Arrow(*pair, tuple(label for label in labels if label)) for pair, labels in arrows.items()),
        groups=tuple(
            Group(branch, steps)
            for step in definition.steps.values()
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
    found: dict[str, list[str]] = {}
    for label, target in then.items() if isinstance(then, dict) else ():
        found.setdefault(target, []).append(spoken(label))
    ends = ((name, "the same again"), (JOINED, "the branch ends"))
    return tuple(f"{', '.join(found[target])}: {words}" for target, words in ends if target in found)
