"""Checks a parsed definition against the city: its department, calendar, teams, areas and the people who are told.

Owns the rules FX3xx but for steps. Must not import anything of Fixline but the parsed, the organisation, the
areas and the model.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from fixline.catalog.areas import Areas
from fixline.catalog.findings import Place
from fixline.catalog.flow import waits_before_people
from fixline.catalog.organisation import Organisation
from fixline.catalog.parsed import ParsedDefinition
from fixline.catalog.reading import Scalar, Sequence
from fixline.catalog.shape import nearest
from fixline.domain.definition.vocabulary import REPORTER
from fixline.domain.process.kinds.human import TeamByArea, TeamChoice
from fixline.domain.process.kinds.notify import NotifyStep
from fixline.domain.process.kinds.wait import WaitStep

SUPERVISOR = "supervisor"
_BRACES = re.compile(r"\{([^{}]*)\}|[{}]")
_MOST_NAMED = 5


def check_department(parsed: ParsedDefinition, organisation: Organisation) -> None:
    """The department is one of the organisation's."""
    if parsed.department is not None and parsed.department not in organisation.departments:
        near = nearest(parsed.department, organisation.departments)
        message = f"there is no department '{parsed.department}' in organisation.yaml{near}"
        parsed.findings.add("FX301", parsed.place("department"), message)


def check_boundary(parsed: ParsedDefinition, organisation: Organisation) -> None:
    """What is said of places outside the city needs a city that says where it ends."""
    if organisation.city.boundary is None and parsed.node("intake", "outside") is not None:
        message = "no place is outside: organisation.yaml names no 'boundary' of the city"
        parsed.findings.add("FX222", parsed.key_place("intake", "outside"), message)


def check_teams(parsed: ParsedDefinition, organisation: Organisation, areas: Areas) -> None:
    """Every team that a step can have exists, for every area of its layer."""
    for name, step in parsed.human_steps.items():
        if isinstance(step.team, TeamByArea):
            _check_by_area(parsed, name, step.team, organisation, areas)
        elif step.team:
            _check_team(parsed, step.team, ("steps", name, "team"), organisation)
    for name in parsed.deadlines:
        for position, team in enumerate(_written_in_rungs(parsed, name, "reassign_to")):
            if team is not None:
                path = ("deadlines", name, "escalate", position, "reassign_to")
                _check_team(parsed, team, path, organisation)


def _check_team(parsed: ParsedDefinition, team: str, path: tuple[str | int, ...], organisation: Organisation) -> None:
    if team not in organisation.teams:
        near = nearest(team, organisation.teams)
        parsed.findings.add("FX303", parsed.place(*path), f"there is no team '{team}' in organisation.yaml{near}")


def _check_by_area(
    parsed: ParsedDefinition, step: str, team: TeamByArea, organisation: Organisation, areas: Areas
) -> None:
    _check_team(parsed, team.elsewhere, ("steps", step, "team", "elsewhere"), organisation)
    place = parsed.place("steps", step, "team", "as")
    holes = [match[1] for match in _BRACES.finditer(team.as_)]
    if team.by not in holes or any(hole != team.by for hole in holes):
        parsed.findings.add("FX306", place, f"'as' needs {{{team.by}}} where the area's key goes, and no other braces")
        return
    if team.by not in areas.layers:
        near = nearest(team.by, areas.layers)
        message = f"there is no area layer '{team.by}' in definitions/areas{near}"
        if team.by in areas.broken:
            message = f"the area layer '{team.by}' has findings of its own"
        parsed.findings.add("FX304", parsed.place("steps", step, "team", "by"), message)
        return
    missing = [name for name in _expansions(team, areas) if name not in organisation.teams]
    if missing:
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        named = ", ".join(f"'{name}'" for name in missing[:_MOST_NAMED])
        parsed.findings.add("FX305", place, f"not in organisation.yaml: {named}{more}")


def _expansions(team: TeamByArea, areas: Areas) -> list[str]:
    return [team.as_.replace(f"{{{team.by}}}", key) for key in areas.keys(team.by)]


def teams_of(choice: TeamChoice, areas: Areas) -> tuple[str, ...]:
    """Every team that a step's choice can come to, areas in order, elsewhere last."""
    if isinstance(choice, str):
        return (choice,) if choice else ()
    known = _expansions(choice, areas) if choice.by in areas.layers else []
    return (*known, choice.elsewhere)


def check_roles(parsed: ParsedDefinition, organisation: Organisation, areas: Areas) -> None:
    """Whoever is told exists: in each team that the request can be with, the department or the city."""
    if parsed.department is None:
        return
    steps = parsed.human_steps
    teams = {team for step in steps.values() for team in teams_of(step.team, areas)}
    teams |= {
        rung.reassign_to for deadline in parsed.deadlines.values() for rung in deadline.escalate if rung.reassign_to
    }
    early = waits_before_people(parsed)
    for name in parsed.deadlines:
        for position, rung in enumerate(_written_in_rungs(parsed, name, "tell")):
            place = partial(parsed.place, "deadlines", name, "escalate", position, "tell")
            _check_role(parsed, organisation, rung, teams, place, early=early)
    for name, step in steps.items():
        asked = (("claim_within", step.claim_within), ("due", step.due), ("warn_after", step.warn_after))
        for key, value in asked:
            if value is not None:
                own = set(teams_of(step.team, areas))
                place = partial(parsed.key_place, "steps", name, key)
                _check_role(parsed, organisation, SUPERVISOR, own, place, early=early)
    for name, each in parsed.steps.items():
        if isinstance(each, NotifyStep) and each.role != REPORTER:
            place = partial(parsed.place, "steps", name, "notify")
            _check_role(parsed, organisation, each.role or None, teams, place, early=early)
        elif isinstance(each, WaitStep) and each.until is not None:
            place = partial(parsed.key_place, "steps", name, "wait", "until")
            _check_role(parsed, organisation, SUPERVISOR, teams, place, early=early)


def _written_in_rungs(parsed: ParsedDefinition, deadline: str, key: str) -> list[str | None]:
    """What each rung has at the key, by its position in the file; None where there is nothing readable."""
    node = parsed.node("deadlines", deadline, "escalate")
    total = len(node.items) if isinstance(node, Sequence) else 0
    told = [parsed.node("deadlines", deadline, "escalate", position, key) for position in range(total)]
    return [found.text if isinstance(found, Scalar) and not found.empty else None for found in told]


def _check_role(
    parsed: ParsedDefinition,
    organisation: Organisation,
    role: str | None,
    teams: set[str],
    place: Callable[[], Place],
    *,
    early: bool,
) -> None:
    """Somebody answers as `role` in each of the teams; without a team, too, when a request can wait so `early`."""
    if role is None or parsed.department is None or parsed.department not in organisation.departments:
        return
    known = sorted(team for team in teams if team in organisation.teams)
    candidates: list[str | None] = [*known] or [None]
    if early:
        candidates.append(None)
    silent = [team for team in candidates if not organisation.is_held(role, team, parsed.department)]
    if silent:
        where = f" of team '{silent[0]}'," if silent[0] else " of"
        more = f" (and {len(silent) - 1} more teams)" if len(silent) > 1 else ""
        near = nearest(role, organisation.roles(silent[:1], parsed.department))
        message = f"nobody answers as '{role}':{where} department '{parsed.department}' or the city{more}{near}"
        parsed.findings.add("FX307", place(), message)
