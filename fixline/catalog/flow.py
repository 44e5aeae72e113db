"""Checks the way from step to step: where it leads, whether it ends, whether it can turn in a circle.

Owns the rules FX308 and FX401 to FX404. Must not import anything of Fixline but the parsed and the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingType
from typing import NamedTuple

from fixline.catalog.findings import Place
from fixline.catalog.parsed import ParsedDefinition
from fixline.catalog.reading import Mapping
from fixline.catalog.shape import nearest
from fixline.domain.definition.vocabulary import DONE, JOINED
from fixline.domain.process.kinds import AnyStep
from fixline.domain.process.kinds.base import WaitingPart
from fixline.domain.process.kinds.choose import ChooseStep
from fixline.domain.process.kinds.close import CloseStep
from fixline.domain.process.kinds.human import HumanStep
from fixline.domain.process.kinds.notify import NotifyStep
from fixline.domain.process.kinds.together import TogetherStep

Ways = MappingType[str, frozenset[str]]


class Branch(NamedTuple):
    """A branch of a together step."""

    together: str
    name: str


def check_flow(parsed: ParsedDefinition) -> frozenset[str]:
    """Every step named exists, every step can be reached, and from every step the request can close.

    Returns the steps that a request can come to; all of them when the start is unknown.
    """
    if not parsed.steps:
        if isinstance(parsed.node("steps"), Mapping):
            parsed.findings.add("FX403", parsed.key_place("steps"), "no step closes the request: add one with 'close'")
        return frozenset()
    _check_targets(parsed)
    ways = _ways(parsed)
    reached = reached_from([parsed.start], ways) if parsed.start in parsed.steps else frozenset(parsed.steps)
    _check_reached(parsed, reached)
    _check_closing(parsed, ways, reached)
    _check_circles(parsed)
    return reached


def reached_from(starts: Iterable[str], ways: MappingType[str, Iterable[str]]) -> frozenset[str]:
    """The starts and every step that can follow one of them, directly or later."""
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(ways.get(name, ()))
    return frozenset(reached)


def branches_of(parsed: ParsedDefinition) -> dict[str, Branch]:
    """The branch of each step that is in one; of one that is in two, the first."""
    found: dict[str, Branch] = {}
    for name, step in parsed.steps.items():
        for branch, steps in step.branches.items() if isinstance(step, TogetherStep) else ():
            for member in steps:
                found.setdefault(member, Branch(name, branch))
    return found


def waits_before_people(parsed: ParsedDefinition) -> bool:
    """Whether a request can wait, or somebody be told, before it has been with any team."""
    automatic = {
        name: frozenset(step.exits_at_once) if isinstance(step, HumanStep) else targets
        for name, targets in _named(parsed).items()
        if not _has_people(parsed, step := parsed.steps[name]) or isinstance(step, HumanStep)
    }
    reached = reached_from([] if parsed.start is None else [parsed.start], automatic)
    return any(isinstance(parsed.steps.get(name), (NotifyStep, WaitingPart)) for name in reached)


def _has_people(parsed: ParsedDefinition, step: AnyStep | None) -> bool:
    """Whether a team has the request as soon as it has come to this step."""
    if isinstance(step, TogetherStep):
        return any(_has_people(parsed, parsed.steps.get(steps[0])) for steps in step.branches.values())
    return isinstance(step, HumanStep) and step.sample is None


def _named(parsed: ParsedDefinition) -> dict[str, frozenset[str]]:
    """What follows each step; after the end of a branch, what follows its together step."""
    members = branches_of(parsed)
    found: dict[str, frozenset[str]] = {}
    for name, step in parsed.steps.items():
        written = _written(step)
        found[name] = written - {JOINED}
        together = parsed.steps.get(members[name].together) if name in members and JOINED in written else None
        if isinstance(together, TogetherStep):
            found[name] |= {together.then[DONE]}
    return found


def _ways(parsed: ParsedDefinition) -> dict[str, frozenset[str]]:
    """What follows each step; anything where the way on is unknown, so that one mistake is one finding."""
    everything = frozenset(parsed.steps)
    members = branches_of(parsed)
    found: dict[str, frozenset[str]] = {}
    for name, named in _named(parsed).items():
        step = parsed.steps[name]
        written = _written(step)
        missing = not written and not isinstance(step, CloseStep)  # a finding says so already
        misled = JOINED in written and name not in members
        found[name] = everything if missing or misled or not named <= everything else named
    return found


def _written(step: AnyStep | None) -> frozenset[str]:
    """The names to which a step leads, `joined` included; none when it could not be read."""
    return frozenset(target for _, target in step.exits) if step else frozenset()


def references(parsed: ParsedDefinition) -> Iterator[tuple[str, str, tuple[str | int, ...]]]:
    """Each way that is written: the step it leads from, the name it leads to, and where that is written.

    The names in the branches of a together step are no ways; `fixline.catalog.branches` has those.
    """
    for name, step in parsed.steps.items():
        match step:
            case ChooseStep():
                for position, branch in enumerate(step.branches):
                    key = "go" if parsed.node("steps", name, "choose", position, "go") else "otherwise"
                    yield name, branch.go, ("steps", name, "choose", position, key)
            case NotifyStep():
                yield name, step.then, ("steps", name, "then")
            case None | CloseStep():
                pass
            case _:
                for outcome, target in step.then.items():
                    yield name, target, ("steps", name, "then", outcome)


def _check_targets(parsed: ParsedDefinition) -> None:
    if parsed.start is not None and parsed.start not in parsed.steps:
        _no_such_step(parsed, parsed.start, parsed.place("start"))
    for _, target, path in references(parsed):
        if target != JOINED:
            _check_target(parsed, target, path)
    until = parsed.cancel.reporter
    if until not in {None, "always"} and until not in parsed.steps:
        _no_such_step(parsed, until or "", parsed.place("cancel", "reporter", "until"))


def _check_target(parsed: ParsedDefinition, target: str, path: tuple[str | int, ...]) -> None:
    if target not in parsed.steps:
        _no_such_step(parsed, target, parsed.place(*path))


def _no_such_step(parsed: ParsedDefinition, name: str, place: Place) -> None:
    parsed.findings.add("FX308", place, f"there is no step '{name}'{nearest(name, parsed.steps)}")


def _check_reached(parsed: ParsedDefinition, reached: frozenset[str]) -> None:
    for name in parsed.steps:
        if name not in reached:
            message = f"no way leads from '{parsed.start}' to step '{name}'"
            parsed.findings.add("FX401", parsed.key_place("steps", name), message)


def _check_closing(parsed: ParsedDefinition, ways: Ways, reached: frozenset[str]) -> None:
    closing = {name for name, step in parsed.steps.items() if isinstance(step, CloseStep)}
    if not closing and None not in parsed.steps.values():
        parsed.findings.add("FX403", parsed.key_place("steps"), "no step closes the request: add one with 'close'")
        return
    back: dict[str, list[str]] = {name: [] for name in ways}
    for name, named in ways.items():
        for target in named:
            back[target].append(name)
    ending = reached_from(closing, back)
    for name in parsed.steps:
        if name in reached and name not in ending and closing:
            message = f"from step '{name}' no way leads to a close"
            parsed.findings.add("FX402", parsed.key_place("steps", name), message)


def _check_circles(parsed: ParsedDefinition) -> None:
    """Nothing changes between automatic steps, so a circle of them would turn for ever."""
    ways = _at_once(parsed)
    after = {name: reached_from(named, ways) for name, named in ways.items() if named}
    reported: set[str] = set()
    for name, later in after.items():
        if name in reported:
            continue
        circle = {other for other in later if name in after.get(other, ())}
        if name in circle:
            reported |= circle
            listed = _listed(other for other in ways if other in circle)
            message = f"these steps lead round in a circle that nothing stops: {listed}"
            parsed.findings.add("FX404", parsed.key_place("steps", name), message)


def _at_once(parsed: ParsedDefinition) -> dict[str, frozenset[str]]:
    """Where each step can lead without people, time or an answer having come between."""
    found = {name: frozenset(step.exits_at_once) if step else frozenset() for name, step in parsed.steps.items()}
    joining = {name: step for name, step in parsed.steps.items() if isinstance(step, TogetherStep)}
    passed = {name for name, step in joining.items() if _passes(step, found)}
    return {
        name: frozenset(target for target in targets | ({joining[name].then[DONE]} if name in passed else set()))
        & parsed.steps.keys()
        for name, targets in found.items()
    }


def _passes(step: TogetherStep, at_once: Ways) -> bool:
    """Whether a together step can come to its end at once: all of its branches, or for `first` any of them."""
    ends = [
        JOINED in reached_from(steps[:1], {name: at_once.get(name, frozenset()) & {*steps, JOINED} for name in steps})
        for steps in step.branches.values()
    ]
    return all(ends) if step.join == "all" else any(ends)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
