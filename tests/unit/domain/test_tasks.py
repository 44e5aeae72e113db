"""What people do with tasks: the rules, one by one.

Owns the cases of `fixline.domain.process.tasks`; that every refusal has a code of its own is test_refusals' business.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from fixline.domain.journal.state import Task, TaskState
from fixline.domain.process.commands import SYSTEM
from tests.support.domain.driver import Driven
from tests.support.domain.samples import CREW, MATE, STRANGER, SUPERVISOR, at, pothole, simple

OPENING = at("mon 08:00")
NINE = at("mon 09:00")
TEN = at("mon 10:00")
T1 = "R-1-T1"


@pytest.fixture
def request_() -> Driven:
    """A request whose one task has just been offered to `crew`."""
    return Driven.opened(simple(), OPENING)


def given(request: Driven, to: str, now: dt.datetime = NINE, rule: str = "round_robin") -> Task:
    """The team's rule gives the open task to somebody."""
    body: dict[str, Any] = {"effect": "R-1:1:1", "effect_kind": "dispatch", "task": request.task.id}
    request.do("effect_result", now, SYSTEM, assignee=to, rule=rule, **body)
    return request.task


def facts(task: Task) -> tuple[TaskState, str | None, int]:
    """What a task comes down to."""
    return task.state, task.assignee, task.offers


class TestClaim:
    """An offered task gets a holder."""

    def test_by_the_actor(self, request_: Driven) -> None:
        """Whoever claims has it, since then."""
        request_.do("claim", NINE, CREW, task=T1)
        assert facts(request_.task) == (TaskState.CLAIMED, "carl", 1)
        assert (request_.task.claimed_at, request_.task.by_rule) == (NINE, False)

    def test_for_somebody(self, request_: Driven) -> None:
        """A crew's system claims for one of its people."""
        request_.do("claim", NINE, CREW, task=T1, assignee="zoe")
        assert request_.task.assignee == "zoe"

    def test_once_only(self, request_: Driven) -> None:
        """A claimed task cannot be claimed again, not even by its holder; the refusal names state and holder."""
        request_.do("claim", NINE, CREW, task=T1)
        for actor in (CREW, MATE, SUPERVISOR):
            refusal = request_.no("claim", TEN, actor, task=T1)
            assert refusal.code == "task_state"
            assert refusal.data == {"task": T1, "state": "claimed", "assignee": "carl", "team": "crew"}

    def test_from_whom_the_rule_gave_it(self, request_: Driven) -> None:
        """What a team's rule gave away another may take, until it is started."""
        assert given(request_, "mia").by_rule
        request_.do("claim", TEN, CREW, task=T1)
        assert (request_.task.assignee, request_.task.by_rule) == ("carl", False)

    def test_not_once_started(self, request_: Driven) -> None:
        """A task that the rule gave and its holder started is the holder's."""
        given(request_, "mia")
        request_.do("start", TEN, MATE, task=T1)
        assert request_.no("claim", TEN, CREW, task=T1).code == "task_state"
        for kind, body in (("complete", {"outcome": "done"}), ("decline", {"reason": "x"}), ("release", {})):
            assert request_.no(kind, TEN, CREW, task=T1, **body).code == "task_holder"

    def test_other_teams_are_refused(self, request_: Driven) -> None:
        """A crew works for its own teams only."""
        refusal = request_.no("claim", NINE, STRANGER, task=T1)
        assert (refusal.code, refusal.data["team"]) == ("wrong_team", "crew")


class TestStart:
    """The holder begins."""

    def test_by_the_holder(self, request_: Driven) -> None:
        """Claimed, then started."""
        request_.do("claim", NINE, CREW, task=T1)
        request_.do("start", TEN, CREW, task=T1)
        assert facts(request_.task) == (TaskState.STARTED, "carl", 1)
        assert request_.task.started_at == TEN

    def test_an_offered_task_is_claimed(self, request_: Driven) -> None:
        """Starting what nobody holds claims it, and the journal says so."""
        decision = request_.do("start", NINE, CREW, task=T1)
        assert [entry.kind for entry in decision.entries] == ["task_claimed", "task_started"]

    def test_of_a_mate_to_whom_the_rule_gave_it(self, request_: Driven) -> None:
        """Whoever starts what the rule gave to somebody else has it."""
        given(request_, "mia")
        request_.do("start", TEN, CREW, task=T1)
        assert facts(request_.task) == (TaskState.STARTED, "carl", 1)

    def test_not_twice(self, request_: Driven) -> None:
        """A started task cannot be started."""
        request_.do("start", NINE, CREW, task=T1)
        assert request_.no("start", TEN, CREW, task=T1).code == "task_state"

    def test_not_anothers(self, request_: Driven) -> None:
        """A mate's task is the mate's; a supervisor may act for the holder, who stays the holder."""
        request_.do("claim", NINE, CREW, task=T1)
        assert request_.no("start", TEN, MATE, task=T1).code == "task_holder"
        request_.do("start", TEN, SUPERVISOR, task=T1)
        assert facts(request_.task) == (TaskState.STARTED, "carl", 1)


class TestBackToTheTeam:
    """Released and declined tasks are offered anew, and not to the same person."""

    @pytest.mark.parametrize("kind", ["release", "decline"])
    def test_by_the_holder(self, request_: Driven, kind: str) -> None:
        """The task is offered again; the work order names who gave it back."""
        request_.do("start", NINE, CREW, task=T1)
        decision = request_.do(kind, TEN, CREW, task=T1, reason="no asphalt")
        assert facts(request_.task) == (TaskState.OFFERED, None, 2)
        assert (request_.task.claimed_at, request_.task.started_at) == (None, None)
        (effect,) = decision.effects
        assert effect.kind == "dispatch"
        assert effect.data == {"task": T1, "team": "crew", "offer": 2, "not_to": "carl"}
        assert decision.entries[0].data["reason"] == "no asphalt"

    @pytest.mark.parametrize("kind", ["release", "decline"])
    def test_not_by_others(self, request_: Driven, kind: str) -> None:
        """Only the holder, or who may act for all, gives it back."""
        request_.do("claim", NINE, CREW, task=T1)
        assert request_.no(kind, TEN, MATE, task=T1, reason="x").code == "task_holder"
        assert request_.no(kind, TEN, STRANGER, task=T1, reason="x").code == "wrong_team"
        request_.do(kind, TEN, SUPERVISOR, task=T1, reason="x")

    def test_offered_tasks_can_be_declined_only(self, request_: Driven) -> None:
        """Nobody can give back what nobody has; a team may say that it will not do it."""
        assert request_.no("release", NINE, CREW, task=T1).code == "task_state"
        decision = request_.do("decline", NINE, CREW, task=T1, reason="not ours")
        assert decision.effects[0].data["not_to"] == "carl"


class TestComplete:
    """The work is done."""

    def test_an_offered_task_is_claimed(self, request_: Driven) -> None:
        """Completing a task of one's own team claims it."""
        decision = request_.do("complete", NINE, CREW, task=T1, outcome="done", photos=["p1"])
        assert [entry.kind for entry in decision.entries[:2]] == ["task_claimed", "task_completed"]
        (task,) = decision.tasks
        assert (task.state, task.assignee, task.outcome, task.ended_at) == (TaskState.COMPLETED, "carl", "done", NINE)
        assert task.photos == ("p1",)
        assert request_.state.closed

    def test_for_somebody(self, request_: Driven) -> None:
        """A crew's system says who did it."""
        decision = request_.do("complete", NINE, CREW, task=T1, outcome="done", assignee="zoe")
        assert decision.tasks[0].assignee == "zoe"

    def test_of_a_mate_to_whom_the_rule_gave_it(self, request_: Driven) -> None:
        """Whoever completes what the rule gave to somebody else did it."""
        given(request_, "mia")
        assert request_.do("complete", TEN, CREW, task=T1, outcome="done").tasks[0].assignee == "carl"

    def test_by_whom_the_rule_gave_it(self, request_: Driven) -> None:
        """The one who was given it has nothing to claim."""
        given(request_, "mia")
        decision = request_.do("complete", TEN, MATE, task=T1, outcome="done")
        assert decision.entries[0].kind == "task_completed"

    def test_on_hold(self, request_: Driven) -> None:
        """Work that was done although the request is on hold is not lost; nobody begins new work."""
        request_.do("hold", NINE, reason="festival")
        assert request_.no("claim", NINE, CREW, task=T1).data == {"reason": "festival"}
        assert request_.no("start", NINE, CREW, task=T1).code == "on_hold"
        request_.do("complete", TEN, CREW, task=T1, outcome="again")
        assert request_.state.hold is not None

    def test_unknown_outcome(self, request_: Driven) -> None:
        """The refusal names the outcomes there are."""
        assert request_.no("complete", NINE, CREW, task=T1, outcome="moon").data == {"outcomes": ["done", "again"]}

    def test_form(self) -> None:
        """The form is checked for the outcome; its answers are the request's from then on."""
        request = Driven.opened(pothole(), OPENING, has_contact=True)
        refusal = request.no("complete", NINE, task=T1, outcome="pothole", form={"depth": -1, "width": 3})
        assert [(p.field, p.code) for p in refusal.fields] == [
            ("depth", "too_small"),
            ("photo", "missing"),
            ("width", "unknown_field"),
        ]
        decision = request.do("complete", NINE, task=T1, outcome="pothole", form={"depth": 12, "photo": "p"})
        assert request.state.answers == {"lane": "curb", "depth": 12, "photo": "p"}
        assert request.state.priority == "high"
        assert decision.tasks[0].form == {"depth": 12, "photo": "p"}
        assert {"event": "step_done", "audience": "reporter", "step": "inspect", "outcome": "pothole"} in [
            effect.data for effect in decision.effects
        ]

    def test_twice(self, request_: Driven) -> None:
        """What is done is done; one decision later the task is no longer the request's at all."""
        request_.do("complete", NINE, CREW, task=T1, outcome="again")
        assert request_.no("complete", TEN, CREW, task=T1, outcome="again").code == "task_state"
        request_.do("comment", TEN, text="hm")
        assert request_.no("complete", TEN, CREW, task=T1, outcome="again").code == "task_not_open"
        assert (request_.task.id, request_.task.visit) == ("R-1-T2", 2)


class TestReassign:
    """A supervisor gives a task to others."""

    def test_to_a_team(self, request_: Driven) -> None:
        """Another team has it offered, with a work order of its own."""
        request_.do("start", NINE, CREW, task=T1)
        decision = request_.do("reassign", TEN, SUPERVISOR, team="night", reason="closer")
        assert facts(request_.task) == (TaskState.OFFERED, None, 2)
        assert request_.task.team == "night"
        assert [(e.kind, e.data["team"]) for e in decision.effects] == [("dispatch", "night")]

    def test_to_a_person(self, request_: Driven) -> None:
        """A person has it at once, and no rule picks anybody."""
        decision = request_.do("reassign", TEN, SUPERVISOR, task=T1, assignee="zoe", reason="knows it")
        assert facts(request_.task) == (TaskState.CLAIMED, "zoe", 2)
        assert decision.effects == ()

    def test_to_the_same(self, request_: Driven) -> None:
        """Nothing changes: refused."""
        request_.do("claim", NINE, CREW, task=T1)
        for body in ({}, {"team": "crew"}, {"assignee": "carl"}, {"team": "crew", "assignee": "carl"}):
            assert request_.no("reassign", TEN, SUPERVISOR, reason="x", **body).code == "nothing_changed"

    def test_without_an_open_task(self) -> None:
        """A request that waits has no task to give."""
        request = Driven.opened(pothole(), OPENING)
        request.do("send_back", NINE, step="dry_road", reason="rain")
        refusal = request.no("reassign", TEN, SUPERVISOR, team="night", reason="x")
        assert refusal.code == "task_not_open"


class TestReports:
    """What effects learned."""

    def test_the_rule_gave_it(self, request_: Driven) -> None:
        """The crew that a rule picked has the task."""
        task = given(request_, "mia", rule="least_loaded")
        assert (facts(task), task.by_rule) == ((TaskState.CLAIMED, "mia", 1), True)
        assert "least loaded" in request_.journal[-1].text

    def test_too_late(self, request_: Driven) -> None:
        """Somebody was faster: the task stays as it is."""
        request_.do("claim", NINE, CREW, task=T1)
        body: dict[str, Any] = {"effect": "R-1:1:1", "effect_kind": "dispatch", "task": T1, "assignee": "mia"}
        assert request_.no("effect_result", TEN, SYSTEM, **body).code == "task_moved_on"
        assert request_.task.assignee == "carl"

    @pytest.mark.parametrize(("kind", "entry"), [("escalate", "told"), ("notify", "notified")])
    def test_telling(self, request_: Driven, kind: str, entry: str) -> None:
        """Who was told is for the journal, also after the close."""
        request_.do("complete", NINE, CREW, task=T1, outcome="done")
        body: dict[str, Any] = {
            "effect": "R-1:1:1",
            "effect_kind": kind,
            "about": "resolve",
            "audience": "boss",
            "told": "ben",
        }
        assert request_.do("effect_result", TEN, SYSTEM, **body).entries[0].kind == entry
        assert request_.state.closed
