"""The activity `ask_agency`: asks an outside party to do a step, by a signed message or by e-mail.

A message that was not taken is tried again, alone, as long as the request waits for it; it never counts as sent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from temporalio import activity

from fixline.catalog import Agency, Organisation
from fixline.domain.process.commands import EffectResult
from fixline.domain.process.effects import AskAgency as Asking
from fixline.domain.process.effects import Call as Calling
from fixline.domain.records import to_data
from fixline.messages import EffectInput, PendingWork
from fixline.outbound.notices import Channel, Notice
from fixline.outbound.webhook import NotDelivered, Outgoing
from fixline.service.effects import Effects
from fixline.service.submissions import Locked, utc_now


class AskAgency:
    """Takes effects of the kind `ask_agency`."""

    def __init__(
        self,
        effects: Effects,
        organisation: Organisation,
        channel: Channel,
        outgoing: Outgoing,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._effects = effects
        self._organisation = organisation
        self._channel = channel
        self._outgoing = outgoing
        self._clock = clock

    @activity.defn(name="ask_agency")
    def ask_agency(self, given: EffectInput) -> PendingWork:
        """Ask the party, under the effect's id as the key."""
        return self._effects.reach(given.request_id, given.effect_ids, self._clock, self._ask)

    def _ask(self, effect: Asking, request: Locked) -> EffectResult:
        agency = self._organisation.agencies.get(effect.agency)
        if agency is None:
            raise NotDelivered(f"organisation.yaml has no agency {effect.agency!r}")
        channel = (self._by_webhook if agency.webhook else self._by_email)(agency, effect, request)
        return EffectResult(
            effect=effect.id,
            effect_kind=effect.kind,
            told=agency.key,
            channel=channel,
            step=effect.step,
            visit=effect.visit,
        )

    def _by_webhook(self, agency: Agency, effect: Asking, request: Locked) -> str:
        assert agency.webhook is not None  # noqa: S101 - asked by the caller
        message = {"type": "agency.asked", "timestamp": to_data(effect.at), "data": told(effect, request)}
        self._outgoing.post(agency.webhook.url, agency.webhook.secret_from, effect.id, message)
        return "webhook"

    def _by_email(self, agency: Agency, effect: Asking, request: Locked) -> str:
        event = f"agency_asked {effect.step}"
        self._channel.send(Notice(key=effect.id, request_id=request.id, event=event, to=agency.key))
        return self._channel.name


def told(effect: Asking | Calling, request: Locked) -> dict[str, object]:
    """What whoever is asked is told: which request, of what type, at which step, what may be answered, the fields."""
    asked = {"step": effect.step, "outcomes": effect.outcomes, "fields": effect.fields}
    return {"request": request.id, "type": request.type, **asked}
