"""The journal: what happened to a request, entry by entry, and the state that follows from it.

Every change of a state is one entry, and `evolve` is the only function that makes a state anew; so the journal alone
rebuilds the state (`rebuild`). What an entry says was decided by `fixline.domain.process` and is recorded in full.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from fixline.domain.journal import clock_facts, step_facts  # noqa: F401 - all kinds
from fixline.domain.journal.facts import Fact, Opened
from fixline.domain.journal.state import RequestState
from fixline.domain.records import Record, change

FACTS: dict[str, type[Fact]] = Fact.kinds
"""The class of each kind of journal entry."""


class Entry(Record, frozen=True):
    """One journal entry: `seq` counts 1, 2, 3 ... per request, `decision` says which decision it is part of.

    `at` is aware UTC; `text` is for people, `fact` is what the state is rebuilt from.
    """

    seq: int
    decision: int
    at: datetime
    actor: str
    text: str
    fact: Fact

    @property
    def kind(self) -> str:
        """The kind of what it says."""
        return self.fact.kind

    @property
    def data(self) -> dict[str, Any]:
        """What it says, as JSON."""
        return self.fact.data()

    def columns(self) -> dict[str, Any]:
        """The entry as it is stored; `read_entry` of the same is this one again."""
        said = {"kind": self.kind, "text": self.text, "data": self.data}
        return {"seq": self.seq, "decision": self.decision, "at": self.at, "actor": self.actor, **said}


def read_entry(seq: int, decision: int, at: datetime, actor: str, kind: str, text: str, data: dict[str, Any]) -> Entry:
    """A stored entry. Raises KeyError for a kind that nobody knows, msgspec.ValidationError for data that does not
    fit it: both mean that the journal was not written by `advance`."""
    return Entry(seq, decision, at, actor, text, FACTS[kind].read(data))


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
    return change(state, tasks=tasks, clocks=clocks)


def evolve(state: RequestState | None, entry: Entry) -> RequestState:
    """The state after one entry. Raises KeyError for a journal that does not begin with the opening."""
    fact = entry.fact
    if isinstance(fact, Opened):
        return fact.state(entry.decision, entry.seq, entry.at)
    if state is None:
        raise KeyError(f"the journal begins with {entry.kind!r}, not with 'opened'")
    if entry.decision != state.decision:
        state = _begin_decision(state)
    changes = fact.changes(state, entry.at, entry.actor)
    return change(state, **changes, decision=entry.decision, seq=entry.seq, decided_at=entry.at)


def rebuild(entries: Iterable[Entry]) -> RequestState:
    """The state that a request's whole journal leads to. Raises ValueError for an empty journal."""
    state: RequestState | None = None
    for entry in entries:
        state = evolve(state, entry)
    if state is None:
        raise ValueError("an empty journal has no state")
    return state
