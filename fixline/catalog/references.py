"""Checks a draft against the city: its department, calendar, teams, areas and the people who are told.

Owns the rules FX3xx but for steps. Must not import anything of Fixline but the draft, the organisation, the
areas and the model.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from fixline.catalog.areas import Areas
from fixline.catalog.draft import Draft
from fixline.catalog.findings import Place
from fixline.catalog.flow import waits_before_people
from fixline.catalog.organisation import Organisation
from fixline.catalog.reading import Scalar, Sequence
from fixline.catalog.shape import nearest
from fixline.domain.steps import REPORTER, NotifyStep, TeamByArea, TeamChoice, WaitStep

SUPERVISOR = "supervisor"
_BRACES = re.compile(r"\{([^{}]*)\}|[{}]")
_MOST_NAMED = 5


def check_department(draft: Draft, organisation: Organisation) -> None:
    """The department is one of the organisation's."""
    if draft.department is not None and draft.department not in organisation.departments:
        near = nearest(draft.department, organisation.departments)
        message = f"there is no department '{draft.department}' in organisation.yaml{near}"
        draft.findings.add("FX301", draft.place("department"), message)


def check_boundary(draft: Draft, organisation: Organisation) -> None:
    """What is said of places outside the city needs a city that says where it ends."""
    if organisation.city.boundary is None and draft.node("intake", "outside") is not None:
        message = "no place is outside: organisation.yaml names no 'boundary' of the city"
        draft.findings.add("FX222", draft.key_place("intake", "outside"), message)


def check_teams(draft: Draft, organisation: Organisation, areas: Areas) -> None:
    """Every team that a step can have exists, for every area of its layer."""
    for name, step in draft.human_steps.items():
        if isinstance(step.team, TeamByArea):
            _check_by_area(draft, name, step.team, organisation, areas)
        elif step.team:
            _check_team(draft, step.team, ("steps", name, "team"), organisation)
    for name in draft.deadlines:
        for position, team in enumerate(_written_in_rungs(draft, name, "reassign_to")):
            if team is not None:
                path = ("deadlines", name, "escalate", position, "reassign_to")
                _check_team(draft, team, path, organisation)


def _check_team(draft: Draft, team: str, path: tuple[str | int, ...], organisation: Organisation) -> None:
    if team not in organisation.teams:
        near = nearest(team, organisation.teams)
        draft.findings.add("FX303", draft.place(*path), f"there is no team '{team}' in organisation.yaml{near}")


def _check_by_area(draft: Draft, step: str, team: TeamByArea, organisation: Organisation, areas: Areas) -> None:
    _check_team(draft, team.elsewhere, ("steps", step, "team", "elsewhere"), organisation)
    place = draft.place("steps", step, "team", "as")
    holes = [match[1] for match in _BRACES.finditer(team.as_)]
    if team.by not in holes or any(hole != team.by for hole in holes):
        draft.findings.add("FX306", place, f"'as' needs {{{team.by}}} where the area's key goes, and no other braces")
        return
    if team.by not in areas.layers:
        near = nearest(team.by, areas.layers)
        message = f"there is no area layer '{team.by}' in definitions/areas{near}"
        if team.by in areas.broken:
            message = f"the area layer '{team.by}' has findings of its own"
        draft.findings.add("FX304", draft.place("steps", step, "team", "by"), message)
        return
    missing = [name for name in _expansions(team, areas) if name not in organisation.teams]
    if missing:
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        named = ", ".join(f"'{name}'" for name in missing[:_MOST_NAMED])
        draft.findings.add("FX305", place, f"not in organisation.yaml: {named}{more}")


def _expansions(team: TeamByArea, areas: Areas) -> list[str]:
    return [team.as_.replace(f"{{{team.by}}}", key) for key in areas.keys(team.by)]


def teams_of(choice: TeamChoice, areas: Areas) -> tuple[str, ...]:
    """Every team that a step's choice can come to, areas in order, elsewhere last."""
    if isinstance(choice, str):
        return (choice,) if choice else ()
    known = _expansions(choice, areas) if choice.by in areas.layers else []
    return (*known, choice.elsewhere)


def check_roles(draft: Draft, organisation: Organisation, areas: Areas) -> None:
    """Whoever is told exists: in each team that the request can be with, the department or the city."""
    if draft.department is None:
        return
    steps = draft.human_steps
    teams = {team for step in steps.values() for team in teams_of(step.team, areas)}
    teams |= {
        rung.reassign_to for deadline in draft.deadlines.values() for rung in deadline.escalate if rung.reassign_to
    }
    early = waits_before_people(draft)
    for name in draft.deadlines:
        for position, rung in enumerate(_written_in_rungs(draft, name, "tell")):
            place = partial(draft.place, "deadlines", name, "escalate", position, "tell")
            _check_role(draft, organisation, rung, teams, place, early=early)
    for name, step in steps.items():
        asked = (("claim_within", step.claim_within), ("due", step.due), ("warn_after", step.warn_after))
        for key, value in asked:
            if value is not None:
                own = set(teams_of(step.team, areas))
                place = partial(draft.key_place, "steps", name, key)
                _check_role(draft, organisation, SUPERVISOR, own, place, early=early)
    for name, each in draft.steps.items():
        if isinstance(each, NotifyStep) and each.role != REPORTER:
            place = partial(draft.place, "steps", name, "notify")
            _check_role(draft, organisation, each.role or None, teams, place, early=early)
        elif isinstance(each, WaitStep) and each.until is not None:
            place = partial(draft.key_place, "steps", name, "wait", "until")
            _check_role(draft, organisation, SUPERVISOR, teams, place, early=early)


def _written_in_rungs(draft: Draft, deadline: str, key: str) -> list[str | None]:
    """What each rung has at the key, by its position in the file; None where there is nothing readable."""
    node = draft.node("deadlines", deadline, "escalate")
    total = len(node.items) if isinstance(node, Sequence) else 0
    told = [draft.node("deadlines", deadline, "escalate", position, key) for position in range(total)]
    return [found.text if isinstance(found, Scalar) and not found.empty else None for found in told]


def _check_role(
    draft: Draft,
    organisation: Organisation,
    role: str | None,
    teams: set[str],
    place: Callable[[], Place],
    *,
    early: bool,
) -> None:
    """Somebody answers as `role` in each of the teams; without a team, too, when a request can wait so `early`."""
    if role is None or draft.department is None or draft.department not in organisation.departments:
        return
    known = sorted(team for team in teams if team in organisation.teams)
    candidates: list[str | None] = [*known] or [None]
    if early:
        candidates.append(None)
    silent = [team for team in candidates if not organisation.is_held(role, team, draft.department)]
    if silent:
        where = f" of team '{silent[0]}'," if silent[0] else " of"
        more = f" (and {len(silent) - 1} more teams)" if len(silent) > 1 else ""
        near = nearest(role, organisation.roles(silent[:1], draft.department))
        message = f"nobody answers as '{role}':{where} department '{draft.department}' or the city{more}{near}"
        draft.findings.add("FX307", place(), message)
