"""From a decision to rows: what is written for lists, pages and supervisors beside the state itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec.structs import asdict
from sqlmodel import Session

from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import ClockKind, RequestState
from fixline.domain.process.decision import Decision
from fixline.domain.process.waiting import happened_at, waits
from fixline.domain.records import to_data, to_text
from fixline.store import statements

SCOPE = ("type", "department", "area", "team")
"""What supervisors narrow their lists to; a clock has it from its request."""


def promised_at(definition: Definition, state: RequestState) -> Any:
    """When the request should be closed: due of the deadline met by closing; where there is none, the latest of all.

    None when there is no deadline, or while it stands: the date of a first look does not take its place.
    """
    if state.attached_to and not state.closed:  # its clocks have ended; what is promised is the original's to say
        return None
    clocks = [c for name, c in state.promises.items() if name in definition.deadlines]
    closing = [c for c in clocks if definition.deadlines[c.promise].met_by == "closed"]
    return max((c.due_at for c in closing or clocks if c.due_at), default=None)


def request_values(definition: Definition, decision: Decision) -> dict[str, Any]:
    """The request's columns after a decision."""
    return {
        **_shown(definition, decision.state),
        "updated_at": decision.at,
        "next_at": decision.next_at,
        "decision": decision.number,
        "state": to_text(decision.state),
    }


def request_changes(
    definition: Definition, before: RequestState, decisions: Sequence[Decision], *, followed: Definition
) -> dict[str, Any]:
    """The columns that decisions change: an UPDATE writes the index of every column that it names. `acted_at` is one
    where something happened in one of them.

    `followed` is the definition that the request followed before; it is another after a move.
    """
    shown, values = _shown(followed, before), request_values(definition, decisions[-1])
    changes = {name: value for name, value in values.items() if name not in shown or shown[name] != value}
    acted = [at for at in map(happened_at, decisions) if at is not None]
    return {**changes, "acted_at": acted[-1]} if acted else changes


def _shown(definition: Definition, state: RequestState) -> dict[str, Any]:
    """The columns that show the state itself."""
    place = state.place
    team = next((task.team for task in state.open_tasks), None)
    waiting = next(iter(waits(definition, state)), None)
    return {
        "type": state.type,
        "department": definition.department,
        "area": next(iter(state.areas.values()), None),
        "team": team,
        "version": state.version,
        "status": state.status,
        "outcome": state.outcome,
        "step": state.position.step if state.position else None,
        "waiting_as": next((each.waiting_as for each in state.positions if each.waiting_as), None),
        "on_hold": state.hold is not None,
        "priority": state.priority,
        "latitude": place.latitude if place else None,
        "longitude": place.longitude if place else None,
        "address": place.address if place else None,
        "description": state.description,
        "channel": state.channel,
        "external_id": state.external_id,
        "attached_to": state.attached_to,
        "opened_at": state.opened_at,
        "closed_at": state.closed_at,
        "promised_at": promised_at(definition, state),
        "late_from": min((clock.due_at for clock in state.live_clocks if clock.due_at), default=None),
        "waits_for": waiting.kind if waiting else None,
        "waits_on": waiting.on if waiting else None,
        "waits_since": waiting.since if waiting else None,
    }


def write_details(
    session: Session, row: Mapping[str, Any], decisions: Sequence[Decision], changed: Collection[str] = ()
) -> None:
    """Write entries, tasks, clocks and effects of decisions that follow each other; the latest of each wins.

    `row` are the request's columns after the last of them, `changed` those that are others now.
    """
    request_id, scope = row["id"], {name: row[name] for name in SCOPE}
    entries: list[dict[str, Any]] = []
    effects: list[dict[str, Any]] = []
    tasks: dict[str, dict[str, Any]] = {}
    clocks: dict[str, dict[str, Any]] = {}
    for decision in decisions:
        entries += [{"request_id": request_id, **entry.columns()} for entry in decision.entries]
        effects += effect_values(request_id, decision)
        tasks |= _tasks(request_id, decision)
        clocks |= _clocks(request_id, decision, scope)
    statements.INSERT_ENTRY.run(session, entries)
    statements.UPSERT_TASK.run(session, list(tasks.values()))
    statements.UPSERT_CLOCK.run(session, list(clocks.values()))
    others = scope.keys() & changed  # what the request's other clocks have to be told
    if others == {"team"}:
        statements.TEAM_OF_LIVE_CLOCKS.run(session, {"request_id_": request_id, "team": scope["team"]})
    elif others:
        statements.SCOPE_OF_CLOCKS.run(session, {"request_id_": request_id, **scope})
    statements.INSERT_EFFECT.run(session, effects)


def _tasks(request_id: str, decision: Decision) -> dict[str, dict[str, Any]]:
    """The tasks changed, and those whose due clock was: their due instant is shown with them."""
    state, due = decision.state, ClockKind.DUE
    touched = {task.id for task in decision.tasks} | {clock.task for clock in decision.clocks if clock.kind is due}
    due_at = {clock.task: clock.due_at for clock in reversed(state.clocks.values()) if clock.kind is due}
    return {
        task.id: {
            **asdict(task),
            "request_id": request_id,
            "state": task.state.value,
            "photos": list(task.photos),
            "due_at": due_at.get(task.id),
        }
        for task in state.tasks.values()
        if task.id in touched
    }


def _clocks(request_id: str, decision: Decision, scope: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The clocks changed; `scope` is their request's."""
    return {
        clock.name: {
            **scope,
            "request_id": request_id,
            "name": clock.name,
            "kind": clock.kind.value,
            "task_id": clock.task,
            "step": clock.step,
            "state": clock.state.value,
            "live": clock.state.live,
            "budget": str(clock.budget),
            "started_at": clock.started_at,
            "due_at": clock.due_at,
            "breached_at": clock.breached_at,
            "ended_at": clock.ended_at,
            "last_rung": clock.last_rung,
            "deadline": clock.deadline,
            "stretches": to_data(clock.stretches),
        }
        for clock in decision.clocks
    }


def effect_values(request_id: str, decision: Decision) -> list[dict[str, Any]]:
    """The columns of a decision's effects, none of which has been taken yet."""
    return [
        {
            "id": effect.id,
            "request_id": request_id,
            "decision": decision.number,
            "number": number,
            "kind": effect.kind,
            "reach": effect.reach,
            "destination": effect.destination,
            "state": "pending",
            "data": effect.data,
            "attempts": 0,
            "last_error": None,
            "created_at": decision.at,
            "done_at": None,
            "result": {},
        }
        for number, effect in enumerate(decision.effects, 1)
    ]
