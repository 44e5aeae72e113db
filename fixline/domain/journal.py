"""The journal: what happened to a request, entry by entry, and the state that follows from it.

Owns `Entry` and `evolve`. Every change of a state is one entry, and `evolve` is the only function that
makes a state anew; so the journal alone rebuilds the state (`rebuild`). It decides nothing: what an entry
says was decided by `fixline.domain.advance` and is recorded in full, instants included. Entries keep
their meaning for ever; a new meaning is a new kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from fixline.domain.commands import Place
from fixline.domain.making import as_json, changed, made, reread
from fixline.domain.state import Child, Clock, ClockKind, HoldRecord, Position, RequestState, Task, Visit
from fixline.domain.steps import CloseOutcome


class Entry:
    """One journal entry: `seq` counts 1, 2, 3 ... per request, `decision` says which decision it is part of.

    `at` is aware UTC; `text` is for people, `data` (JSON) is what the state is rebuilt from. While an entry is being
    decided, `facts` are the same as the rules have them, instants and enumerations included, and are `fresh`: their
    types are right. The facts of an entry read from the store are its data.
    """

    __slots__ = ("_data", "actor", "at", "decision", "facts", "fresh", "kind", "seq", "text")

    def __init__(
        self,
        seq: int,
        decision: int,
        at: datetime,
        actor: str,
        kind: str,
        text: str,
        data: dict[str, Any],
        *,
        fresh: bool = False,
    ) -> None:
        self.seq = seq
        self.decision = decision
        self.at = at
        self.actor = actor
        self.kind = kind
        self.text = text
        self.facts = data
        self.fresh = fresh
        self._data = None if fresh else data

    @property
    def data(self) -> dict[str, Any]:
        """The facts as JSON."""
        if self._data is None:
            self._data = as_json(self.facts)
        return self._data

    def columns(self) -> dict[str, Any]:
        """The entry as it is stored; an `Entry` of the same is this one again."""
        names = ("seq", "decision", "at", "actor", "kind", "text", "data")
        return {name: getattr(self, name) for name in names}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and self.columns() == other.columns()

    __hash__ = None  # type: ignore[assignment] # its data can change hands, and has no hash

    def __repr__(self) -> str:
        return f"Entry({self.columns()})"


R = TypeVar("R", Task, Clock, Position)
_POSITION = frozenset(Position.model_fields)


def _whole(type_: type[R], entry: Entry) -> R:
    """The record that an entry describes in full."""
    return made(type_, entry.facts) if entry.fresh else type_.model_validate(entry.facts)


def _changed(record: R, entry: Entry) -> R:
    """The record with the fields that an entry names; what else the entry says is for readers."""
    if not entry.fresh:
        return reread(record, entry.facts)
    known = record.__dict__
    return changed(record, {name: value for name, value in entry.facts.items() if name in known})


def _step_entered(state: RequestState, entry: Entry) -> dict[str, Any]:
    position = Position(entered_at=entry.at, **{k: v for k, v in entry.facts.items() if k in _POSITION})
    visits = {"visits": {**state.visits, position.step: position.visit}}
    return {**_placed(state, entry.facts.get("branch"), position), **visits}


def _placed(state: RequestState, branch: str | None, position: Position) -> dict[str, Any]:
    if branch is None:
        return {"position": position}
    return {"branches": {**state.branches, branch: position}}


def _step_left(state: RequestState, entry: Entry) -> dict[str, Any]:
    branch = entry.facts.get("branch")
    position = state.branches.get(branch) if branch else state.position
    if position is None:
        return {}
    visit = Visit(
        step=position.step,
        visit=position.visit,
        entered_at=position.entered_at,
        left_at=entry.at,
        outcome=entry.facts.get("outcome"),
        branch=branch,
    )
    taken = {"taken": (*state.taken, visit)}
    if branch is None:
        return {"position": None, "branches": {}, "joined": (), **taken}
    return {"branches": {name: each for name, each in state.branches.items() if name != branch}, **taken}


def _branch_joined(state: RequestState, entry: Entry) -> dict[str, Any]:
    return {"joined": (*state.joined, entry.facts["branch"])}


def _wait_moved(state: RequestState, entry: Entry) -> dict[str, Any]:
    branch = entry.facts.get("branch")
    position = state.branches.get(branch) if branch else state.position
    return {} if position is None else _placed(state, branch, _changed(position, entry))


def _task_offered(state: RequestState, entry: Entry) -> dict[str, Any]:
    task = _whole(Task, entry)
    return {"tasks": {**state.tasks, task.id: task}, "tasks_made": state.tasks_made + 1}


def _task_changed(state: RequestState, entry: Entry) -> dict[str, Any]:
    task = _changed(state.tasks[entry.facts["task"]], entry)
    return {"tasks": {**state.tasks, task.id: task}}


def _clock_started(state: RequestState, entry: Entry) -> dict[str, Any]:
    clock = _whole(Clock, entry)
    return {"clocks": {**state.clocks, clock.name: clock}}


def _clock_changed(state: RequestState, entry: Entry) -> dict[str, Any]:
    clock = _changed(state.clocks[entry.facts["clock"]], entry)
    return {"clocks": {**state.clocks, clock.name: clock}}


def _answers_changed(state: RequestState, entry: Entry) -> dict[str, Any]:
    return {"answers": {**state.answers, **entry.facts["answers"]}}


def _place_changed(_state: RequestState, entry: Entry) -> dict[str, Any]:
    return {"place": Place.model_validate(entry.facts["place"]), "areas": entry.facts["areas"]}


def _description_changed(_state: RequestState, entry: Entry) -> dict[str, Any]:
    return {"description": entry.facts["description"]}


def _priority_changed(_state: RequestState, entry: Entry) -> dict[str, Any]:
    return {name: entry.facts[name] for name in ("priority", "floor") if name in entry.facts}


def _held(_state: RequestState, entry: Entry) -> dict[str, Any]:
    return {
        "hold": HoldRecord(since=entry.at, by=entry.actor, reason=entry.facts["reason"], code=entry.facts.get("code"))
    }


def _resumed(_state: RequestState, _entry: Entry) -> dict[str, Any]:
    return {"hold": None}


def _closed(_state: RequestState, entry: Entry) -> dict[str, Any]:
    return {
        "status": "closed",
        "outcome": CloseOutcome(entry.facts["outcome"]),
        "closed_at": entry.facts["closed_at"],
        "hold": None,
    }


def _reopened(state: RequestState, entry: Entry) -> dict[str, Any]:
    return {
        "status": "open",
        "outcome": None,
        "closed_at": None,
        "reopened": state.reopened + 1,
        "reopened_at": entry.at,
        "visits": {},
        "former_clocks": _deadlines_so_far(state),
        "attached_to": entry.facts.get("attached_to"),
    }


def _deadlines_so_far(state: RequestState) -> tuple[str, ...]:
    return tuple(clock.name for clock in state.clocks.values() if clock.kind is ClockKind.DEADLINE)


def _recategorised(state: RequestState, entry: Entry) -> dict[str, Any]:
    fresh = {name: entry.facts[name] for name in ("type", "version", "answers", "priority")}
    return {**fresh, "visits": {}, "former_clocks": _deadlines_so_far(state)}


def _moved(_state: RequestState, entry: Entry) -> dict[str, Any]:
    found = entry.facts["position"]
    return {
        "version": entry.facts["version"],
        "visits": entry.facts["visits"],
        "position": None if found is None else Position.model_validate(found),
        "branches": {name: Position.model_validate(each) for name, each in entry.facts["branches"].items()},
    }


def _follow_on_opened(state: RequestState, entry: Entry) -> dict[str, Any]:
    known = {name: value for name, value in entry.facts.items() if name in Child.model_fields}
    return {"children": {**state.children, entry.facts["child"]: Child.model_validate(known)}}


def _follow_on_closed(state: RequestState, entry: Entry) -> dict[str, Any]:
    return _child_changed(state, entry, status="closed", outcome=entry.facts["outcome"])


def _follow_on_reopened(state: RequestState, entry: Entry) -> dict[str, Any]:
    return _child_changed(state, entry, status="open", outcome=None)


def _child_changed(state: RequestState, entry: Entry, **changes: Any) -> dict[str, Any]:
    child = reread(state.children[entry.facts["child"]], changes)
    return {"children": {**state.children, entry.facts["child"]: child}}


def _attached(_state: RequestState, entry: Entry) -> dict[str, Any]:
    return {"attached_to": entry.facts["to"], "attached": (), "hold": None}


def _reattached(_state: RequestState, entry: Entry) -> dict[str, Any]:
    return {"attached_to": entry.facts["to"]}


def _detached(state: RequestState, entry: Entry) -> dict[str, Any]:
    return {"attached_to": None, "detached_at": entry.at, "former_clocks": _deadlines_so_far(state)}


def _duplicate_attached(state: RequestState, entry: Entry) -> dict[str, Any]:
    return {"attached": (*state.attached, entry.facts["duplicate"])}


def _duplicate_detached(state: RequestState, entry: Entry) -> dict[str, Any]:
    return {"attached": tuple(each for each in state.attached if each != entry.facts["duplicate"])}


def _nothing(_state: RequestState, _entry: Entry) -> dict[str, Any]:
    return {}


_EVOLVE: dict[str, Callable[[RequestState, Entry], dict[str, Any]]] = {
    "step_entered": _step_entered,
    "step_left": _step_left,
    "branch_joined": _branch_joined,
    "wait_moved": _wait_moved,
    "task_offered": _task_offered,
    "task_claimed": _task_changed,
    "task_started": _task_changed,
    "task_released": _task_changed,
    "task_declined": _task_changed,
    "task_completed": _task_changed,
    "task_withdrawn": _task_changed,
    "task_reassigned": _task_changed,
    "clock_started": _clock_started,
    "clock_paused": _clock_changed,
    "clock_resumed": _clock_changed,
    "clock_rebudgeted": _clock_changed,
    "clock_breached": _clock_changed,
    "clock_met": _clock_changed,
    "clock_ended": _clock_changed,
    "rung_fired": _clock_changed,
    "rungs_passed": _clock_changed,
    "answers_changed": _answers_changed,
    "place_changed": _place_changed,
    "description_changed": _description_changed,
    "priority_changed": _priority_changed,
    "held": _held,
    "resumed": _resumed,
    "closed": _closed,
    "reopened": _reopened,
    "recategorised": _recategorised,
    "moved": _moved,
    "task_moved": _task_changed,
    "clock_moved": _clock_changed,
    "attached": _attached,
    "reattached": _reattached,
    "detached": _detached,
    "duplicate_attached": _duplicate_attached,
    "duplicate_detached": _duplicate_detached,
    "duplicate_sent_on": _nothing,
    "original_closed": _nothing,
    "commented": _nothing,
    "signal_received": _nothing,
    "condition_undecided": _nothing,
    "sent_back": _nothing,
    "follow_on_opened": _follow_on_opened,
    "follow_on_closed": _follow_on_closed,
    "follow_on_reopened": _follow_on_reopened,
    "follow_on_failed": _nothing,
    "parent_left": _nothing,
    "related_commented": _nothing,
    "agency_asked": _nothing,
    "agency_replied": _nothing,
    "late_reply": _nothing,
    "call_answered": _nothing,
    "wait_undated": _nothing,
    "visits_warned": _nothing,
    "told": _nothing,
    "notified": _nothing,
}

KINDS: tuple[str, ...] = ("opened", *_EVOLVE)
"""Every kind of journal entry."""


def _opened(entry: Entry) -> RequestState:
    return RequestState.model_validate(
        {**entry.facts, "decision": entry.decision, "seq": entry.seq, "decided_at": entry.at}
    )


def _begin_decision(state: RequestState) -> RequestState:
    """A new decision leaves behind the tasks that earlier ones finished, and those tasks' clocks."""
    tasks = {task.id: task for task in state.open_tasks}
    clocks = {
        name: clock
        for name, clock in state.clocks.items()
        if clock.task is None or clock.task in tasks or clock.state.live
    }
    if len(tasks) == len(state.tasks) and len(clocks) == len(state.clocks):
        return state
    return changed(state, {"tasks": tasks, "clocks": clocks})


def evolve(state: RequestState | None, entry: Entry) -> RequestState:
    """The state after one entry. Raises KeyError for a kind it does not know, ValidationError for data that
    does not fit: both mean that the journal was not written by `advance`."""
    if entry.kind == "opened":
        return _opened(entry)
    if state is None:
        raise KeyError(f"the journal begins with {entry.kind!r}, not with 'opened'")
    if entry.decision != state.decision:
        state = _begin_decision(state)
    changes = {
        **_EVOLVE[entry.kind](state, entry),
        "decision": entry.decision,
        "seq": entry.seq,
        "decided_at": entry.at,
    }
    if entry.fresh or _READ_AGAIN.isdisjoint(changes):
        return changed(state, changes)
    return RequestState.model_validate({**state.__dict__, **changes})


_READ_AGAIN = frozenset({"priority", "floor", "closed_at"})
"""Values that are text in JSON."""


def rebuild(entries: Iterable[Entry]) -> RequestState:
    """The state that a request's whole journal leads to. Raises ValueError for an empty journal."""
    state: RequestState | None = None
    for entry in entries:
        state = evolve(state, entry)
    if state is None:
        raise ValueError("an empty journal has no state")
    return state
