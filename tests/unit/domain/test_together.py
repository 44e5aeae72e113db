"""Branches that run side by side: begun, joined, withdrawn, sent back, and their clocks and waits."""

from __future__ import annotations

import datetime as dt

import pytest

from fixline.domain.journal.entry import rebuild
from fixline.domain.journal.state import Task
from fixline.domain.process.commands import SYSTEM
from tests.support.domain.branching import market
from tests.support.domain.driver import Driven
from tests.support.domain.samples import CREW, at

NOON = at("mon 12:00")
LATER = at("mon 14:00")


@pytest.fixture
def request_() -> Driven:
    """A market whose signs, permit and notice are under way."""
    return Driven.opened(market(), NOON)


@pytest.fixture
def race() -> Driven:
    """The same, where the first branch to end decides."""
    return Driven.opened(market("first"), NOON)


def task_at(request: Driven, step: str) -> Task:
    """The open task of a step."""
    (task,) = [task for task in request.state.open_tasks if task.step == step]
    return task


def complete(request: Driven, step: str, outcome: str, now: dt.datetime = LATER) -> None:
    """Complete the open task of a step."""
    request.do("complete", now, CREW, task=task_at(request, step).id, outcome=outcome)


def steps(request: Driven) -> dict[str, str]:
    """Where each running branch is."""
    return {branch: position.step for branch, position in request.state.branches.items()}


class TestBegin:
    """All branches begin at once."""

    def test_each_branch_begins_with_its_first_step(self, request_: Driven) -> None:
        """A choose is passed at once; tasks of two branches are open together; the request is at the together step."""
        assert request_.state.position is not None
        assert request_.state.position.step == "prepare"
        assert steps(request_) == {"signs": "place_signs", "permit": "permit", "notice": "notice"}
        assert [task.step for task in request_.state.open_tasks] == ["place_signs", "permit"]

    def test_entries_say_the_branch(self, request_: Driven) -> None:
        """Entries of the main way have none."""
        entered = [(e.data["step"], e.data.get("branch")) for e in request_.entries("step_entered")]
        assert entered == [
            ("prepare", None),
            ("which_signs", "signs"),
            ("place_signs", "signs"),
            ("permit", "permit"),
            ("notice", "notice"),
        ]

    def test_every_branchs_waiting_counts(self, request_: Driven) -> None:
        """A deadline pauses while any branch waits as it says, and runs when none does any more."""
        assert request_.state.conditions == {"notice"}
        assert request_.clock().state == "paused"
        complete(request_, "permit", "ask")
        assert request_.state.conditions == {"notice", "with_owner"}
        request_.do("signal", LATER, name="answer")
        request_.do("tick", at("wed 12:00"), SYSTEM)
        assert request_.state.conditions == frozenset()
        assert request_.clock().state == "running"

    def test_the_earliest_wait_is_the_next_instant(self, request_: Driven) -> None:
        """Waits of all branches are looked at."""
        request_.do("complete", NOON, CREW, task=task_at(request_, "permit").id, outcome="ask")
        assert request_.state.branches["notice"].wait_until == at("wed 12:00")
        assert request_.state.branches["permit"].wait_until == at("thu 12:00")
        request_.do("tick", at("wed 12:00"), SYSTEM)
        assert request_.state.joined == ("notice",)
        assert steps(request_)["permit"] == "owner"

    def test_a_branch_that_leads_out_at_once(self) -> None:
        """The branches after it never begin."""
        request = Driven.opened(market(), NOON, answers={"weight": 200})
        assert request.state.position is not None
        assert request.state.position.step == "too_large"
        assert not request.state.branches
        assert "permit" not in request.state.visits

    def test_a_branch_that_joins_at_once(self) -> None:
        """With `all` the others go on; with `first` they never begin."""
        request = Driven.opened(market(), NOON, answers={"weight": -1})
        assert request.state.joined == ("signs",)
        assert steps(request) == {"permit": "permit", "notice": "notice"}
        race = Driven.opened(market("first"), NOON, answers={"weight": -1})
        assert race.task.step == "set_up"
        assert "permit" not in race.state.visits


class TestJoin:
    """A together step ends when all branches have, or the first."""

    def test_all(self, request_: Driven) -> None:
        """The request goes on when the last has joined."""
        complete(request_, "permit", "granted")
        complete(request_, "place_signs", "placed")
        assert request_.state.joined == ("permit", "signs")
        assert steps(request_) == {"notice": "notice"}
        request_.do("tick", at("wed 12:00"), SYSTEM)
        assert request_.task.step == "set_up"
        after = request_.state
        assert (dict(after.branches), list(after.joined), after.taken[-1].outcome) == ({}, [], "done")

    def test_first(self, race: Driven) -> None:
        """The others are taken back, with their tasks, clocks and waits."""
        signs = task_at(race, "place_signs")
        complete(race, "permit", "granted")
        assert race.task.step == "set_up"
        assert race.state.tasks[signs.id].state == "withdrawn"
        assert [c.name for c in race.state.live_clocks] == ["resolve"]
        left = [(e.data["step"], e.data["outcome"]) for e in race.entries("step_left")][-4:]
        assert left == [("permit", "granted"), ("notice", None), ("place_signs", None), ("prepare", "done")]
        assert race.next_at is not None
        assert race.next_at > at("wed 12:00")

    def test_a_branch_goes_round(self, request_: Driven) -> None:
        """Steps of a branch lead to each other, and each visit has its task."""
        complete(request_, "place_signs", "stolen")
        assert steps(request_)["signs"] == "place_signs"
        assert task_at(request_, "place_signs").visit == 2
        assert task_at(request_, "permit").visit == 1

    def test_a_together_step_is_entered_again(self, race: Driven) -> None:
        """All branches begin anew."""
        complete(race, "permit", "granted")
        complete(race, "set_up", "again")
        assert steps(race) == {"signs": "place_signs", "permit": "permit", "notice": "notice"}
        assert race.state.joined == ()
        assert race.state.branches["permit"].visit == 2

    def test_a_deadline_is_met_within_a_branch(self, request_: Driven) -> None:
        """Completing the step meets it as anywhere else."""
        complete(request_, "permit", "granted")
        assert request_.clock("permit").state == "met"


class TestOut:
    """A branch may lead out of the together step; then the others are over, too."""

    def test_to_a_close(self, request_: Driven) -> None:
        """The request closes at rest."""
        complete(request_, "permit", "refused")
        assert request_.state.outcome == "declined"
        assert not request_.state.positions
        assert not request_.state.open_tasks
        assert not request_.state.live_clocks
        assert request_.next_at is None

    def test_by_the_end_of_a_wait(self, request_: Driven) -> None:
        """A wait that nobody ended in time leads out."""
        complete(request_, "permit", "ask")
        request_.do("tick", at("thu 14:00"), SYSTEM)
        assert request_.state.outcome == "declined"

    def test_the_branches_are_named_in_what_was_taken(self, request_: Driven) -> None:
        """Steps of branches say which, in the order in which they were left."""
        complete(request_, "permit", "refused")
        taken = [(visit.step, visit.branch, visit.outcome) for visit in request_.state.taken]
        assert taken == [
            ("which_signs", "signs", "place_signs"),
            ("permit", "permit", "refused"),
            ("notice", "notice", None),
            ("place_signs", "signs", None),
            ("prepare", None, None),
            ("not_ours", None, "declined"),
        ]


class TestCommands:
    """What people do to a request whose branches run."""

    def test_a_signal_goes_to_the_branch_that_waits_for_it(self, request_: Driven) -> None:
        """And is refused when none does."""
        refusal = request_.no("signal", LATER, name="answer")
        assert refusal.code == "signal_not_awaited"
        assert "'prepare' and step 'place_signs' and step 'permit'" in refusal.message
        complete(request_, "permit", "ask")
        request_.do("signal", LATER, name="answer")
        assert steps(request_)["permit"] == "permit"
        assert steps(request_)["notice"] == "notice"

    def test_sending_back_ends_every_branch(self, request_: Driven) -> None:
        """The request is at the one step then."""
        request_.do("send_back", LATER, step="set_up", reason="no need")
        assert request_.task.step == "set_up"
        assert not request_.state.branches

    def test_sending_back_to_the_together_step_begins_anew(self, request_: Driven) -> None:
        """Also what had joined."""
        complete(request_, "place_signs", "placed")
        request_.do("send_back", LATER, step="prepare", reason="wrong street")
        assert request_.state.joined == ()
        assert steps(request_) == {"signs": "place_signs", "permit": "permit", "notice": "notice"}

    def test_nobody_sends_into_a_branch(self, request_: Driven) -> None:
        """A branch begins with its together step; the refusal names it."""
        refusal = request_.no("send_back", LATER, step="owner", reason="ask again")
        assert refusal.code == "unknown_step"
        assert "'prepare'" in refusal.message

    def test_cancelling_ends_every_branch(self, request_: Driven) -> None:
        """Nothing stays."""
        request_.do("cancel", LATER, reason="no market")
        assert not request_.state.positions
        assert not request_.state.open_tasks
        assert not request_.state.live_clocks

    def test_which_task_is_meant(self, request_: Driven) -> None:
        """With several open tasks a supervisor says which."""
        assert request_.no("reassign", LATER, team="other", reason="swap").code == "task_not_open"
        request_.do("reassign", LATER, task=task_at(request_, "permit").id, team="other", reason="swap")
        assert task_at(request_, "permit").team == "other"

    def test_the_journal_rebuilds_it(self, request_: Driven) -> None:
        """At every point of its life."""
        assert rebuild(request_.journal) == request_.state
        complete(request_, "place_signs", "placed")
        assert rebuild(request_.journal) == request_.state
        complete(request_, "permit", "refused")
        assert rebuild(request_.journal) == request_.state


def test_one_signal_is_not_heard_twice() -> None:
    """A branch that a signal sends round the whole together step does not hear the same signal again."""
    definition = market()
    wait = {"kind": "wait", "signal": "bell"}
    steps_ = {
        "prepare": {
            "kind": "together",
            "branches": {"one": ["first"], "two": ["second"]},
            "then": {"done": "fixed"},
        },
        "first": {**wait, "then": {"bell": "again"}},
        "second": {**wait, "then": {"bell": "joined"}},
        "again": {"kind": "choose", "branches": [{"go": "prepare"}]},
        "fixed": {"kind": "close", "outcome": "fixed"},
    }
    parts = {**definition.model_dump(mode="json", by_alias=True), "steps": steps_, "deadlines": {}}
    request = Driven.opened(type(definition).model_validate(parts), NOON)
    request.do("signal", LATER, name="bell")
    assert steps(request) == {"one": "first", "two": "second"}
    assert request.state.visits == {"prepare": 2, "first": 2, "second": 2, "again": 1}
    assert request.state.joined == ()
