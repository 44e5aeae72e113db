"""The activity `call`: asks a department's own system, whose answer is the outcome of the step.

Anything but one of the step's outcomes is an error: kept on the effect's row and tried again, until the request has
left the step.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from temporalio import activity

from activities.agency import told
from fixline.catalog import Organisation
from fixline.domain.process.commands import EffectResult
from fixline.domain.process.effects import Call as Calling
from fixline.messages import EffectInput, PendingWork
from fixline.outbound.webhook import NotDelivered, Outgoing
from fixline.service.effects import Effects
from fixline.service.submissions import Locked, utc_now


class Call:
    """Takes effects of the kind `call`."""

    def __init__(
        self, effects: Effects, organisation: Organisation, outgoing: Outgoing, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._effects = effects
        self._organisation = organisation
        self._outgoing = outgoing
        self._clock = clock

    @activity.defn(name="call")
    def call(self, given: EffectInput) -> PendingWork:
        """Call the system, under the effect's id as the key."""
        return self._effects.reach(given.request_id, given.effect_ids, self._clock, self._call)

    def _call(self, effect: Calling, request: Locked) -> EffectResult:
        system = self._organisation.systems.get(effect.system)
        if system is None:
            raise NotDelivered(f"organisation.yaml has no system {effect.system!r}")
        answer = self._outgoing.post(system.url, system.secret_from, effect.id, told(effect, request))
        return EffectResult(
            effect=effect.id,
            effect_kind=effect.kind,
            told=system.key,
            step=effect.step,
            visit=effect.visit,
            outcome=outcome_of(answer, effect.outcomes),
        )


def outcome_of(answer: bytes, outcomes: list[str]) -> str:
    """The outcome that an answer names. Raises NotDelivered for anything else, without repeating it."""
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        raise NotDelivered("the answer is not JSON") from None
    outcome = found.get("outcome") if isinstance(found, dict) else None
    if outcome not in outcomes:
        raise NotDelivered(f"the answer's outcome is none of {', '.join(outcomes)}")
    return str(outcome)
