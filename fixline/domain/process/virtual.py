"""One request in virtual time: the same `advance`, driven by a clock that jumps.

A tick at each next instant before a command, then the command, as the store and the timer do in the real world. It
takes no effect: whoever drives it looks at a decision's effects and answers with commands. Instants are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import RequestState
from fixline.domain.process.advance import advance, next_instant
from fixline.domain.process.commands import SYSTEM, Actor, Command, EffectResult, Tick
from fixline.domain.process.decision import Decision, Refusal
from fixline.domain.process.effects import OpenFollowOn
from fixline.errors import FixlineError

MOST_TICKS = 10_000
"""How many ticks one stretch of time may take: more is a definition that never rests."""


def follow_on_results(decision: Decision) -> list[EffectResult]:
    """What the store would report of the follow-ons that a decision asks for: opened, each with an id of its own."""
    return [each.reported(f"{each.id}:child") for each in decision.effects if isinstance(each, OpenFollowOn)]


class NeverRests(FixlineError, RuntimeError):
    """Something falls due again and again without an end."""


@dataclass(slots=True, eq=False)
class VirtualRequest:
    """A request that lives in memory. `state` is None until an open command has been decided."""

    definition: Definition
    id: str
    state: RequestState | None = field(default=None, init=False)
    next_at: datetime | None = field(default=None, init=False)

    def give(
        self, command: Command, at: datetime, actor: Actor, target: Definition | None = None
    ) -> Decision | Refusal:
        """Decide one command at an instant, as the store does: what was due before then happens in it. `target` is the
        definition that a command to recategorise or to move leads to."""
        due = self.next_at is not None and self.next_at <= at  # nothing to catch up with is not looked for
        result = advance(
            self.definition, self.state, command, at, actor=actor, request_id=self.id, catch_up=due, target=target
        )
        if isinstance(result, Decision):
            self.state, self.next_at = result.state, result.next_at
            self.definition = target or self.definition
        return result

    def tick(self, at: datetime) -> Decision | None:
        """The timer fires; None when nothing was due after all. LookupError before the request is open."""
        result = self.give(Tick(), at, SYSTEM)
        if isinstance(result, Decision):
            return result
        if self.state is None:
            raise LookupError("the request has not been opened")
        self.next_at = next_instant(self.definition, self.state)
        return None

    def run_until(self, until: datetime, *, through: bool = True) -> list[Decision]:
        """Let time pass up to an instant; with `through`, what is due at that very instant happens, too.

        Raises NeverRests after MOST_TICKS.
        """
        decisions: list[Decision] = []
        for _ in range(MOST_TICKS):
            if self.next_at is None or self.next_at > until or (self.next_at == until and not through):
                return decisions
            decision = self.tick(self.next_at)
            if decision is not None:
                decisions.append(decision)
        raise NeverRests(f"{self.id} ({self.definition.type}) does not rest at {self.next_at}")
