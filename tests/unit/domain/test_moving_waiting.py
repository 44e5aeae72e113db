"""A move of a request that waits for somebody else, or whose branches run. Owns those cases of `domain.moving`."""

from __future__ import annotations

from typing import Any

import pytest

from fixline.domain.definition.model import Definition
from fixline.domain.journal.entry import rebuild
from fixline.domain.process.commands import SYSTEM
from fixline.domain.process.decision import Decision
from fixline.domain.process.moving import outline
from tests.support.domain.branching import market
from tests.support.domain.driver import Driven
from tests.support.domain.samples import CREW, FIXED, OFFICE, at, simple

OPENING = at("mon 08:00")
LATE = {"kind": "task", "title": "Call them", "team": "crew", "then": {"repaired": "fixed", "again": "there"}}
GAS: dict[str, Any] = {
    "kind": "agency",
    "agency": "gas-works",
    "waiting_as": "with_gas",
    "reply_within": "2 calendar days",
    "then": {"repaired": "fixed", "refused": "late", "no_reply": "late"},
}
PERMIT: dict[str, Any] = {
    "kind": "call",
    "call": "permits-office",
    "at_most": "4 calendar hours",
    "then": {"granted": "fixed", "refused": "late", "timeout": "late"},
}
WATER: dict[str, Any] = {
    "kind": "follow_on",
    "follow_on": "sewer-cave-in",
    "waiting_as": "with_water",
    "then": {"fixed": "fixed", "otherwise": "late"},
}
WHO = {"agency": "agency", "call": "call", "follow_on": "follow_on"}
EACH = [GAS, PERMIT, WATER]
CHILD = "R-2"


def asking(step: dict[str, Any], name: str = "there", **changes: Any) -> Definition:
    """A type that asks somebody else at once."""
    return simple(start=name, steps={name: step, "late": {**LATE, "then": {"repaired": "fixed", "again": name}},
                                     "fixed": FIXED}, **changes)  # fmt: skip


def waiting(step: dict[str, Any], **targets: Definition) -> Driven:
    """A request that has asked, with the versions that it may move to."""
    request = Driven.opened(asking(step), OPENING)
    request.targets = targets
    if step["kind"] == "follow_on":
        about: dict[str, Any] = {
            "effect": request.effects[-1].id,
            "effect_kind": "open_follow_on",
            "step": "there",
            "visit": 1,
        }
        request.do("effect_result", OPENING, SYSTEM, child=CHILD, child_type="sewer-cave-in", **about)
    return request


def move(request: Driven, now: Any, **body: Any) -> dict[str, Any]:
    """Move it; what a dry run would have said."""
    before = request.state
    decision: Decision = request.do("move", now, version="v2", **body)
    assert rebuild(request.journal) == request.state
    return outline(before, decision)


class TestElsewhere:
    """Agency, call and follow_on."""

    @pytest.mark.parametrize("step", EACH, ids=WHO)
    def test_whom_it_has_asked_may_still_answer(self, step: dict[str, Any]) -> None:
        """Nobody is asked again; the answer leads where the new version says."""
        fresh = {**step, "then": {**step["then"], next(iter(step["then"])): "late"}}
        request = waiting(step, v2=asking(fresh))
        said = move(request, at("mon 09:00"))
        assert (said["step"], said["anew"], said["effects"]) == (None, None, [])
        if step is GAS:
            request.do("agency_reply", at("mon 10:00"), outcome="repaired")
        elif step is PERMIT:
            answered: dict[str, Any] = {
                "effect": "e",
                "effect_kind": "call",
                "step": "there",
                "visit": 1,
                "outcome": "granted",
            }
            request.do("effect_result", at("mon 10:00"), SYSTEM, **answered)
        else:
            request.do("follow_on_closed", at("mon 10:00"), SYSTEM, child=CHILD, outcome="fixed")
        assert request.task.step == "late"

    @pytest.mark.parametrize("step", EACH, ids=WHO)
    def test_another_party_is_refused(self, step: dict[str, Any]) -> None:
        """The one that was asked works on it; the refusal names both."""
        request = waiting(step, v2=asking({**step, WHO[step["kind"]]: "others"}))
        refusal = request.no("move", at("mon 09:00"), version="v2")
        assert refusal.code == "step_missing"
        assert refusal.message == f"step 'there' has asked {step[WHO[step['kind']]]}, and asks others there"

    @pytest.mark.parametrize("step", EACH, ids=WHO)
    def test_another_name_is_refused(self, step: dict[str, Any]) -> None:
        """Whoever was asked answers for the step under the name that they were told."""
        request = waiting(step, v2=asking(step, "elsewhere"))
        assert request.no("move", at("mon 09:00"), version="v2").code == "step_missing"
        refusal = request.no("move", at("mon 09:00"), version="v2", steps={"there": "elsewhere"})
        assert refusal.message == "somebody outside works on 'there' under that name"

    @pytest.mark.parametrize("step", [GAS, PERMIT], ids=["agency", "call"])
    def test_an_answer_that_is_gone_is_refused(self, step: dict[str, Any]) -> None:
        """They were told that they may give it."""
        then = {name: target for name, target in step["then"].items() if name != "refused"}
        refusal = waiting(step, v2=asking({**step, "then": then})).no("move", at("mon 09:00"), version="v2")
        whom = step[WHO[step["kind"]]]
        assert refusal.message == f"{whom} may answer 'refused', which step 'there' lacks there"

    def test_a_follow_on_may_lose_an_outcome(self) -> None:
        """It goes on by `otherwise`."""
        request = waiting(WATER, v2=asking({**WATER, "then": {"otherwise": "late"}}))
        move(request, at("mon 09:00"))
        request.do("follow_on_closed", at("mon 10:00"), SYSTEM, child=CHILD, outcome="fixed")
        assert request.task.step == "late"

    def test_a_follow_on_that_nobody_waits_for_is_told(self) -> None:
        """The step has become people's: it is entered anew, and the dry run says so."""
        request = waiting(WATER, v2=simple(start="late", steps={"late": LATE | {"then": {"repaired": "fixed"}},
                                                                "fixed": FIXED}))  # fmt: skip
        said = move(request, at("mon 09:00"), steps={"there": "late"})
        assert (said["step"], said["anew"]) == ({"before": "there", "after": "late"}, "late")
        assert said["effects"] == [
            {"kind": "tell_request", "to": CHILD, "about": "parent_left"},
            {"kind": "dispatch", "to": "crew", "about": None},
        ]

    @pytest.mark.parametrize(
        ("step", "key", "limit", "now", "until"),
        [
            (GAS, "reply_within", "1 calendar day", "mon 10:00", "tue 08:00"),
            (GAS, "reply_within", "1 calendar day", "tue 12:00", "tue 12:00"),  # not before now
            (GAS, "reply_within", "5 calendar days", "tue 12:00", "sat 08:00"),
            (PERMIT, "at_most", "3 calendar hours", "mon 10:00", "mon 11:00"),
            (PERMIT, "at_most", "1 calendar hour", "mon 10:00", "mon 10:00"),
        ],
    )
    def test_a_limit_counts_from_the_asking(
        self, step: dict[str, Any], key: str, limit: str, now: str, until: str
    ) -> None:
        """The new limit, from when they were asked; what is over then goes on by it at the next tick."""
        request = waiting(step, v2=asking({**step, key: limit}))
        before = request.next_at
        said = move(request, at(now))
        assert before is not None
        assert said["waits"] == [
            {"step": "there", "until": {"before": before.isoformat(), "after": at(until).isoformat()},
             "waiting_as": None}
        ]  # fmt: skip
        assert request.next_at == at(until)
        request.do("tick", at(until), SYSTEM)
        assert request.task.step == "late"

    def test_a_limit_may_come_and_go(self) -> None:
        """Without one it waits for as long as it takes."""
        endless = {**GAS, "reply_within": None, "then": {"repaired": "fixed", "refused": "late"}}
        request = waiting(GAS, v2=asking(endless), v3=asking(GAS))
        assert move(request, at("mon 09:00"))["waits"][0]["until"]["after"] is None
        assert request.next_at is None
        request.do("move", at("mon 10:00"), version="v3")
        assert request.next_at == at("wed 08:00")

    def test_a_limit_in_working_time_follows_the_calendar(self) -> None:
        """A holiday more puts the end off."""
        holiday = OFFICE.holidays[0].model_copy(update={"date": at("tue 08:00").date(), "name": "A day off"})
        calendar = OFFICE.model_copy(update={"holidays": (*OFFICE.holidays, holiday)})
        step = {**GAS, "reply_within": "2 working days"}
        request = waiting(step, v2=asking(step, calendar=calendar.model_dump(mode="json")))
        assert request.next_at == at("tue 16:00")
        move(request, at("mon 09:00"))
        assert request.next_at == at("wed 16:00")


class TestWaits:
    """Waits for time, for a signal, until a date."""

    def test_a_wait_becomes_one_for_a_date_that_nobody_gave(self) -> None:
        """The supervisor is told, as when it is entered."""

        def sleeping(**wait: Any) -> Definition:
            intake = {"location": "none", "questions": {"day": {"kind": "date"}}}
            steps = {"sleep": {"kind": "wait", "then": {"timeout": "fixed"}, **wait}, "fixed": FIXED}
            return simple(start="sleep", steps=steps, intake=intake)

        request = Driven.opened(sleeping(span="3 calendar days"), OPENING)
        request.targets = {"v2": sleeping(until="day")}
        said = move(request, at("mon 09:00"))
        assert said["effects"] == [{"kind": "escalate", "to": "supervisor", "about": None}]
        assert [entry.kind for entry in request.journal[-2:]] == ["moved", "wait_undated"]
        assert request.next_at is None
        request.do("amend", at("mon 10:00"), answers={"day": "2026-06-03"}, reason="said")
        assert request.next_at == at("wed 00:00")


def changed(join: str = "all", **steps: Any) -> Definition:
    """The market with some of its steps otherwise."""
    base = market().model_dump(mode="json", by_alias=True)
    base["steps"] = {**base["steps"], **steps}
    base["steps"]["prepare"] = {**base["steps"]["prepare"], "join": join}
    return Definition.model_validate(base)


class TestBranches:
    """A market whose signs, permit and notice are under way."""

    def at_market(self, target: Definition) -> Driven:
        """One branch has ended, two run."""
        request = Driven.opened(market(), OPENING)
        request.targets = {"v2": target}
        request.do("complete", OPENING, CREW, task="R-1-T1", outcome="placed")
        return request

    def test_they_go_on_where_they_are(self) -> None:
        """Tasks, waits and what has ended stay; a new team gets what nobody has begun, and the dry run says so."""
        permit = {**market().steps["permit"].model_dump(mode="json", by_alias=True), "team": "desk"}
        notice = {"kind": "wait", "span": "1 calendar day", "waiting_as": "posted", "then": {"timeout": "joined"}}
        request = self.at_market(changed(permit=permit, notice=notice, owner={
            "kind": "wait", "signal": "answer", "then": {"answer": "permit"}}))  # fmt: skip
        said = move(request, at("mon 12:00"))
        assert said["step"] is None
        assert [task["team"] for task in said["tasks"]] == [{"before": "crew", "after": "desk"}]
        (wait,) = said["waits"]
        assert (wait["step"], wait["waiting_as"]) == ("notice", {"before": "notice", "after": "posted"})
        assert wait["until"]["after"] == at("tue 08:00").isoformat()
        assert request.state.joined == ("signs",)
        request.do("tick", at("tue 08:00"), SYSTEM)
        request.do("complete", at("tue 09:00"), task="R-1-T2", outcome="granted")
        assert request.task.step == "set_up"

    def test_the_join_of_the_new_version_holds_for_what_ends_next(self) -> None:
        """What has ended stays ended and ends nothing more; the next branch that ends, ends them all."""
        request = self.at_market(changed("first"))
        assert move(request, at("mon 12:00"))["tasks"] == []
        assert request.task.step == "permit"
        request.do("complete", at("mon 13:00"), task="R-1-T2", outcome="granted")
        assert request.task.step == "set_up"
        assert not request.state.branches

    def test_other_branches_are_refused(self) -> None:
        """One more, and nobody would begin it."""
        base = market().model_dump(mode="json", by_alias=True)["steps"]
        more = {**base["prepare"], "branches": {**base["prepare"]["branches"], "more": ["more"]}}
        target = Definition.model_validate({
            **market().model_dump(mode="json", by_alias=True),
            "steps": {**base, "prepare": more, "more": {**base["notice"]}},
        })  # fmt: skip
        refusal = self.at_market(target).no("move", at("mon 12:00"), version="v2")
        assert refusal.message == "step 'prepare' has other branches there"

    def test_a_step_of_another_kind_in_a_branch_is_refused(self) -> None:
        """A branch cannot be entered in its middle; named, and what can be done."""
        target = changed(notice={"kind": "task", "title": "Post it", "team": "crew", "then": {"done": "joined"}})
        request = self.at_market(target)
        refusal = request.no("move", at("mon 12:00"), version="v2")
        assert refusal.message == "step 'notice' of a branch is of another kind there"
        said = move(request, at("mon 12:00"), steps={"prepare": "too_large"})
        assert (said["anew"], request.task.step) == ("too_large", "too_large")
        assert not request.state.branches

    def test_a_renamed_step_of_a_branch_needs_its_name(self) -> None:
        """Mapped, its task goes on in its branch."""
        base = market().model_dump(mode="json", by_alias=True)
        steps = {("ask" if name == "permit" else name): step for name, step in base["steps"].items()}
        steps["prepare"]["branches"]["permit"] = ["ask", "owner"]
        steps["owner"]["then"]["answer"] = "ask"
        deadlines = {**base["deadlines"], "permit": {**base["deadlines"]["permit"], "met_by": "ask"}}
        request = self.at_market(Definition.model_validate({**base, "steps": steps, "deadlines": deadlines}))
        assert request.no("move", at("mon 12:00"), version="v2").code == "step_missing"
        said = move(request, at("mon 12:00"), steps={"permit": "ask"})
        assert said["step"] == {"before": "prepare + permit + notice", "after": "prepare + ask + notice"}
        request.do("complete", at("mon 13:00"), task="R-1-T2", outcome="granted")
        assert request.clock("permit").state == "met"
        assert request.state.joined == ("signs", "permit")
