"""The channels through which people are told anything.

The log is the one that holds by default: it says that, to which kind of audience and about what, never a contact. With
FIXLINE_NOTICES_URL notices go to a system of the city's own instead, which knows how to reach people.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import Protocol

from fixline.outbound.webhook import Outgoing

log = logging.getLogger("fixline.notices")

KINDS = ("notify", "escalate")
"""The kinds of effects that tell people."""


@dataclass(frozen=True)
class Notice:
    """One message: `key` (the effect's id) lets a channel send it once, `to` names a role's holder or an audience."""

    key: str
    request_id: str
    event: str
    to: str


class Channel(Protocol):
    """A way to tell people. `send` may be called again with the same key, which whoever gets it knows by the key.

    `outside`: sending leaves this machine, and may take its time.
    """

    name: str
    outside: bool

    def send(self, notice: Notice) -> None:
        """Send the notice; raise when it could not be sent."""


class LogChannel:
    """Writes notices to the log."""

    name = "log"
    outside = False

    def send(self, notice: Notice) -> None:
        """One line: event, request, audience."""
        log.info("%s %s -> %s", notice.event, notice.request_id, notice.to, extra={"key": notice.key})


class WebhookChannel:
    """Posts notices, signed, to one address."""

    name = "webhook"
    outside = True

    def __init__(self, outgoing: Outgoing, url: str, secret_from: str) -> None:
        self._outgoing, self._url, self._secret_from = outgoing, url, secret_from

    def send(self, notice: Notice) -> None:
        """Post it. Raises NotDelivered."""
        data = {name: value for name, value in asdict(notice).items() if name != "key"}
        self._outgoing.post(self._url, self._secret_from, notice.key, {"type": "notice", "data": data})
