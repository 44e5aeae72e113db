"""What journal entries say of steps: entered, left, waited at, answered by somebody else."""

from __future__ import annotations

from datetime import datetime

from fixline.domain.journal.facts import Changes, Fact
from fixline.domain.journal.state import Position, RequestState, Visit
from fixline.domain.records import change


class SentBack(Fact, frozen=True):
    """A supervisor sent the request to a step."""

    step: str
    reason: str


class StepEntered(Fact, frozen=True):
    """A step was entered; `waiting_as` and `wait_until` where it waits, `branch` where it stands in one."""

    step: str
    visit: int
    waiting_as: str | None = None
    wait_until: datetime | None = None
    branch: str | None = None

    def changes(self, state: RequestState, at: datetime, _actor: str) -> Changes:
        position = Position(self.step, self.visit, at, self.waiting_as, self.wait_until)
        return {**_placed(state, self.branch, position), "visits": {**state.visits, self.step: self.visit}}


def _placed(state: RequestState, branch: str | None, position: Position) -> Changes:
    if branch is None:
        return {"position": position}
    return {"branches": {**state.branches, branch: position}}


class StepLeft(Fact, frozen=True):
    """A step was left; without an outcome it was taken back."""

    step: str
    outcome: str | None
    branch: str | None = None

    def changes(self, state: RequestState, at: datetime, _actor: str) -> Changes:
        position = state.branches.get(self.branch) if self.branch else state.position
        if position is None:
            return {}
        visit = Visit(position.step, position.visit, position.entered_at, at, self.outcome, self.branch)
        taken = {"taken": (*state.taken, visit)}
        if self.branch is None:
            return {"position": None, "branches": {}, "joined": (), **taken}
        return {"branches": {name: each for name, each in state.branches.items() if name != self.branch}, **taken}


class BranchJoined(Fact, frozen=True):
    """A branch has come to its end."""

    branch: str

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"joined": (*state.joined, self.branch)}


class WaitMoved(Fact, frozen=True):
    """A wait ends at another instant, because its date was answered anew."""

    step: str
    wait_until: datetime | None
    branch: str | None = None

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        position = state.branches.get(self.branch) if self.branch else state.position
        return {} if position is None else _placed(state, self.branch, change(position, wait_until=self.wait_until))


class WaitUndated(Fact, frozen=True):
    """A wait ends by an answer that nobody has given yet."""

    step: str
    answer: str


class VisitsWarned(Fact, frozen=True):
    """A step was entered as often as its supervisor wants to be told of."""

    step: str
    visit: int


class SignalReceived(Fact, frozen=True):
    """What a step waited for has happened."""

    name: str


class AgencyAsked(Fact, frozen=True):
    """An outside party was asked."""

    agency: str
    step: str
    visit: int
    channel: str | None


class _Reply(Fact, frozen=True):
    """What an outside party has answered."""

    agency: str
    step: str
    outcome: str
    reference: str = ""
    reason: str = ""


class AgencyReplied(_Reply, frozen=True):
    """The outside party has answered."""


class LateReply(_Reply, frozen=True):
    """The outside party answered when nobody waited for it any more."""


class CallAnswered(Fact, frozen=True):
    """A department's system has answered."""

    system: str
    step: str
    visit: int
    outcome: str
