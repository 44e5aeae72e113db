"""Checks the way from step to step: where it leads, whether it ends, whether it can turn in a circle.

Owns the rules FX308 and FX4xx for steps. Must not import anything of Fixline but the draft and the model.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as MappingType

from fixline.catalog.draft import Draft
from fixline.catalog.findings import Place
from fixline.catalog.reading import Mapping
from fixline.catalog.shape import nearest
from fixline.domain.steps import (
    OTHERWISE,
    WAITING,
    AnyStep,
    ChooseStep,
    CloseStep,
    FollowOnStep,
    NotifyStep,
    TogetherStep,
    ways,
)

Ways = MappingType[str, frozenset[str]]


def check_flow(draft: Draft) -> None:
    """Every step named exists, every step can be reached, and from every step the request can close."""
    if draft.steps:
        _check_targets(draft)
        ways = _ways(draft.steps)
        reached = reached_from(draft.start, ways) if draft.start in draft.steps else frozenset(draft.steps)
        _check_reached(draft, reached)
        _check_closing(draft, ways, reached)
        _check_choosing(draft)
    elif isinstance(draft.node("steps"), Mapping):
        draft.findings.add("FX403", draft.key_place("steps"), "no step closes the request: add one with 'close'")


def reachable_steps(draft: Draft) -> frozenset[str]:
    """The steps that a request can come to; all of them when the start is unknown."""
    if draft.start not in draft.steps:
        return frozenset(draft.steps)
    return reached_from(draft.start, _ways(draft.steps))


def reached_from(start: str | None, ways: Ways) -> frozenset[str]:
    """The start and every step that can follow it, directly or later."""
    reached: set[str] = set()
    waiting = [start] if start is not None else []
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(ways.get(name, ()))
    return frozenset(reached)


def waits_before_people(draft: Draft) -> bool:
    """Whether a request can wait before it has been with any team."""
    automatic = {
        name: frozenset(following(step))
        for name, step in draft.steps.items()
        if isinstance(step, (ChooseStep, *WAITING))
    }
    reached = reached_from(draft.start, automatic)
    return any(isinstance(draft.steps.get(name), WAITING) for name in reached)


def following(step: AnyStep | None) -> tuple[str, ...]:
    """The steps that a step names, in order."""
    return tuple(target for _, target in ways(step)) if step else ()


def _is_unknown(step: AnyStep | None) -> bool:
    """Whether a finding already says that the step's way on is missing."""
    return not isinstance(step, CloseStep) and not following(step)


def _ways(steps: MappingType[str, AnyStep | None]) -> dict[str, frozenset[str]]:
    """What follows each step; anything where the way on is unknown, so that one mistake is one finding."""
    everything = frozenset(steps)
    ways: dict[str, frozenset[str]] = {}
    for name, step in steps.items():
        named = frozenset(following(step))
        ways[name] = everything if _is_unknown(step) or not named <= everything else named
    return ways


def _check_targets(draft: Draft) -> None:
    if draft.start is not None and draft.start not in draft.steps:
        _no_such_step(draft, draft.start, draft.place("start"))
    for name, step in draft.steps.items():
        if isinstance(step, ChooseStep):
            for position, branch in enumerate(step.branches):
                key = "go" if draft.node("steps", name, "choose", position, "go") else "otherwise"
                _check_target(draft, branch.go, ("steps", name, "choose", position, key))
        elif step is not None and not isinstance(step, CloseStep | TogetherStep | NotifyStep):
            for outcome, target in step.then.items():
                _check_target(draft, target, ("steps", name, "then", outcome))
    until = draft.cancel.reporter
    if until not in {None, "always"} and until not in draft.steps:
        _no_such_step(draft, until or "", draft.place("cancel", "reporter", "until"))


def _check_target(draft: Draft, target: str, path: tuple[str | int, ...]) -> None:
    if target not in draft.steps:
        _no_such_step(draft, target, draft.place(*path))


def _no_such_step(draft: Draft, name: str, place: Place) -> None:
    draft.findings.add("FX308", place, f"there is no step '{name}'{nearest(name, draft.steps)}")


def _check_reached(draft: Draft, reached: frozenset[str]) -> None:
    for name in draft.steps:
        if name not in reached:
            message = f"no way leads from '{draft.start}' to step '{name}'"
            draft.findings.add("FX401", draft.key_place("steps", name), message)


def _check_closing(draft: Draft, ways: Ways, reached: frozenset[str]) -> None:
    closing = {name for name, step in draft.steps.items() if isinstance(step, CloseStep)}
    if not closing and None not in draft.steps.values():
        draft.findings.add("FX403", draft.key_place("steps"), "no step closes the request: add one with 'close'")
        return
    for name in draft.steps:
        if name in reached and not reached_from(name, ways) & closing and closing:
            message = f"from step '{name}' no way leads to a close"
            draft.findings.add("FX402", draft.key_place("steps", name), message)


def _check_choosing(draft: Draft) -> None:
    """Answers do not change between automatic steps, so a circle of them would turn for ever."""
    choosing = {name: step for name, step in draft.steps.items() if isinstance(step, ChooseStep | FollowOnStep)}
    ways = {name: _at_once(step) & choosing.keys() for name, step in choosing.items()}
    reported: set[str] = set()
    for name in choosing:
        if name in reported:
            continue
        circle = {other for other in _after(name, ways) if name in _after(other, ways)}
        if name in circle:
            reported |= circle
            listed = _listed(other for other in choosing if other in circle)
            message = f"these steps lead round in a circle that nothing stops: {listed}"
            draft.findings.add("FX404", draft.key_place("steps", name), message)


def _at_once(step: ChooseStep | FollowOnStep) -> frozenset[str]:
    """Where a step can lead as soon as it is entered: a follow-on that cannot be opened goes on at once."""
    if isinstance(step, FollowOnStep):
        return frozenset({step.then[OTHERWISE]} if OTHERWISE in step.then else ())
    return frozenset(following(step))


def _after(name: str, ways: Ways) -> frozenset[str]:
    return frozenset().union(*(reached_from(follower, ways) for follower in ways[name]))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
