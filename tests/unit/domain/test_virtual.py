"""The driver of virtual time takes the turns that the store and the timer take, and decides nothing itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fixline.domain.process.decision import Decision, Refusal
from fixline.domain.process.virtual import NeverRests, VirtualRequest
from tests.support.domain.driver import command
from tests.support.domain.samples import ADMIN, at, simple

WEEK = timedelta(days=7)


def opened() -> VirtualRequest:
    """A request with a deadline of two working days and a repeating rung."""
    definition = simple(
        intake={"location": "none", "questions": {}},
        deadlines={
            "resolve": {
                "met_by": "closed",
                "within": {"otherwise": "2 working days"},
                "escalate": [
                    {"at_due": True, "tell": "boss"},
                    {"after": "1 working day", "every": "1 working day", "up_to": 3, "tell": "boss"},
                ],
            }
        },
        start="work",
        steps={
            "work": {"kind": "task", "title": "Do it", "team": "crew", "then": {"done": "end", "later": "rest"}},
            "rest": {"kind": "wait", "span": "7 calendar days", "then": {"timeout": "work"}},
            "end": {"kind": "close", "outcome": "fixed"},
        },
    )
    request = VirtualRequest(definition, "SR26-00000001")
    result = request.give(command("open", type=definition.type, version="v"), at("mon 08:00"), ADMIN)
    assert isinstance(result, Decision), result
    return request


def test_time_passes_in_ticks() -> None:
    """Each tick is at the instant that falls due, in order, up to the instant asked for."""
    request = opened()
    decisions = request.run_until(at("mon 08:00") + WEEK)
    kinds = [entry.kind for decision in decisions for entry in decision.entries]
    assert kinds == ["clock_breached", "rung_fired", "rung_fired", "rung_fired", "rung_fired"]
    assert [decision.at for decision in decisions] == sorted({decision.at for decision in decisions})
    assert request.next_at is None


def test_up_to_an_instant_or_through_it() -> None:
    """Without `through`, what is due at the very instant waits for what is done then."""
    request = opened()
    due = request.next_at
    assert due is not None
    assert request.run_until(due, through=False) == []
    assert len(request.run_until(due)) == 1


def test_a_tick_before_its_time_looks_up_the_next_instant() -> None:
    """Nothing is due: nothing is decided, and the next instant is as it was."""
    request = opened()
    due = request.next_at
    assert request.tick(at("mon 09:00")) is None
    assert request.next_at == due


def test_a_refusal_changes_nothing() -> None:
    """The state stays; the caller has the refusal."""
    request = opened()
    before = request.state
    result = request.give(command("resume"), at("mon 09:00"), ADMIN)
    assert isinstance(result, Refusal)
    assert request.state is before


def test_nothing_ticks_before_the_opening() -> None:
    """A request that is not open has no time."""
    request = VirtualRequest(opened().definition, "SR26-00000001")
    assert request.run_until(at("mon 08:00")) == []
    with pytest.raises(LookupError):
        request.tick(at("mon 08:00"))


def test_what_never_rests_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks without an end are an error that names the request and the instant."""
    monkeypatch.setattr("fixline.domain.process.virtual.MOST_TICKS", 2)
    with pytest.raises(NeverRests, match="SR26-00000001"):
        opened().run_until(at("mon 08:00") + 8 * WEEK)
