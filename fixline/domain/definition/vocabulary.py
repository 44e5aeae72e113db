"""The fixed words of the definition language: priorities, outcomes, events, and the names that the engine keeps."""

from __future__ import annotations

from enum import StrEnum

TIMEOUT = "timeout"
NO_REPLY = "no_reply"
NOT_SAMPLED = "not_sampled"
OTHERWISE = "otherwise"
RESERVED_OUTCOMES = frozenset({TIMEOUT, NO_REPLY, NOT_SAMPLED, OTHERWISE})
"""Outcomes that the engine gives by itself; people's outcomes have other names."""

JOINED = "joined"
"""Where a step of a branch leads when its branch has come to its end; no step has this name."""
DONE = "done"
"""The one outcome of a together step."""
REPORTER = "reporter"
"""Whom a notify step can tell beside the roles of the organisation."""
SUPERVISOR = "supervisor"
"""The role that is told where nobody else is named."""
PLACE, DESCRIPTION, PHOTOS = SENDABLE = ("place", "description", "photos")
"""What can be sent to somebody else besides answers; an answer of such a name is not sent."""


class Priority(StrEnum):
    """The four priorities, lowest first."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """0 for low to 3 for urgent."""
        return list(Priority).index(self)


class CloseOutcome(StrEnum):
    """What a closed request came to. Status says that it is closed, the outcome says what was done."""

    FIXED = "fixed"
    NO_PROBLEM_FOUND = "no_problem_found"
    DUPLICATE = "duplicate"
    REFERRED = "referred"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class NotifyEvent(StrEnum):
    """What the reporter can be told about."""

    RECEIVED = "received"
    STEP_DONE = "step_done"
    ON_HOLD = "on_hold"
    DUE_CHANGED = "due_changed"
    CLOSED = "closed"
    REOPENED = "reopened"
