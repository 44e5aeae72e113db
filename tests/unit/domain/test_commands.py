"""The other commands: opening, amending, sending back, holding, cancelling, remarks, signals.

Owns the cases of `fixline.domain.process.advance` that are about neither tasks nor clocks, and of the command bodies.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from fixline.domain.definition.vocabulary import CloseOutcome, Priority
from fixline.domain.journal.entry import evolve, read_entry, rebuild
from fixline.domain.journal.state import ClockState, TaskState, read_state
from fixline.domain.process.advance import advance
from fixline.domain.process.commands import COMMAND, SYSTEM, Actor, Comment, Open
from fixline.domain.records import to_text
from tests.support.domain.driver import Driven, command
from tests.support.domain.samples import (
    ADMIN,
    CREW,
    REPORTER,
    SERVICE,
    SUPERVISOR,
    at,
    pothole,
    simple,
    vehicle,
    with_clock,
)

OPENING = at("mon 08:00")
NINE, TEN = at("mon 09:00"), at("mon 10:00")
GOOD_FORM = {"depth": 5, "photo": "p"}


def hole(**body: Any) -> Driven:
    """A pothole that has just been reported."""
    return Driven.opened(pothole(), OPENING, **body)


def to_repair(**body: Any) -> Driven:
    """A pothole that is to be repaired."""
    request = hole(**body)
    request.do("complete", NINE, task="R-1-T1", outcome="pothole", form=GOOD_FORM)
    return request


class TestOpen:
    """A report becomes a request."""

    def test_first_decision(self) -> None:
        """Opened, its clocks running, at its first step, the reporter told."""
        request = Driven(pothole())
        answers = {"lane": "bike"}
        decision = request.open(OPENING, answers=answers, has_contact=True, photos=["a", "b"], description="deep")
        assert (decision.number, decision.entries[0].kind) == (1, "opened")
        assert (request.state.priority, request.state.answers) == (Priority.HIGH, answers)
        assert set(request.state.clocks) == {"first_look", "resolve", "T1.claim"}
        assert [effect.kind for effect in decision.effects] == ["notify", "order_inspection"]

    def test_nobody_to_tell(self) -> None:
        """Without contact data there is nobody to notify."""
        assert [effect.kind for effect in hole().effects] == ["order_inspection"]

    @pytest.mark.parametrize("place", [None, {}, {"address": " "}])
    def test_without_a_place(self, place: Any) -> None:
        """A type that needs a place is refused without one."""
        request = Driven(pothole())
        body = {"type": "pothole", "version": "v1", "answers": {"lane": "bike"}, "place": place}
        assert request.no("open", OPENING, SERVICE, **body).code == "location_missing"

    def test_wrong_answers(self) -> None:
        """What the answers get wrong is said by field."""
        request = Driven(pothole())
        body = {"type": "pothole", "version": "v1", "place": {"address": "1 Main"}, "answers": {"depth": 101}}
        refusal = request.no("open", OPENING, SERVICE, **body)
        assert [(p.field, p.code) for p in refusal.fields] == [("lane", "missing"), ("depth", "too_large")]

    def test_needs_an_aware_now(self) -> None:
        """A naive instant is a fault of the caller's."""
        with pytest.raises(ValueError, match="zone"):
            advance(
                simple(),
                None,
                Open(type="simple", version="v1"),
                dt.datetime(2026, 6, 1),  # noqa: DTZ001 - the fault that is tested
                actor=SERVICE,
                request_id="R-1",
            )

    def test_any_zone(self) -> None:
        """Instants are kept in UTC, whatever zone they come in."""
        now = OPENING.astimezone(dt.timezone(dt.timedelta(hours=9)))
        request = Driven.opened(with_clock("1 working day"), now, opened_at=now)
        assert request.state.decided_at.utcoffset() == request.state.opened_at.utcoffset() == dt.timedelta()


class TestAmend:
    """What is wrong is put right."""

    def test_answers_change_the_priority(self) -> None:
        """The priority is computed again, and its budgets."""
        request = hole(has_contact=True)
        decision = request.do("amend", NINE, SERVICE, answers={"depth": 12, "lane": "curb"}, reason="measured")
        assert decision.entries[0].data["answers"] == {"depth": 12}
        assert request.state.priority is Priority.HIGH
        assert [effect.data["event"] for effect in decision.effects] == ["due_changed"]

    def test_answers_of_a_form(self) -> None:
        """What only a step's form asks can be put right, too."""
        request = to_repair()
        request.do("amend", TEN, answers={"photo": "better.jpg"}, reason="blurred")
        assert request.state.answers["photo"] == "better.jpg"

    def test_wrong_answers(self) -> None:
        """An amendment is checked like any answer; what is not said stays."""
        assert hole().no("amend", NINE, answers={"depth": -4}, reason="x").code == "answers_invalid"

    def test_place_moves_the_work(self) -> None:
        """Work not under way goes to the team of the right area, with a new work order."""
        request = to_repair(areas={"district": "1"})
        assert request.task.team == "asphalt-1"
        request.do("reassign", TEN, assignee="zoe", reason="knows it")
        decision = request.do("amend", TEN, place={"address": "9 Elm"}, areas={"district": "2"}, reason="typo")
        assert (request.task.team, request.task.state) == ("asphalt-2", TaskState.OFFERED)
        assert [effect.data["team"] for effect in decision.effects] == ["asphalt-2"]

    def test_outside_every_area(self) -> None:
        """A place outside all areas has the team for elsewhere."""
        request = to_repair(areas={"district": "1"})
        request.do("amend", TEN, place={"address": "9 Elm"}, areas={}, reason="typo")
        assert request.task.team == "asphalt-central"

    def test_work_under_way_stays(self) -> None:
        """A started task stays with its team."""
        request = to_repair(areas={"district": "1"})
        request.do("start", TEN, task=request.task.id)
        request.do("amend", TEN, place={"address": "9 Elm"}, areas={"district": "2"}, reason="typo")
        assert request.task.team == "asphalt-1"

    def test_a_supervisors_choice_stays(self) -> None:
        """A better address in the same area does not undo a reassignment."""
        request = to_repair(areas={"district": "1"})
        request.do("reassign", TEN, team="night", reason="traffic")
        decision = request.do("amend", TEN, place={"address": "9 Elm"}, areas={"district": "1"}, reason="typo")
        assert request.task.team == "night"
        assert decision.effects == ()

    def test_place_cannot_be_taken_away(self) -> None:
        """A type that needs a place keeps one."""
        assert hole().no("amend", NINE, place={}, reason="x").code == "location_missing"

    def test_description(self) -> None:
        """The description is a text like any other; the empty one counts."""
        request = hole(description="deep")
        request.do("amend", NINE, description="", reason="rude")
        assert request.state.description == ""

    def test_nothing(self) -> None:
        """An amendment to what is already so changes nothing."""
        request = hole(description="deep", areas={"district": "1"})
        same: dict[str, Any] = {"description": "deep", "answers": {"lane": "curb"}, "areas": {"district": "1"}}
        refusal = request.no("amend", NINE, place={"address": "1 Main Street"}, reason="x", **same)
        assert refusal.code == "nothing_changed"


class TestSendBack:
    """A wrong outcome is mended by going back."""

    def test_to_a_step(self) -> None:
        """The open task is withdrawn, the step is visited again."""
        request = to_repair()
        decision = request.do("send_back", TEN, SUPERVISOR, step="inspect", reason="wrong hole")
        withdrawn = [task.id for task in decision.tasks if task.state is TaskState.WITHDRAWN]
        assert withdrawn == ["R-1-T2"]
        assert (request.task.step, request.task.visit) == ("inspect", 2)
        assert [(v.step, v.outcome) for v in request.state.taken] == [
            ("inspect", "pothole"),
            ("triage", "repair"),
            ("repair", None),
        ]

    def test_from_a_wait(self) -> None:
        """A wait that is left this way leaves its pause, too."""
        request = hole()
        request.do("send_back", NINE, step="dry_road", reason="rain")
        assert request.clock().state is ClockState.PAUSED
        request.do("send_back", TEN, step="repair", reason="dry")
        assert request.clock().state is ClockState.RUNNING

    def test_to_an_automatic_step(self) -> None:
        """A choice decides at once."""
        request = to_repair()
        request.do("amend", TEN, answers={"depth": 40}, reason="deeper")
        request.do("send_back", TEN, step="triage", reason="deeper")
        assert request.state.position
        assert request.state.position.step == "dry_road"

    @pytest.mark.parametrize("step", ["nowhere", "fixed"])
    def test_not_there(self, step: str) -> None:
        """Neither to a step that does not exist nor to a close; the refusal names the others."""
        refusal = to_repair().no("send_back", TEN, step=step, reason="x")
        assert refusal.code == "unknown_step"
        assert refusal.data["steps"] == ["inspect", "triage", "repair", "dry_road"]

    def test_first_completion_meets_only_once(self) -> None:
        """A deadline that a step has met stays met when the step is visited again."""
        request = to_repair()
        met = request.clock("first_look")
        request.do("send_back", TEN, step="inspect", reason="wrong hole")
        request.do("complete", TEN, task=request.task.id, outcome="pothole", form=GOOD_FORM)
        assert request.clock("first_look") == met


class TestHold:
    """On hold, and on again."""

    def test_and_resume(self) -> None:
        """A hold has a reason and an author; the reporter is told."""
        request = hole(has_contact=True)
        decision = request.do("hold", NINE, SUPERVISOR, reason="festival")
        assert request.state.hold
        assert (request.state.hold.by, request.state.hold.reason) == ("sue", "festival")
        assert [effect.data["event"] for effect in decision.effects] == ["on_hold"]
        decision = request.do("resume", TEN, SUPERVISOR)
        assert not request.state.conditions
        assert [effect.data["event"] for effect in decision.effects] == ["due_changed"]

    def test_not_twice(self) -> None:
        """One hold at a time."""
        request = hole()
        assert request.no("resume", NINE).code == "not_on_hold"
        request.do("hold", NINE, reason="one")
        assert request.no("hold", NINE, reason="two").code == "already_on_hold"

    def test_cancelled_on_hold(self) -> None:
        """A request on hold can be closed; the hold is over with it."""
        request = hole()
        request.do("hold", NINE, reason="one")
        request.do("cancel", TEN, SUPERVISOR, reason="gone")
        assert request.state.hold is None


class TestCancel:
    """Who may withdraw a request, and until when."""

    @pytest.mark.parametrize("actor", [REPORTER, SERVICE])
    def test_reporter_until_a_step(self, actor: Actor) -> None:
        """The reporter may until the step is first entered, whatever happens later."""
        hole().do("cancel", NINE, actor, reason="gone")
        request = to_repair()
        assert request.no("cancel", TEN, actor, reason="gone").code == "not_cancellable"
        request.do("send_back", TEN, step="inspect", reason="wrong hole")
        assert request.no("cancel", TEN, actor, reason="gone").code == "not_cancellable"

    @pytest.mark.parametrize("actor", [SUPERVISOR, ADMIN, SYSTEM])
    def test_supervisor_always(self, actor: Actor) -> None:
        """A supervisor may at any step."""
        request = to_repair()
        request.do("cancel", TEN, actor, reason="street is closed")
        assert request.state.outcome is CloseOutcome.CANCELLED
        assert {clock.state for clock in request.state.clocks.values()} == {ClockState.MET, ClockState.ENDED}
        assert request.clock("resolve").state is ClockState.ENDED

    def test_types_that_cannot_be_cancelled(self) -> None:
        """Where the definition lets nobody, only an admin may."""
        request = Driven.opened(vehicle(), OPENING)
        for actor in (REPORTER, SERVICE, SUPERVISOR):
            assert request.no("cancel", NINE, actor, reason="x").code == "not_cancellable"
        request.do("cancel", NINE, ADMIN, reason="test report")

    def test_reporter_always(self) -> None:
        """`always` means at any step."""
        request = Driven.opened(simple(cancel={"reporter": "always"}), OPENING)
        request.do("complete", NINE, task="R-1-T1", outcome="again")
        request.do("cancel", TEN, REPORTER, reason="gone")


class TestClosed:
    """What closing means, and what a closed request still takes."""

    def test_by_a_step(self) -> None:
        """A close step closes with its outcome, meets the clocks and tells the reporter."""
        request = to_repair(has_contact=True)
        decision = request.do("complete", TEN, task=request.task.id, outcome="done", form={"filled": 1})
        assert (request.state.outcome, request.state.closed_at) == (CloseOutcome.FIXED, TEN)
        assert request.clock("resolve").state is ClockState.MET
        assert decision.effects[-1].data["event"] == "closed"
        assert decision.next_at is None

    def test_remarks_only(self) -> None:
        """A comment is welcome for ever; anything else is refused, naming the outcome."""
        request = to_repair()
        request.do("cancel", TEN, reason="gone")
        request.do("comment", at("fri 10:00"), REPORTER, text="it is back")
        commands: dict[str, dict[str, Any]] = {"hold": {"reason": "x"}, "tick": {}, "cancel": {"reason": "x"}}
        for kind, body in commands.items():
            refusal = request.no(kind, at("fri 11:00"), **body)
            assert (refusal.code, refusal.data["outcome"]) == ("request_closed", "cancelled")

    def test_closed_by_what_was_overdue(self) -> None:
        """A wait that ended before the command closed the request: the command is refused, a tick closes it."""
        wait = {"kind": "wait", "span": "1 calendar day", "then": {"timeout": "fixed"}}
        definition = simple(start="sleep", steps={"sleep": wait, "fixed": {"kind": "close", "outcome": "fixed"}})
        request = Driven.opened(definition, OPENING)
        assert request.no("hold", at("wed 08:00"), reason="x").code == "request_closed"
        assert not request.state.closed
        assert request.do("comment", at("wed 08:00"), text="hello").state.closed

    @pytest.mark.parametrize(
        ("said", "kept"),
        [(NINE, NINE), (at("sun 08:00"), TEN), (OPENING - dt.timedelta(days=3), OPENING)],
    )
    def test_by_its_source(self, said: dt.datetime, kept: dt.datetime) -> None:
        """The source's closing time is kept, within the request's own life."""
        request = hole()
        request.do("source_closed", TEN, SYSTEM, outcome="fixed", closed_at=said, source="legacy")
        assert (request.state.outcome, request.state.closed_at) == (CloseOutcome.FIXED, kept)

    def test_duplicates_meet_nothing(self) -> None:
        """A duplicate ends its clocks unmet."""
        request = hole()
        request.do("source_closed", TEN, SYSTEM, outcome="duplicate", closed_at=TEN, source="legacy")
        assert {clock.state for clock in request.state.clocks.values()} == {ClockState.ENDED}


class TestSignals:
    """A signal counts only where it is awaited."""

    def test_ends_the_wait(self) -> None:
        """The request goes on from its wait."""
        request = hole()
        request.do("send_back", NINE, step="dry_road", reason="rain")
        assert request.no("signal", TEN, name="fog").code == "signal_not_awaited"
        request.do("signal", TEN, name="dry_weather", reason="sunny")
        assert request.task.step == "repair"

    def test_elsewhere(self) -> None:
        """A step of people waits for no signal; the end of time is none."""
        request = hole()
        assert request.no("signal", NINE, name="dry_weather").code == "signal_not_awaited"
        request.do("send_back", NINE, step="dry_road", reason="rain")
        assert request.no("signal", TEN, name="timeout").code == "signal_not_awaited"


class TestBodies:
    """What a command's own model accepts."""

    @pytest.mark.parametrize(
        "body",
        [
            {"kind": "dance"},
            {"kind": "comment"},
            {"kind": "comment", "text": "x", "more": 1},
            {"kind": "comment", "text": "half a character: \ud83d"},
            {"kind": "comment", "text": "a\0b"},
            {"kind": "amend", "reason": "x", "answers": {"n": float("nan")}},
            {"kind": "amend", "reason": "x", "answers": {"n": 10**400}},
            {"kind": "amend", "reason": "x", "answers": {"\ud83d": 1}},
            {"kind": "amend", "reason": "x", "answers": {"n": [[[[[[[[[1]]]]]]]]]}},
            {"kind": "amend", "reason": "x", "place": {"latitude": 41.8}},
            {"kind": "amend", "reason": "x", "place": {"latitude": float("nan"), "longitude": 1}},
            {"kind": "amend", "reason": "x", "place": {"latitude": 91, "longitude": 1}},
            {"kind": "open", "type": "a", "version": "v", "opened_at": "2026-06-01T08:00:00"},
            {"kind": "open", "type": "a", "version": "v", "opened_at": "1816-06-01T08:00:00Z"},
            {"kind": "source_closed", "outcome": "fixed", "source": "s", "closed_at": "2026-06-01T08:00:00"},
            {"kind": "source_closed", "outcome": "lost", "source": "s", "closed_at": "2026-06-01T08:00:00Z"},
        ],
    )
    def test_refused(self, body: dict[str, Any]) -> None:
        """What nobody can keep or read is no command."""
        with pytest.raises(ValidationError):
            COMMAND.validate_python(body)

    def test_survive_json(self) -> None:
        """A command is the same when it is read from its row."""
        what = command("amend", reason="é", place={"latitude": 41.5, "longitude": -87.5}, answers={"n": [1, 2.5, None]})
        assert COMMAND.validate_json(COMMAND.dump_json(what)) == what


class TestJournal:
    """The journal alone leads to the state."""

    def test_needs_its_opening(self) -> None:
        """A journal that is empty or begins in the middle is none."""
        with pytest.raises(ValueError, match="empty"):
            rebuild([])
        request = hole()
        request.do("comment", NINE, text="x")
        with pytest.raises(KeyError, match="opened"):
            evolve(None, request.journal[-1])

    def test_knows_its_kinds(self) -> None:
        """An entry of a kind that nobody wrote is refused."""
        with pytest.raises(KeyError):
            read_entry(seq=99, decision=9, at=NINE, actor="x", kind="danced", text="", data={})

    def test_knows_the_fields_of_its_kinds(self) -> None:
        """Data that do not fit their kind are refused, by name."""
        for data, wrong in (({"reason": "x", "cod": "y"}, "cod"), ({"code": "y"}, "reason"), ({"reason": 3}, "reason")):
            with pytest.raises(msgspec.ValidationError, match=wrong):
                read_entry(seq=9, decision=9, at=NINE, actor="x", kind="held", text="", data=data)

    def test_states_survive_json(self) -> None:
        """A stored state reads back the same."""
        state = to_repair(areas={"district": "1"}).state
        assert read_state(to_text(state)) == state


class TestTexts:
    """What people read."""

    def test_remark(self) -> None:
        """A remark is its own entry, by its author."""
        request = hole()
        (entry,) = request.do("comment", NINE, CREW, text="no sign of it").entries
        assert (entry.actor, entry.text) == ("carl", "no sign of it")

    def test_body_is_data(self) -> None:
        """A body made in Python is the body read from JSON."""
        assert command("comment", text="x") == Comment(text="x")
