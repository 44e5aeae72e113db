"""Checks the way from step to step: where it leads, whether it ends or turns in a circle; branches; where a reopened
request goes on. The rules FX308, FX401 to FX404, FX410 to FX415, FX450 and FX452."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingType

from fixline.catalog.parsed import ParsedDefinition
from fixline.catalog.tree import Mapping, Scalar
from fixline.domain.definition.model import InBranch
from fixline.domain.definition.vocabulary import DONE, JOINED, NotifyEvent
from fixline.domain.process.kinds import AnyStep, ChooseStep, CloseStep, HumanStep, NotifyStep, TogetherStep
from fixline.domain.process.kinds.base import WaitingPart

Ways = MappingType[str, frozenset[str]]


def check_flow(parsed: ParsedDefinition) -> frozenset[str]:
    """Every step named exists, every step can be reached, and from every step the request can close. Returns the steps
    that a request can come to; all of them when the start is unknown."""
    if not parsed.steps:
        if isinstance(parsed.node("steps"), Mapping):
            parsed.add_key("FX403", "no step closes the request: add one with 'close'", "steps")
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
    first = [steps[0] for steps in step.branches.values()] if isinstance(step, TogetherStep) else []
    come_to = [step, *(parsed.steps.get(name) for name in first)]  # no branch begins with branches
    return any(isinstance(each, HumanStep) and each.sample is None for each in come_to)


def _named(parsed: ParsedDefinition) -> dict[str, frozenset[str]]:
    """What follows each step; after the end of a branch, what follows its together step."""
    members = parsed.in_branches
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
    members = parsed.in_branches
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


def _references(parsed: ParsedDefinition) -> Iterator[tuple[str, str, tuple[str | int, ...]]]:
    """Each way that is written: the step it leads from, the name it leads to, and where that is written. The names in
    the branches of a together step are no ways."""
    for name, step in parsed.steps.items():
        if isinstance(step, ChooseStep):
            for position, branch in enumerate(step.branches):
                key = "go" if parsed.node("steps", name, "choose", position, "go") else "otherwise"
                yield name, branch.go, ("steps", name, "choose", position, key)
            continue
        ways = step.then.items() if isinstance(step, TogetherStep) else step.exits if step else ()
        for outcome, target in ways:
            yield name, target, ("steps", name, "then", *([outcome] if outcome else []))


def _check_targets(parsed: ParsedDefinition) -> None:
    if parsed.start is not None:
        parsed.has_step(parsed.start, "start")
    for _, target, path in _references(parsed):
        if target != JOINED:
            parsed.has_step(target, *path)
    until = parsed.cancel.reporter
    if until is not None and until != "always":
        parsed.has_step(until, "cancel", "reporter", "until")


def _check_reached(parsed: ParsedDefinition, reached: frozenset[str]) -> None:
    for name in parsed.steps:
        if name not in reached:
            parsed.add_key("FX401", f"no way leads from '{parsed.start}' to step '{name}'", "steps", name)


def _check_closing(parsed: ParsedDefinition, ways: Ways, reached: frozenset[str]) -> None:
    closing = {name for name, step in parsed.steps.items() if isinstance(step, CloseStep)}
    if not closing and None not in parsed.steps.values():
        parsed.add_key("FX403", "no step closes the request: add one with 'close'", "steps")
        return
    back: dict[str, list[str]] = {name: [] for name in ways}
    for name, named in ways.items():
        for target in named:
            back[target].append(name)
    ending = reached_from(closing, back)
    for name in parsed.steps:
        if name in reached and name not in ending and closing:
            parsed.add_key("FX402", f"from step '{name}' no way leads to a close", "steps", name)


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
            listed = ", ".join(f"'{other}'" for other in ways if other in circle)
            parsed.add_key("FX404", f"these steps lead round in a circle that nothing stops: {listed}", "steps", name)


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


def check_branches(parsed: ParsedDefinition) -> None:
    """A step of a branch is one that can be, in that branch alone, and every branch can end."""
    members = parsed.in_branches
    _check_members(parsed, members)
    _check_ways_in(parsed, members)
    _check_joining(parsed, members)


def _listed(parsed: ParsedDefinition) -> Iterator[tuple[InBranch, str, tuple[str | int, ...]]]:
    """Each entry of each branch: the branch, the step's name, and where it is written."""
    for name, step in parsed.steps.items():
        for branch, steps in step.branches.items() if isinstance(step, TogetherStep) else ():
            for position, member in enumerate(steps):
                yield InBranch(name, branch), member, ("steps", name, "together", branch, position)


def _check_members(parsed: ParsedDefinition, members: dict[str, InBranch]) -> None:
    for where, name, path in _listed(parsed):
        step = parsed.steps.get(name)
        if not parsed.has_step(name, *path):
            continue
        if isinstance(step, TogetherStep):
            message = f"'{name}' is a together step itself: let it follow, branches do not branch again"
            parsed.add("FX414", message, *path)
        elif isinstance(step, CloseStep):
            message = f"'{name}' closes the request: lead there from a branch, but leave it out of the branch"
            parsed.add("FX413", message, *path)
        elif (other := members[name]) != where:
            message = f"'{name}' is in branch '{other.branch}' of '{other.together}' already: a step is in one branch"
            parsed.add("FX410", message, *path)


def _check_ways_in(parsed: ParsedDefinition, members: dict[str, InBranch]) -> None:
    """Only the together step and the branch itself lead into a branch; only a branch leads to `joined`."""
    unknown = None in parsed.steps.values() or not members.keys() <= parsed.steps.keys()
    for source, target, path in _references(parsed):
        if target == JOINED and source not in members and not unknown:
            message = f"'{JOINED}' ends a branch, and '{source}' is in none: name the step that follows"
            parsed.add("FX412", message, *path)
        elif target in members and members.get(source) != members[target]:
            _no_way_in(parsed, target, members[target], path)
    if parsed.start in members:
        _no_way_in(parsed, parsed.start, members[parsed.start], ("start",))


def _no_way_in(parsed: ParsedDefinition, name: str, where: InBranch, path: tuple[str | int, ...]) -> None:
    message = f"'{name}' is in branch '{where.branch}': lead to '{where.together}', which begins all its branches"
    parsed.add("FX411", message, *path)


def _check_joining(parsed: ParsedDefinition, members: dict[str, InBranch]) -> None:
    for name, together in parsed.steps.items():
        for branch, steps in together.branches.items() if isinstance(together, TogetherStep) else ():
            own = {member: parsed.steps.get(member) for member, where in members.items() if where == (name, branch)}
            if None in own.values() or any(step not in own for step in steps):
                continue
            ways = {
                member: frozenset(target for _, target in step.exits if target in own or target == JOINED)
                for member, step in own.items()
                if step is not None
            }
            if JOINED not in reached_from(steps[:1], ways):
                message = f"no way leads from '{steps[0]}' to '{JOINED}': branch '{branch}' never comes to its end"
                parsed.add_key("FX415", message, "steps", name, "together", branch)


def check_reopen(parsed: ParsedDefinition) -> None:
    """A reopened request goes on at a step where something happens, and nobody is promised to be told in vain."""
    path, name = ("reopen", "at"), parsed.reopen.at if parsed.reopen is not None else ""
    if name and parsed.has_step(name, *path):
        if isinstance(parsed.steps[name], CloseStep):
            message = f"step '{name}' closes the request: a reopened request goes on at a step where work is done"
            parsed.add("FX450", message, *path)
        elif name in parsed.in_branches:
            message = f"step '{name}' runs within a branch: a reopened request goes on at a step of the main way"
            parsed.add("FX450", message, *path)
    for item in parsed.items("notify", "reporter") if parsed.node("reopen") is None else ():
        if isinstance(item, Scalar) and item.text == NotifyEvent.REOPENED.value:
            message = "no request of this type is reopened: add 'reopen', or leave it out"
            parsed.findings.add("FX452", item.place, message)
