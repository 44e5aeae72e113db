"""Several requests that tell each other things, as the store has them do: exactly once, in order from one to another.

Owns a type whose requests look for duplicates, and the delivery of `tell_request` effects between driven requests, in
any order that the store could bring about.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from typing import Any

from fixline.domain.definition.model import Definition
from fixline.domain.process.commands import COMMAND, SYSTEM
from fixline.domain.process.decision import Decision, Refusal
from tests.support.domain.driver import Driven, command
from tests.support.domain.samples import ADMIN, simple

RULES = {"within_m": 30, "opened_in_last": "30 calendar days", "then": "attach"}
STEPS = {
    "work": {
        "kind": "task",
        "title": "Do it",
        "team": "crew",
        "due": "1 working day",
        "claim_within": "2 working hours",
        "then": {"done": "fixed", "nothing": "nothing_found", "again": "work", "same": "known"},
    },
    "fixed": {"kind": "close", "outcome": "fixed"},
    "nothing_found": {"kind": "close", "outcome": "no_problem_found"},
    "known": {"kind": "close", "outcome": "duplicate"},
}
RESOLVE = {
    "met_by": "closed",
    "within": {"otherwise": "5 working days"},
    "paused_while": ["on_hold"],
    "escalate": [{"at_percent": 50, "tell": "boss"}, {"at_due": True, "tell": "boss"}],
}


def holes(**rules: Any) -> Definition:
    """A type that looks for duplicates."""
    return simple(
        reopen={"by": ["reporter", "supervisor"], "within": "9 calendar days", "at": "work"},
        intake={"location": "optional", "duplicates": {**RULES, **rules}},
        deadlines={"resolve": RESOLVE},
        steps=STEPS,
        cancel={"reporter": "always", "supervisor": "always"},
        notify=["received", "closed", "reopened"],
    )


def notices(request: Driven) -> list[str]:
    """What the reporter is told about."""
    return [effect.data["event"] for effect in request.effects if effect.kind == "notify"]


def assert_at_rest(request: Driven) -> None:
    """Nobody works on it and nothing of it comes due."""
    assert not request.state.closed
    assert request.state.position is None
    assert not request.state.open_tasks
    assert not request.state.live_clocks
    assert request.next_at is None


class Town:
    """Requests by id, R-1, R-2 ..., opened one minute after the other; `now` is when everything happens."""

    def __init__(self, definition: Definition, now: dt.datetime) -> None:
        self.definition = definition
        self.now = now
        self.requests: dict[str, Driven] = {}
        self.told: dict[tuple[str, str], deque[dict[str, Any]]] = {}
        self._seen: dict[str, int] = {}

    def __getitem__(self, number: int) -> Driven:
        """The request of that number."""
        return self.requests[f"R-{number}"]

    def open(self, **body: Any) -> Driven:
        """One more request."""
        self.now += dt.timedelta(minutes=1)
        request = Driven(self.definition, f"R-{len(self.requests) + 1}")
        self.requests[request.id] = request
        request.open(self.now, **{"has_contact": True, **body})
        self._collect(request)
        return request

    def original(self, number: int) -> dict[str, Any]:
        """What the door finds out about a request to which another is to be attached."""
        state = self[number].state
        return {"id": state.id, "opened_at": state.opened_at}

    def give(self, number: int, kind: str, **body: Any) -> Decision | Refusal:
        """A command, and what it leads to."""
        request = self[number]
        result = request.give(command(kind, **body), self.now, ADMIN)
        self._collect(request)
        return result

    def do(self, number: int, kind: str, **body: Any) -> None:
        """A command that leads to a decision; then everybody is told."""
        result = self.give(number, kind, **body)
        assert isinstance(result, Decision), result
        self.tell_all()

    def attach(self, number: int, to: int) -> None:
        """A supervisor attaches one to another."""
        self.do(number, "attach", to=self.original(to), reason="the same")

    def close(self, number: int, outcome: str = "done") -> None:
        """The one open task is completed."""
        self.do(number, "complete", task=self[number].task.id, outcome=outcome)

    def tell(self, which: int) -> bool:
        """One command arrives, the first between two requests; False when nothing is under way."""
        waiting = [pair for pair, commands in self.told.items() if commands]
        if not waiting:
            return False
        pair = waiting[which % len(waiting)]
        request = self.requests[pair[1]]
        request.give(COMMAND.validate_python(self.told[pair].popleft()), self.now, SYSTEM)
        self._collect(request)
        return True

    def tell_all(self) -> None:
        """Until nothing is under way."""
        while self.tell(0):
            pass

    def _collect(self, request: Driven) -> None:
        seen = self._seen.get(request.id, 0)
        for effect in request.effects[seen:]:
            if effect.kind == "tell_request":
                self.told.setdefault((request.id, effect.data["to"]), deque()).append(effect.data["command"])
        self._seen[request.id] = len(request.effects)
