"""The activity `notify`, and the one port through which Fixline tells anybody anything.

Owns `Notifier`. The only channel so far is the log: it says that, to which kind of audience and about what,
never a contact.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from sqlmodel import Session
from temporalio import activity

from activities.answers import advanced
from fixline.domain.commands import EffectReport
from fixline.messages import Advanced, EffectTask
from fixline.store.arrivals import Locked
from fixline.store.effects import Effects, TakenEffect

log = logging.getLogger("fixline.notices")


@dataclass(frozen=True)
class Notice:
    """One message: `key` (the effect's id) lets a channel send it once, `to` names a role's holder or an audience."""

    key: str
    request_id: str
    event: str
    to: str


class Notifier(Protocol):
    """A way to tell people. `send` may be called again with the same key and must then do nothing new."""

    channel: str

    def send(self, notice: Notice) -> None:
        """Send the notice; raise when it could not be sent."""


class LogNotifier:
    """Writes notices to the log."""

    channel = "log"

    def send(self, notice: Notice) -> None:
        """One line: event, request, audience."""
        log.info("%s %s -> %s", notice.event, notice.request_id, notice.to, extra={"key": notice.key})


class Notify:
    """Takes effects of the kind `notify`."""

    def __init__(self, effects: Effects, notifier: Notifier) -> None:
        self._effects = effects
        self._notifier = notifier

    @activity.defn(name="notify")
    def notify(self, task: EffectTask) -> Advanced:
        """Tell the audience, once."""
        return advanced(self._effects.take(task.request_id, task.effect_id, task.now, self._send))

    def _send(self, _session: Session, effect: TakenEffect, request: Locked) -> EffectReport:
        event, audience = effect.data["event"], effect.data["audience"]
        self._notifier.send(Notice(key=effect.id, request_id=request.id, event=event, to=audience))
        return EffectReport(
            effect=effect.id,
            effect_kind=effect.kind,
            audience=audience,
            about=event,
            channel=self._notifier.channel,
        )
