"""What `advance` answers with: a decision, or a refusal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from fixline.domain.journal.entry import Entry
from fixline.domain.journal.state import Clock, RequestState, Task
from fixline.domain.process.effects import Effect
from fixline.domain.records import Record
from fixline.errors import FixlineError


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


class FieldProblem(BaseModel):
    """One field that a form or a set of answers got wrong."""

    model_config = ConfigDict(frozen=True)

    field: str
    code: str
    message: str


class Refusal(BaseModel):
    """Why the rules do not allow a command; it changes nothing. `code` is stable, `message` for people."""

    model_config = ConfigDict(frozen=True)

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
