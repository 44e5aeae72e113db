"""Effects that reach outside: delivered once by their key, kept when they fail, dropped when nobody waits any more."""

from __future__ import annotations

from typing import Any

import pytest

from fixline.domain.process.commands import EffectResult
from fixline.domain.process.effects import Call
from fixline.service.effects import EffectUnknown
from fixline.service.submissions import Locked
from tests.support.city import City
from tests.support.consistency import assert_consistent
from tests.support.types import asking


@pytest.fixture
def asked(city: City) -> str:
    """A request that has asked the permits office."""
    city.publish(asking())
    return city.open("asking", answers={"depth": 3})


def reach(city: City, request_id: str, outcome: str = "granted", fault: str | None = None) -> list[tuple[str, str]]:
    """Take the effect; the keys and types with which the outside was reached."""
    reached: list[tuple[str, str]] = []

    def reaching(effect: Call, request: Locked) -> EffectResult:
        reached.append((effect.id, request.type))
        if fault is not None:
            raise OSError(fault)
        about = {"effect": effect.id, "effect_kind": "call", "step": effect.step, "visit": effect.visit}
        return EffectResult(**about, outcome=outcome)

    city.reach(request_id, [f"{request_id}:1:1"], reaching)
    return reached


def test_an_answer_is_decided_with_the_effects_mark(city: City, asked: str) -> None:
    """Report and mark are one transaction; taken again, nothing is reached."""
    (effect,) = city.effects_of(asked, "call")
    assert (effect.kind, effect.reach, effect.destination) == ("call", "outside", "permits-office")
    assert effect.data["fields"] == {"depth": 3, "place": None}
    city.later(minutes=5)
    assert reach(city, asked) == [(f"{asked}:1:1", "asking")]
    assert reach(city, asked) == []
    (effect,) = city.effects_of(asked, "call")
    assert (effect.state, effect.done_at) == ("done", city.now)
    assert effect.result == {"step": "permit", "visit": 1, "outcome": "granted"}
    assert city.journal(asked, "call_answered")[0].at == city.now
    assert city.task(asked).step == "work"
    assert_consistent(city.store)


def test_a_failed_try_is_seen_and_does_not_count(city: City, asked: str) -> None:
    """The row keeps the error; the effect stays to be taken."""
    for attempt in (1, 2):
        with pytest.raises(OSError, match="no line"):
            reach(city, asked, fault="no line")
        (effect,) = city.effects_of(asked, "call")
        assert (effect.state, effect.attempts, effect.last_error) == ("failed", attempt, "OSError: no line")
    assert [each.effect_id for each in city.due(asked).effects] == [f"{asked}:1:1"]
    reach(city, asked)
    (effect,) = city.effects_of(asked, "call")
    assert (effect.state, effect.attempts, effect.last_error) == ("done", 3, None)


def test_nobody_is_reached_for_a_step_that_was_left(city: City, asked: str) -> None:
    """The effect is dropped with its last error; it was not done, and is no longer to be taken."""
    with pytest.raises(OSError, match="no line"):
        reach(city, asked, fault="no line")
    city.do(asked, "send_back", step="work", reason="They are on strike.")
    assert reach(city, asked) == []
    (effect,) = city.effects_of(asked, "call")
    assert (effect.state, effect.done_at, effect.last_error) == ("dropped", None, "OSError: no line")
    assert [each.kind for each in city.due(asked).effects] == ["dispatch"]
    assert reach(city, asked) == []
    assert_consistent(city.store)


def test_a_second_visit_asks_anew_and_the_first_is_dropped(city: City, asked: str) -> None:
    """Each visit has a key of its own."""
    city.do(asked, "send_back", step="permit", reason="Ask again.")
    assert reach(city, asked) == []
    assert [effect.state for effect in city.effects_of(asked, "call")] == ["dropped", "pending"]


def test_an_answer_that_crosses_the_end_of_the_wait(city: City, asked: str) -> None:
    """The system was called, so the effect is done; its report is refused."""

    def reaching(effect: Call, _request: Locked) -> EffectResult:
        city.do(asked, "send_back", step="work", reason="x")
        return EffectResult(effect=effect.id, effect_kind="call", step="permit", visit=1, outcome="granted")

    city.reach(asked, [f"{asked}:1:1"], reaching)
    report = city.commands(asked)[-1]
    assert (report.state, report.answer["code"]) == ("refused", "step_moved_on")
    assert city.effects_of(asked, "call")[0].state == "done"
    assert_consistent(city.store)


def test_effects_that_nobody_knows(city: City, asked: str) -> None:
    """The store was restored from an older backup than the workflow."""

    def never(*_: Any) -> None:
        raise AssertionError

    with pytest.raises(EffectUnknown):
        city.reach(asked, [f"{asked}:9:9"], never)
