"""Steps that ask somebody else: an outside party that replies, late or never, and a department's system."""

from __future__ import annotations

from typing import Any

import pytest

from fixline.domain.definition.model import Definition
from fixline.domain.journal.entry import rebuild
from fixline.domain.process.commands import SYSTEM
from fixline.domain.process.decision import Decision
from fixline.domain.records import change
from tests.support.domain.driver import Driven
from tests.support.domain.samples import ADMIN, FIXED, SERVICE, at, simple, with_clock

LATE = {"kind": "task", "title": "Call them", "team": "crew", "then": {"repaired": "fixed", "ask_again": "gas"}}
GAS: dict[str, Any] = {
    "kind": "agency",
    "agency": "gas-works",
    "send": ["description", "depth", "photos"],
    "waiting_as": "with_gas",
    "reply_within": "1 calendar day",
    "then": {"repaired": "fixed", "refused": "late", "no_reply": "late"},
}
PERMIT: dict[str, Any] = {
    "kind": "call",
    "call": "permits-office",
    "send": ["place", "depth"],
    "at_most": "2 calendar hours",
    "then": {"granted": "fixed", "refused": "late", "timeout": "late"},
}
INTAKE = {"location": "optional", "questions": {"depth": {"kind": "number"}}}


def asking(step: dict[str, Any], **changes: Any) -> Definition:
    """A type that asks somebody else at once."""
    steps = {"gas": step, "late": LATE, "fixed": FIXED}
    return simple(start="gas", steps=steps, intake=INTAKE, notify=["step_done"], **changes)


def opened(step: dict[str, Any], **changes: Any) -> Driven:
    """A request that has just asked."""
    body = {"place": {"address": "1 Main Street"}, "answers": {"depth": 4}, "description": "Smells"}
    return Driven.opened(asking(step, **changes), at("mon 08:00"), has_contact=True, **body)


def answer(request: Driven, outcome: str, when: str = "mon 09:00", **changes: Any) -> Any:
    """The report that a system's answer comes with."""
    effect = request.effects[-1]
    body = {"effect": effect.id, "effect_kind": "call", "step": "gas", "visit": 1, "outcome": outcome, **changes}
    return {"now": at(when), "actor": SYSTEM, **body}


def test_an_agency_is_asked_with_what_the_step_sends() -> None:
    """The place always, the rest by name; nothing that was not named, and no contact."""
    request = opened(GAS)
    (effect,) = [each for each in request.effects if each.kind == "ask_agency"]
    assert effect.data == {
        "agency": "gas-works",
        "step": "gas",
        "visit": 1,
        "at": "2026-06-01T13:00:00Z",
        "outcomes": ["repaired", "refused"],
        "fields": {
            "place": {"latitude": None, "longitude": None, "address": "1 Main Street"},
            "description": "Smells",
            "depth": 4,
            "photos": [],
        },
    }
    assert request.state.conditions == {"with_gas"}
    assert request.next_at == at("tue 08:00")


def test_what_is_not_there_is_sent_as_nothing() -> None:
    """A question that was not answered, a place that was not given."""
    request = Driven.opened(asking(GAS), at("mon 08:00"))
    fields: dict[str, Any] = {"place": None, "description": None, "depth": None, "photos": []}
    assert request.effects[0].data["fields"] == fields


def test_a_delivered_message_is_noted() -> None:
    """What the effect learned: by which way the party was asked."""
    request = opened(GAS)
    body: dict[str, Any] = {"effect": "R-1:1:1", "effect_kind": "ask_agency", "step": "gas", "visit": 1}
    request.do("effect_result", at("mon 08:01"), SYSTEM, told="gas-works", channel="webhook", **body)
    (entry,) = request.entries("agency_asked")
    assert entry.text == "gas-works was asked (webhook)."


def test_a_reply_goes_on_with_its_reference() -> None:
    """The reply leads to its step; the reporter is told."""
    request = opened(GAS)
    request.do("agency_reply", at("mon 10:00"), SERVICE, outcome="repaired", reference="G-77", reason="Leak mended.")
    (entry,) = request.entries("agency_replied")
    assert entry.text == "gas-works: repaired. Reference G-77. Leak mended."
    assert (entry.actor, entry.data["reference"]) == ("app", "G-77")
    assert request.state.closed
    assert [effect.data["event"] for effect in request.effects if effect.kind == "notify"] == ["step_done"]
    assert rebuild(request.journal) == request.state


def test_no_reply_in_time_leads_to_its_own_step() -> None:
    """And a reply at the very instant is in time."""
    silent = opened(GAS)
    silent.do("tick", at("tue 08:00"), SYSTEM)
    assert (silent.state.taken[-1].outcome, silent.task.step) == ("no_reply", "late")
    prompt = opened(GAS)
    prompt.do("agency_reply", at("tue 08:00"), SERVICE, outcome="repaired")
    assert prompt.state.closed


def test_a_late_reply_is_noted_and_changes_nothing() -> None:
    """Also once the request is closed; what is no reply of the step is refused all the same."""
    request = opened(GAS)
    request.do("tick", at("tue 08:00"), SYSTEM)
    before = request.state
    request.do("agency_reply", at("tue 09:00"), SERVICE, outcome="repaired", reference="G-77")
    (entry,) = request.entries("late_reply")
    assert entry.text == "gas-works replied too late: repaired. Reference G-77."
    numbers = {"decision": before.decision, "seq": before.seq, "decided_at": before.decided_at}
    assert change(request.state, **numbers) == before
    assert request.no("agency_reply", at("tue 09:00"), outcome="moon").code == "unknown_outcome"
    request.do("complete", at("tue 10:00"), ADMIN, task=request.task.id, outcome="repaired")
    request.do("agency_reply", at("tue 11:00"), SERVICE, outcome="refused")
    assert len(request.entries("late_reply")) == 2


def test_a_reply_is_refused_when_nobody_waits_for_it() -> None:
    """A second reply, a reply after the request was sent elsewhere, a reply to a closed request."""
    request = opened(GAS)
    request.do("agency_reply", at("mon 10:00"), SERVICE, outcome="refused")
    assert request.no("agency_reply", at("mon 11:00"), outcome="repaired").code == "no_agency_awaited"
    request.do("send_back", at("mon 11:00"), step="gas", reason="x")
    assert request.no("agency_reply", at("mon 11:00"), outcome="repaired", step="late").code == "no_agency_awaited"
    request.do("send_back", at("mon 12:00"), step="late", reason="x")
    assert request.no("agency_reply", at("mon 12:00"), outcome="repaired").code == "no_agency_awaited"
    request.do("cancel", at("mon 13:00"), reason="x")
    assert request.no("agency_reply", at("mon 13:00"), outcome="repaired").code == "request_closed"


def test_nobody_can_reply_that_there_was_no_reply() -> None:
    """That outcome is the clock's own."""
    refusal = opened(GAS).no("agency_reply", at("mon 09:00"), outcome="no_reply")
    assert (refusal.code, refusal.data["outcomes"]) == ("unknown_outcome", ["repaired", "refused"])


def test_a_deadline_pauses_while_an_agency_has_the_request() -> None:
    """The state's name is the step's `waiting_as`."""
    deadlines = with_clock("2 working days", paused_while=["with_gas"]).deadlines
    request = opened(GAS, deadlines=deadlines)
    assert request.clock().state == "paused"
    request.do("agency_reply", at("mon 12:00"), SERVICE, outcome="refused")
    assert request.due() == at("wed 12:00")


def test_a_system_is_called_and_its_answer_is_the_outcome() -> None:
    """The answer comes as the report of the effect."""
    request = opened(PERMIT)
    (effect,) = request.effects
    assert (effect.kind, effect.data["system"]) == ("call", "permits-office")
    assert set(effect.data["fields"]) == {"place", "depth"}
    assert effect.data["outcomes"] == ["granted", "refused"]
    result = request.do("effect_result", **answer(request, "granted"))
    assert isinstance(result, Decision)
    assert [entry.kind for entry in result.entries][:3] == ["call_answered", "step_left", "step_entered"]
    assert request.state.closed
    assert rebuild(request.journal) == request.state


def test_a_system_that_does_not_answer_in_time() -> None:
    """The step is left with timeout; an answer that comes then is moot."""
    request = opened(PERMIT)
    report = answer(request, "granted", "mon 10:01")
    request.do("tick", at("mon 10:00"), SYSTEM)
    assert request.task.step == "late"
    assert request.no("effect_result", **report).code == "step_moved_on"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"outcome": "timeout"}, "unknown_outcome"),
        ({"outcome": "moon"}, "unknown_outcome"),
        ({"visit": 2}, "step_moved_on"),
    ],
)
def test_an_answer_that_cannot_be_taken(changes: dict[str, Any], code: str) -> None:
    """An outcome of the clock, one that is none, an answer for another visit."""
    request = opened(PERMIT)
    assert request.no("effect_result", **{**answer(request, "granted"), **changes}).code == code


def test_a_wait_beyond_the_calendar_has_no_end() -> None:
    """The request waits on; nothing is due by itself."""
    assert opened({**GAS, "reply_within": "40000 working days"}).next_at is None
