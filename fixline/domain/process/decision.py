"""A decision in the making and made, or a refusal: what `advance` answers with.

Every rule module writes through the builder's `record`; nothing else changes a state.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from fixline.domain.definition.vocabulary import REPORTER, NotifyEvent
from fixline.domain.journal.entry import Entry, evolve
from fixline.domain.journal.facts import Fact
from fixline.domain.journal.state import Clock, RequestState, Task
from fixline.domain.process.commands import Actor, Command
from fixline.domain.process.effects import Effect, Notify, TellRequest
from fixline.domain.records import Record, change
from fixline.errors import FixlineError

if TYPE_CHECKING:
    from fixline.domain.definition.model import Definition


class Decision(Record, frozen=True):
    """A decision, in full: the new state, the entries that led to it, what changed, what it causes.

    `tasks` and `clocks` are those that the decision made or changed. `next_at` (aware UTC) is the next
    instant at which something falls due by itself, None when nothing does.
    """

    number: int
    at: datetime
    state: RequestState
    entries: tuple[Entry, ...]
    tasks: tuple[Task, ...]
    clocks: tuple[Clock, ...]
    effects: tuple[Effect, ...]
    next_at: datetime | None


class FieldProblem(BaseModel, frozen=True):
    """One field that a form or a set of answers got wrong."""

    field: str
    code: str
    message: str


class Refusal(BaseModel, frozen=True):
    """Why the rules do not allow a command; it changes nothing. `code` is stable, `message` for people."""

    code: str
    message: str
    fields: tuple[FieldProblem, ...] = ()
    data: dict[str, Any] = Field(default_factory=dict)


class Refused(FixlineError):
    """Carries a refusal out of the rules; `advance` catches it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def refuse(code: str, message: str, *, fields: tuple[FieldProblem, ...] = (), **data: Any) -> Refused:
    """A refusal to raise."""
    return Refused(Refusal(code=code, message=message, fields=fields, data=data))


class DecisionBuilder:
    """Collects one decision. `state` is always the state after the last recorded entry."""

    def __init__(
        self, definition: Definition, state: RequestState | None, actor: Actor, now: datetime, request_id: str
    ) -> None:
        self.definition = definition
        self.calendar = definition.calendar
        self.target: Definition | None = None  # the definition that a command leads to
        self.actor = actor
        self.now = now if state is None else max(now, state.decided_at)
        self.request_id = request_id
        self.number = 1 if state is None else state.decision + 1
        self._before = state
        self._state = state
        self.entries: list[Entry] = []
        self._effects: list[Effect] = []
        self._told: set[NotifyEvent] = set()

    @property
    def state(self) -> RequestState:
        """The state so far. Only an open command begins without one."""
        if self._state is None:
            raise LookupError("the request has not been opened")
        return self._state

    def adopt(self, definition: Definition) -> None:
        """Go on by another definition."""
        self.definition, self.calendar = definition, definition.calendar

    def record(self, fact: Fact, text: str, *, actor: Actor | None = None) -> None:
        """Add a journal entry, by the command's actor or by `actor`; the state follows at once."""
        seq, who = (self._state.seq if self._state else 0) + 1, (actor or self.actor).name
        entry = Entry(seq, self.number, self.now, who, text, fact)
        self._state = evolve(self._state, entry)
        self.entries.append(entry)

    def cause(self, effect: Effect) -> None:
        """Add an effect; its id is request:decision:n."""
        self._effects.append(change(effect, id=f"{self.request_id}:{self.number}:{len(self._effects) + 1}"))

    def tell(self, request_id: str, command: Command) -> None:
        """Give another request a command; what is told to one request arrives in that order."""
        self.cause(TellRequest(to=request_id, command=command))

    def notify(self, event: NotifyEvent, *, step: str | None = None, outcome: str | None = None) -> None:
        """Tell the reporter, once per event and decision, if the department does and there is anybody to tell."""
        if event not in self.definition.notify or not self.state.has_contact or event in self._told:
            return
        self._told.add(event)
        self.cause(Notify(event=event, audience=REPORTER, step=step, outcome=outcome))

    def finish(self, next_at: datetime | None) -> Decision:
        """The decision, with the tasks and clocks that are not as they were before."""
        state, before = self.state, self._before
        had, ran = (before.tasks, before.clocks) if before else ({}, {})
        tasks = tuple(task for name, task in state.tasks.items() if had.get(name) is not task)
        clocks = tuple(clock for name, clock in state.clocks.items() if ran.get(name) is not clock)
        entries, effects = tuple(self.entries), tuple(self._effects)
        return Decision(self.number, self.now, state, entries, tasks, clocks, effects, next_at)
