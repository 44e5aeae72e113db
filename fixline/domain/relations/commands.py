"""The commands by which requests become duplicates of others, and what they tell each other then.

Owns the shape of their bodies; what they lead to is decided by `fixline.domain.relations.attaching` and
`fixline.domain.relations.duplicates`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.domain.process.body import Body


class Original(Body):
    """The request of which another is a duplicate: its id, and when it was opened."""

    id: str
    opened_at: AwareDatetime

    def older_than(self, opened_at: datetime, request_id: str) -> bool:
        """Whether it was opened before that request; of those opened at once the lower number is the older."""
        return (self.opened_at, self.id) < (opened_at, request_id)


class Attach(Body):
    """A supervisor says that the request is a duplicate of an older one; what that one is was found before."""

    kind: Literal["attach"] = "attach"
    to: Original
    reason: str


class Detach(Body):
    """A supervisor says that the request is no duplicate after all; it begins at its start."""

    kind: Literal["detach"] = "detach"
    reason: str


class DuplicateAttached(Body):
    """A duplicate tells its original that it has been attached to it."""

    kind: Literal["duplicate_attached"] = "duplicate_attached"
    duplicate: str


class DuplicateDetached(Body):
    """A duplicate tells its original that it goes its own way, or has been closed by itself."""

    kind: Literal["duplicate_detached"] = "duplicate_detached"
    duplicate: str


class OriginalClosed(Body):
    """An original tells its duplicate what it came to."""

    kind: Literal["original_closed"] = "original_closed"
    original: str
    outcome: CloseOutcome


class OriginalReopened(Body):
    """An original tells a duplicate that had closed with it that it has been opened again."""

    kind: Literal["original_reopened"] = "original_reopened"
    original: str


class OriginalAttached(Body):
    """An original tells its duplicate that it has itself been attached to an older request."""

    kind: Literal["original_attached"] = "original_attached"
    original: str
    to: str
