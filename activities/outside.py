"""The activities `ask_agency` and `call`: somebody outside, or a department's own system, is asked to do a step.

What was not taken is kept on the effect's row and tried again, alone, as long as the request waits for it; it never
counts as sent. Of a system anything but one of the step's outcomes is such an error.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from temporalio import activity

from fixline.catalog import Organisation
from fixline.domain.process import effects as kinds
from fixline.domain.process.commands import EffectResult
from fixline.domain.records import to_data
from fixline.messages import EffectInput, PendingWork
from fixline.outbound import Channel, NotDelivered, Notice, Outgoing
from fixline.service.effects import Effects
from fixline.service.submissions import Locked


@dataclass(frozen=True)
class Outside:
    """Asks others, under the effect's id as the key: by a signed message, or through `channel` if by e-mail."""

    effects: Effects
    organisation: Organisation
    channel: Channel
    outgoing: Outgoing

    @activity.defn(name="ask_agency")
    def ask_agency(self, given: EffectInput) -> PendingWork:
        """Ask an outside party; its reply comes later."""
        return self.effects.reach(given, self._ask)

    @activity.defn(name="call")
    def call(self, given: EffectInput) -> PendingWork:
        """Call a department's own system, whose answer is the outcome of the step."""
        return self.effects.reach(given, self._call)

    def _ask(self, effect: kinds.AskAgency, request: Locked) -> EffectResult:
        agency = self.organisation.agencies.get(effect.agency)
        if agency is None:
            raise NotDelivered(f"organisation.yaml has no agency {effect.agency!r}")
        if agency.webhook:
            message = {"type": "agency.asked", "timestamp": to_data(effect.at), "data": _told(effect, request)}
            self.outgoing.post(agency.webhook.url, agency.webhook.secret_from, effect.id, message)
        else:
            self.channel.send(Notice(effect.id, request.id, f"agency_asked {effect.step}", agency.key))
        return EffectResult(
            effect=effect.id,
            effect_kind=effect.kind,
            told=agency.key,
            channel="webhook" if agency.webhook else self.channel.name,
            step=effect.step,
            visit=effect.visit,
        )

    def _call(self, effect: kinds.Call, request: Locked) -> EffectResult:
        system = self.organisation.systems.get(effect.system)
        if system is None:
            raise NotDelivered(f"organisation.yaml has no system {effect.system!r}")
        answer = self.outgoing.post(system.url, system.secret_from, effect.id, _told(effect, request))
        return EffectResult(
            effect=effect.id,
            effect_kind=effect.kind,
            told=system.key,
            step=effect.step,
            visit=effect.visit,
            outcome=outcome_of(answer, effect.outcomes),
        )


def _told(effect: kinds.AskAgency | kinds.Call, request: Locked) -> dict[str, object]:
    """What whoever is asked is told: which request, of what type, at which step, what may be answered, the fields."""
    asked = {"step": effect.step, "outcomes": effect.outcomes, "fields": effect.fields}
    return {"request": request.id, "type": request.type, **asked}


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
