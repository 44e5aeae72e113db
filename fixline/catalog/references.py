"""Checks a parsed definition against the city: departments, teams, areas, who is told and who is reached outside. The
rules FX3xx but for steps, calendars and types, and FX431."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from fixline.catalog.areas import Areas
from fixline.catalog.findings import Place, nearest
from fixline.catalog.flow import waits_before_people
from fixline.catalog.organisation import Organisation
from fixline.catalog.parsed import ParsedDefinition
from fixline.catalog.tree import Scalar
from fixline.domain.definition.vocabulary import REPORTER, SENDABLE, SUPERVISOR
from fixline.domain.process.kinds import AgencyStep, CallStep, NotifyStep, WaitStep
from fixline.domain.process.kinds.human import TeamByArea, TeamChoice

_BRACES = re.compile(r"\{([^{}]*)\}|[{}]")
_MOST_NAMED = 5
_IN = " in organisation.yaml"
_CONTACT = frozenset({"contact", "reporter", "name", "email", "phone"})


def check_city(parsed: ParsedDefinition, organisation: Organisation, areas: Areas) -> None:
    """Whatever the definition names of the city is there."""
    if parsed.department is not None:
        parsed.has("FX301", "department", parsed.department, organisation.departments, "department", where=_IN)
    _check_teams(parsed, organisation, areas)
    _check_roles(parsed, organisation, areas)
    _check_outside(parsed, organisation)
    if organisation.city.boundary is None and parsed.node("intake", "outside") is not None:
        message = "no place is outside: organisation.yaml names no 'boundary' of the city"
        parsed.add_key("FX222", message, "intake", "outside")


def _check_teams(parsed: ParsedDefinition, organisation: Organisation, areas: Areas) -> None:
    """Every team that a step can have exists, for every area of its layer."""
    for name, step in parsed.human_steps.items():
        if isinstance(step.team, TeamByArea):
            _check_by_area(parsed, name, step.team, organisation, areas)
        elif step.team:
            parsed.has("FX303", "team", step.team, organisation.teams, "steps", name, "team", where=_IN)
    for team, path in _written_in_rungs(parsed, "reassign_to"):
        parsed.has("FX303", "team", team, organisation.teams, *path, where=_IN)


def _check_by_area(
    parsed: ParsedDefinition, step: str, team: TeamByArea, organisation: Organisation, areas: Areas
) -> None:
    path = ("steps", step, "team")
    parsed.has("FX303", "team", team.elsewhere, organisation.teams, *path, "elsewhere", where=_IN)
    holes = [match[1] for match in _BRACES.finditer(team.as_)]
    if team.by not in holes or any(hole != team.by for hole in holes):
        parsed.add("FX306", f"'as' needs {{{team.by}}} where the area's key goes, and no other braces", *path, "as")
        return
    if team.by in areas.broken:
        parsed.add("FX304", f"the area layer '{team.by}' has findings of its own", *path, "by")
        return
    if not parsed.has("FX304", "area layer", team.by, areas.layers, *path, "by", where=" in definitions/areas"):
        return
    missing = [name for name in _expansions(team, areas) if name not in organisation.teams]
    if missing:
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        named = ", ".join(f"'{name}'" for name in missing[:_MOST_NAMED])
        parsed.add("FX305", f"not in organisation.yaml: {named}{more}", *path, "as")


def _expansions(team: TeamByArea, areas: Areas) -> list[str]:
    return [team.as_.replace(f"{{{team.by}}}", key) for key in areas.layers[team.by].keys]


def teams_of(choice: TeamChoice, areas: Areas) -> tuple[str, ...]:
    """Every team that a step's choice can come to, areas in order, elsewhere last."""
    if isinstance(choice, str):
        return (choice,) if choice else ()
    known = _expansions(choice, areas) if choice.by in areas.layers else []
    return (*known, choice.elsewhere)


def _check_roles(parsed: ParsedDefinition, organisation: Organisation, areas: Areas) -> None:
    """Whoever is told exists: in each team that the request can be with, the department or the city; in these two, too,
    when a request can wait before it has been with any team."""
    department = parsed.department
    if department is None or department not in organisation.departments:
        return
    early = waits_before_people(parsed)
    for role, teams, place in _told(parsed, areas):
        known = sorted(team for team in teams if team in organisation.teams)
        candidates: list[str | None] = [*known] or [None]
        candidates += [None] if early else []
        silent = [team for team in candidates if organisation.holder(role, team, department) is None]
        if silent:
            where = f" of team '{silent[0]}'," if silent[0] else " of"
            more = f" (and {len(silent) - 1} more teams)" if len(silent) > 1 else ""
            near = nearest(role, organisation.roles(silent[:1], department))
            message = f"nobody answers as '{role}':{where} department '{department}' or the city{more}{near}"
            parsed.findings.add("FX307", place(), message)


def _told(parsed: ParsedDefinition, areas: Areas) -> Iterator[tuple[str, set[str], Callable[[], Place]]]:
    """Each role that is told, the teams that the request can be with then, and where that is written."""
    steps = parsed.human_steps
    rungs = [rung for deadline in parsed.deadlines.values() for rung in deadline.escalate]
    teams = {team for step in steps.values() for team in teams_of(step.team, areas)}
    teams |= {rung.reassign_to for rung in rungs if rung.reassign_to}
    for role, path in _written_in_rungs(parsed, "tell"):
        yield role, teams, partial(parsed.place, *path)
    for name, step in steps.items():
        for key in ("claim_within", "due", "warn_after"):
            if getattr(step, key) is not None:
                yield SUPERVISOR, {*teams_of(step.team, areas)}, partial(parsed.key_place, "steps", name, key)
    for name, each in parsed.steps.items():
        if isinstance(each, NotifyStep) and each.role and each.role != REPORTER:
            yield each.role, teams, partial(parsed.place, "steps", name, "notify")
        elif isinstance(each, WaitStep) and each.until is not None:
            yield SUPERVISOR, teams, partial(parsed.key_place, "steps", name, "wait", "until")


def _written_in_rungs(parsed: ParsedDefinition, key: str) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """What rungs have at the key, and where that is written; nothing of what cannot be read."""
    for name in parsed.deadlines:
        for position, node in enumerate(parsed.in_rungs(name, key)):
            if isinstance(node, Scalar) and not node.empty:
                yield node.text, ("deadlines", name, "escalate", position, key)


def _check_outside(parsed: ParsedDefinition, organisation: Organisation) -> None:
    """Agencies and systems exist, and one that never answers has an end to the wait."""
    for name, step in parsed.steps.items():
        if isinstance(step, AgencyStep) and step.agency:
            path = ("steps", name, "agency")
            known = parsed.has("FX310", "agency", step.agency, organisation.agencies, *path, where=_IN)
            silent = known and not organisation.agencies[step.agency].reports_back
            if silent and parsed.node("steps", name, "reply_within") is None:
                message = f"'{step.agency}' does not report back: give 'reply_within', and 'no_reply' in 'then'"
                parsed.add_key("FX431", message, *path)
        elif isinstance(step, CallStep) and step.call:
            parsed.has("FX311", "system", step.call, organisation.systems, "steps", name, "call", where=_IN)


def check_sent(parsed: ParsedDefinition) -> None:
    """What is sent is a fact of the request or an answer that can be there."""
    names = [*SENDABLE, *parsed.fields]
    for step in parsed.steps:
        for item in parsed.items("steps", step, "send"):
            if not isinstance(item, Scalar) or not item.text.strip() or item.text in names:
                continue
            message = f"nothing is called '{item.text}'{nearest(item.text, names)}"
            if item.text in _CONTACT:
                message = f"'{item.text}' cannot be sent: how to reach whoever reported is never given away"
            parsed.findings.add("FX313", item.place, message)
