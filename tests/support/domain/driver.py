"""One request driven through `advance`, command by command, with everything that came of it kept.

Owns the shorthand in which the domain's tests speak to a request.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from fixline.domain.definition.model import Definition
from fixline.domain.journal.entry import Entry
from fixline.domain.journal.state import Clock, RequestState, Task
from fixline.domain.process.advance import advance
from fixline.domain.process.commands import COMMAND, Actor, Command
from fixline.domain.process.decision import Decision, Refusal
from fixline.domain.process.effects import Effect
from tests.support.domain.samples import ADMIN, SERVICE

PLACE = {"address": "1 Main Street"}


def command(kind: str, **body: Any) -> Command:
    """A command from its kind and body, as it is read from its row."""
    return COMMAND.validate_python({"kind": kind, **body})


class Driven:
    """A request and its journal; `give` says what comes of a command, `do` expects a decision, `no` a refusal."""

    def __init__(self, definition: Definition, request_id: str = "R-1") -> None:
        self.definition = definition
        self.id = request_id
        self.targets: dict[str, Definition] = {}  # the definitions that commands may lead to, by version
        self.journal: list[Entry] = []
        self.effects: list[Effect] = []
        self.next_at: dt.datetime | None = None
        self._state: RequestState | None = None

    @classmethod
    def opened(cls, definition: Definition, now: dt.datetime, **body: Any) -> Driven:
        """A request that has just been opened, in the simplest way that its intake allows."""
        request = cls(definition)
        request.open(now, **body)
        return request

    def open(self, now: dt.datetime, **body: Any) -> Decision:
        """Open it."""
        given = {"place": PLACE, "answers": {"lane": "curb"}} if self.definition.type == "pothole" else {}
        return self.do("open", now, SERVICE, **{"type": self.definition.type, "version": "v1", **given, **body})

    def give(
        self, what: Command, now: dt.datetime, actor: Actor = ADMIN, *, catch_up: bool = True
    ) -> Decision | Refusal:
        """Decide one command and keep what came of it."""
        target = self.targets.get(getattr(what, "version", ""))
        result = advance(
            self.definition,
            self._state,
            what,
            now,
            catch_up=catch_up,
            actor=actor,
            request_id=self.id,
            target=target,
        )
        if isinstance(result, Decision):
            self.definition = self.targets.get(result.state.version, self.definition)
            self._state = result.state
            self.journal += result.entries
            self.effects += result.effects
            self.next_at = result.next_at
        return result

    def do(self, kind: str, now: dt.datetime, actor: Actor = ADMIN, *, catch_up: bool = True, **body: Any) -> Decision:
        """A command that must lead to a decision."""
        result = self.give(command(kind, **body), now, actor, catch_up=catch_up)
        assert isinstance(result, Decision), result
        return result

    def no(self, kind: str, now: dt.datetime, actor: Actor = ADMIN, **body: Any) -> Refusal:
        """A command that must be refused."""
        result = self.give(command(kind, **body), now, actor)
        assert isinstance(result, Refusal), [entry.text for entry in result.entries]
        return result

    @property
    def state(self) -> RequestState:
        """The state after the last decision."""
        assert self._state is not None
        return self._state

    @property
    def task(self) -> Task:
        """The one open task."""
        (task,) = self.state.open_tasks
        return task

    def clock(self, name: str = "resolve") -> Clock:
        """A clock by its name."""
        return self.state.clocks[name]

    def due(self, name: str = "resolve") -> dt.datetime | None:
        """When a clock is due."""
        return self.state.clocks[name].due_at

    def entries(self, *kinds: str) -> list[Entry]:
        """The journal's entries of these kinds."""
        return [entry for entry in self.journal if entry.kind in kinds]

    def rungs(self, name: str = "resolve") -> list[tuple[str, int, dt.datetime, bool]]:
        """The firings of a clock's rungs: which, the how-manieth time, when it fell due, whether late."""
        return [
            (e.data["last_rung"], e.data["time"], dt.datetime.fromisoformat(e.data["at"]), e.data["late"])
            for e in self.entries("rung_fired")
            if e.data["clock"] == name
        ]

    def told(self) -> list[str]:
        """The roles that escalations tell, in order."""
        return [effect.data["role"] for effect in self.effects if effect.kind == "escalate"]
