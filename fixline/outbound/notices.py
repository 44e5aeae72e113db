"""The one port through which Fixline tells anybody anything.

The only channel so far is the log: it says that, to which kind of audience and about what, never a contact.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

log = logging.getLogger("fixline.notices")


@dataclass(frozen=True)
class Notice:
    """One message: `key` (the effect's id) lets a channel send it once, `to` names a role's holder or an audience."""

    key: str
    request_id: str
    event: str
    to: str


class Notifier(Protocol):
    """A way to tell people. `send` may be called again with the same key and must then do nothing new.

    `at_once`: sending waits for nobody (no network, no disk), so the event loop may do it.
    """

    channel: str
    at_once: bool

    def send(self, notice: Notice) -> None:
        """Send the notice; raise when it could not be sent."""


class LogNotifier:
    """Writes notices to the log."""

    channel = "log"
    at_once = True

    def send(self, notice: Notice) -> None:
        """One line: event, request, audience."""
        log.info("%s %s -> %s", notice.event, notice.request_id, notice.to, extra={"key": notice.key})
