"""From a decision to rows: what is written for lists, pages and supervisors beside the state itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from msgspec.structs import asdict
from sqlmodel import Session

from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import Clock, ClockKind, RequestState, Task
from fixline.domain.process.decision import Decision
from fixline.domain.process.effects import Effect
from fixline.domain.process.waiting import happened_at, waits
from fixline.domain.records import to_data, to_text
from fixline.store import statements


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
    definition: Definition, before: RequestState, decision: Decision, *, followed: Definition
) -> dict[str, Any]:
    """The columns that a decision changes: an UPDATE writes the index of every column that it names.

    `followed` is the definition that the request followed before; it is another after a move.
    """
    shown, values = _shown(followed, before), request_values(definition, decision)
    return {name: value for name, value in values.items() if name not in shown or shown[name] != value}


def acted_at(decisions: Iterable[Decision]) -> dict[str, Any]:
    """The column that says when something last happened, where one of these decisions is such a thing."""
    found = [at for at in map(happened_at, decisions) if at is not None]
    return {"acted_at": found[-1]} if found else {}


def _shown(definition: Definition, state: RequestState) -> dict[str, Any]:
    """The columns that show the state itself."""
    place = state.place
    waiting = next(iter(waits(definition, state)), None)
    return {
        **_scope(definition, state),
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


def _scope(definition: Definition, state: RequestState) -> dict[str, str | None]:
    """What supervisors narrow their lists to; a clock has it from its request."""
    teams = [task.team for task in state.open_tasks]
    return {
        "type": state.type,
        "department": definition.department,
        "area": next(iter(state.areas.values()), None),
        "team": teams[0] if teams else None,
    }


def task_values(request_id: str, task: Task, state: RequestState) -> dict[str, Any]:
    """The columns of a task; its due instant is its clock's."""
    clocks = [c for c in state.clocks.values() if c.task == task.id and c.kind is ClockKind.DUE]
    return {
        **asdict(task),
        "request_id": request_id,
        "state": task.state.value,
        "photos": list(task.photos),
        "due_at": clocks[0].due_at if clocks else None,
    }


def clock_values(request_id: str, clock: Clock, scope: dict[str, str | None]) -> dict[str, Any]:
    """The columns of a clock; `scope` are those of its request."""
    return {
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


def effect_values(request_id: str, decision: Decision, number: int, effect: Effect) -> dict[str, Any]:
    """The columns of an effect that has not been taken yet."""
    return {
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


def write_details(
    session: Session,
    request_id: str,
    decisions: Sequence[Decision],
    definition: Definition,
    changed: Collection[str] = (),
) -> None:
    """Write entries, tasks, clocks and effects of decisions that follow each other; the latest of each wins.

    `definition` is the one that the last of them follows, `changed` the request's columns that are others now.
    """
    scope = _scope(definition, decisions[-1].state)
    entries: list[dict[str, Any]] = []
    effects: list[dict[str, Any]] = []
    tasks: dict[str, dict[str, Any]] = {}
    clocks: dict[str, dict[str, Any]] = {}
    for decision in decisions:
        entries += [{"request_id": request_id, **entry.columns()} for entry in decision.entries]
        effects += [effect_values(request_id, decision, n, effect) for n, effect in enumerate(decision.effects, 1)]
        tasks |= {task.id: task_values(request_id, task, decision.state) for task in _touched(decision)}
        clocks |= {clock.name: clock_values(request_id, clock, scope) for clock in decision.clocks}
    statements.INSERT_ENTRY.run(session, entries)
    statements.UPSERT_TASK.run(session, list(tasks.values()))
    statements.UPSERT_CLOCK.run(session, list(clocks.values()))
    _rescope(session, request_id, scope, changed)
    statements.INSERT_EFFECT.run(session, effects)


def _rescope(session: Session, request_id: str, scope: dict[str, str | None], changed: Collection[str]) -> None:
    """Tell the request's other clocks what it is now."""
    if not changed or scope.keys().isdisjoint(changed):
        return
    if changed & scope.keys() == {"team"}:
        statements.TEAM_OF_LIVE_CLOCKS.run(session, {"request_id_": request_id, "team": scope["team"]})
    else:
        statements.SCOPE_OF_CLOCKS.run(session, {"request_id_": request_id, **scope})


def _touched(decision: Decision) -> list[Task]:
    """The tasks changed, and those whose due clock was: their due instant is shown with them."""
    with_clock = {clock.task for clock in decision.clocks if clock.kind is ClockKind.DUE}
    changed = {task.id for task in decision.tasks}
    return [t for t in decision.state.tasks.values() if t.id in changed or t.id in with_clock]
