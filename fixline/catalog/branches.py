"""Checks the branches of together steps: what stands in them, how one gets in, and that each can come to its end.

Owns the rules FX410 to FX415. Must not import anything of Fixline but the parsed, the flow's words and the model.
"""

from __future__ import annotations

from collections.abc import Iterator

from fixline.catalog.flow import Branch, branches_of, reached_from, references
from fixline.catalog.parsed import ParsedDefinition
from fixline.catalog.shape import nearest
from fixline.domain.definition.vocabulary import JOINED
from fixline.domain.process.kinds.close import CloseStep
from fixline.domain.process.kinds.together import TogetherStep


def check_branches(parsed: ParsedDefinition) -> None:
    """A step of a branch is one that can be, in that branch alone, and every branch can end."""
    members = branches_of(parsed)
    _check_members(parsed)
    _check_ways_in(parsed, members)
    _check_joining(parsed, members)


def _listed(parsed: ParsedDefinition) -> Iterator[tuple[Branch, str, tuple[str | int, ...]]]:
    """Each entry of each branch: the branch, the step's name, and where it is written."""
    for name, step in parsed.steps.items():
        for branch, steps in step.branches.items() if isinstance(step, TogetherStep) else ():
            for position, member in enumerate(steps):
                yield Branch(name, branch), member, ("steps", name, "together", branch, position)


def _check_members(parsed: ParsedDefinition) -> None:
    first: dict[str, Branch] = {}
    for where, name, path in _listed(parsed):
        step = parsed.steps.get(name)
        place = parsed.place(*path)
        if name not in parsed.steps:
            parsed.findings.add("FX308", place, f"there is no step '{name}'{nearest(name, parsed.steps)}")
        elif isinstance(step, TogetherStep):
            message = f"'{name}' is a together step itself: let it follow, branches do not branch again"
            parsed.findings.add("FX414", place, message)
        elif isinstance(step, CloseStep):
            message = f"'{name}' closes the request: lead there from a branch, but leave it out of the branch"
            parsed.findings.add("FX413", place, message)
        elif first.setdefault(name, where) != where:
            other = first[name]
            message = f"'{name}' is in branch '{other.name}' of '{other.together}' already: a step is in one branch"
            parsed.findings.add("FX410", place, message)


def _check_ways_in(parsed: ParsedDefinition, members: dict[str, Branch]) -> None:
    """Only the together step and the branch itself lead into a branch; only a branch leads to `joined`."""
    unknown = None in parsed.steps.values() or not members.keys() <= parsed.steps.keys()
    for source, target, path in references(parsed):
        if target == JOINED and source not in members and not unknown:
            message = f"'{JOINED}' ends a branch, and '{source}' is in none: name the step that follows"
            parsed.findings.add("FX412", parsed.place(*path), message)
        elif target in members and members.get(source) != members[target]:
            _no_way_in(parsed, target, members[target], path)
    if parsed.start in members:
        _no_way_in(parsed, parsed.start, members[parsed.start], ("start",))


def _no_way_in(parsed: ParsedDefinition, name: str, where: Branch, path: tuple[str | int, ...]) -> None:
    message = f"'{name}' is in branch '{where.name}': lead to '{where.together}', which begins all its branches"
    parsed.findings.add("FX411", parsed.place(*path), message)


def _check_joining(parsed: ParsedDefinition, members: dict[str, Branch]) -> None:
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
                parsed.findings.add("FX415", parsed.key_place("steps", name, "together", branch), message)
