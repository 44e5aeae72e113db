"""What journal entries say of other requests: follow-ons, parents, duplicates, originals."""

from __future__ import annotations

from datetime import datetime

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.domain.journal.facts import Changes, Fact, deadlines_so_far
from fixline.domain.journal.state import Child, RequestState
from fixline.domain.records import change


class RelatedCommented(Fact, frozen=True):
    """A remark was left on the parent or a follow-on."""

    other: str
    by: str
    text: str


class FollowOnOpened(Fact, frozen=True):
    """A follow-on was opened; `entered_at`: when the step began that waits for it, None when it was left meanwhile."""

    child: str
    type: str
    step: str
    entered_at: datetime | None = None

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"children": {**state.children, self.child: Child(self.type, self.step, self.entered_at)}}


class FollowOnFailed(Fact, frozen=True):
    """No follow-on could be opened."""

    type: str
    step: str
    reason: str


class FollowOnClosed(Fact, frozen=True):
    """A follow-on has ended."""

    child: str
    outcome: CloseOutcome

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        child = change(state.children[self.child], status="closed", outcome=self.outcome)
        return {"children": {**state.children, self.child: child}}


class FollowOnReopened(Fact, frozen=True):
    """A follow-on that had ended was opened again."""

    child: str

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        child = change(state.children[self.child], status="open", outcome=None)
        return {"children": {**state.children, self.child: child}}


class ParentLeft(Fact, frozen=True):
    """The request for which this one was opened no longer waits for it."""

    parent: str


class Attached(Fact, frozen=True):
    """The request is a duplicate of an older one."""

    to: str
    reason: str | None = None

    def changes(self, _state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"attached_to": self.to, "attached": (), "hold": None}


class Reattached(Fact, frozen=True):
    """Its original is itself a duplicate: the request follows to that one's."""

    to: str

    def changes(self, _state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"attached_to": self.to}


class Detached(Fact, frozen=True):
    """The request is looked at on its own again."""

    original: str | None
    reason: str | None = None

    def changes(self, state: RequestState, at: datetime, _actor: str) -> Changes:
        return {"attached_to": None, "detached_at": at, "former_clocks": deadlines_so_far(state)}


class DuplicateAttached(Fact, frozen=True):
    """Another request was found to be a duplicate of this one."""

    duplicate: str

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"attached": (*state.attached, self.duplicate)}


class DuplicateDetached(Fact, frozen=True):
    """A duplicate goes its own way."""

    duplicate: str

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"attached": tuple(each for each in state.attached if each != self.duplicate)}


class DuplicateSentOn(Fact, frozen=True):
    """A duplicate was told of the older request of which this one is a duplicate itself."""

    duplicate: str
    to: str


class OriginalClosed(Fact, frozen=True):
    """The original has closed."""

    original: str
    outcome: CloseOutcome
