"""What one request tells another is decided there exactly once, in order, on both databases."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import pytest

from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import RequestState
from fixline.domain.process.advance import advance as real_advance
from fixline.domain.process.commands import COMMAND, Command
from fixline.domain.process.decision import Decision, Refusal
from fixline.domain.process.effects import TellRequest
from fixline.domain.records import change
from fixline.messages import EffectInput
from fixline.service import commands
from fixline.service.effects import EffectUnknown
from fixline.service.opening import decide_opening
from fixline.store.projection import effect_values
from fixline.store.statements import EFFECT
from tests.support.city import City, at_once
from tests.support.consistency import assert_consistent
from tests.support.types import errand


def tell(city: City, teller: str, to: str, number: int, **command: Any) -> str:
    """An effect of the teller's first decision that gives another request a command; its id."""
    decision = decide_opening(city.report("errand"), teller)
    effect = TellRequest(id=f"{teller}:1:{number}", to=to, command=COMMAND.validate_python(command))
    (row,) = effect_values(teller, change(decision, effects=(effect,)))
    city.store.write(lambda s: s.connection().execute(EFFECT.insert(), row | {"number": number}))
    return effect.id


def remark(city: City, teller: str, to: str, text: str, number: int) -> str:
    """An effect that leaves a remark on another request; its id."""
    return tell(city, teller, to, number, kind="comment", text=text)


@pytest.fixture
def pair(city: City) -> tuple[str, str]:
    """Two open requests."""
    city.publish(errand(kind="task", notify=[]))
    return city.open(), city.open()


def texts(city: City, request_id: str) -> list[str]:
    """The remarks on a request, in order."""
    return [row.text for row in city.journal(request_id, "commented")]


def test_a_command_is_decided_once(city: City, pair: tuple[str, str]) -> None:
    """However often the effect is taken; the command says who gave it."""
    one, other = pair
    effect = remark(city, one, other, "Hello.", 2)
    city.later(minutes=1)
    work, signal = city.effects.tell(EffectInput(one, effect, city.now))
    assert texts(city, other) == ["Hello."]
    assert city.journal(other, "commented")[0].actor == one
    assert [each.effect_id for each in work.effects] == [f"{one}:1:1"]
    assert signal is not None
    assert (signal.request_id, signal.name, signal.starts) == (other, "comment", False)
    assert signal.work == city.work(other)
    (row,) = city.effects_of(one, "tell_request")
    assert (row.state, row.destination, row.done_at, row.attempts) == ("done", other, city.now, 1)
    assert row.result == {"command": f"{effect}:command", "number": 2}
    assert city.command(f"{effect}:command").caller == one
    assert city.effects.tell(EffectInput(one, effect, city.now)) == (work, None)
    assert texts(city, other) == ["Hello."]
    assert_consistent(city.store)


def test_the_teller_knows_and_the_other_has_to_be_told(city: City, pair: tuple[str, str]) -> None:
    one, other = pair
    city.effects.tell(EffectInput(one, remark(city, one, other, "Hello.", 2), city.now))
    found = [(row.decision, row.signalled) for row in map(city.request, pair)]
    assert found == [(1, 1), (2, 0)]


def test_what_was_to_be_told_before_goes_first(city: City, pair: tuple[str, str]) -> None:
    """A later effect that is taken first takes the earlier ones along; each is decided once, one signal says all."""
    one, other = pair
    first = remark(city, one, other, "First.", 2)
    second = remark(city, one, other, "Second.", 3)
    third = remark(city, one, other, "Third.", 4)
    _, signal = city.effects.tell(EffectInput(one, second, city.now))
    assert signal is not None
    assert signal.work.decision == 3
    assert city.effects.tell(EffectInput(one, first, city.now))[1] is None
    city.effects.tell(EffectInput(one, third, city.now))
    assert texts(city, other) == ["First.", "Second.", "Third."]
    assert_consistent(city.store)


def test_two_that_tell_each_other_do_not_wait_for_each_other(
    city: City, pair: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """At the same time, many times over; the database has to undo none of it."""
    caplog.set_level(logging.INFO)
    one, other = pair
    there = [remark(city, one, other, f"{n}", n) for n in range(2, 12)]
    back = [remark(city, other, one, f"{n}", n) for n in range(2, 12)]
    pairs = zip(there, back, strict=True)
    for to_other, to_one in pairs:
        at_once(
            [
                lambda effect=to_other: city.effects.tell(EffectInput(one, effect, city.now)),  # type: ignore[misc]
                lambda effect=to_one: city.effects.tell(EffectInput(other, effect, city.now)),  # type: ignore[misc]
            ]
        )
    for each in pair:
        assert texts(city, each) == [f"{n}" for n in range(2, 12)]
    assert "trying again" not in caplog.text
    assert_consistent(city.store)


def test_what_the_other_refuses_is_kept_there(city: City, pair: tuple[str, str]) -> None:
    """Nobody waits for the answer; the effect is done."""
    one, other = pair
    effect = tell(city, one, other, 2, kind="resume")
    _, signal = city.effects.tell(EffectInput(one, effect, city.now))
    row = city.command(f"{effect}:command")
    assert (row.request_id, row.state, row.answer["code"]) == (other, "refused", "not_on_hold")
    assert [each.state for each in city.effects_of(one, "tell_request")] == ["done"]
    assert signal is not None
    assert signal.work.decision == city.request(other).decision == 1
    assert_consistent(city.store)


def break_rules(monkeypatch: pytest.MonkeyPatch, request_id: str) -> None:
    """A fault of ours in every decision about one request."""

    def advance(
        definition: Definition, state: RequestState | None, command: Command, now: datetime, **how: Any
    ) -> Decision | Refusal:
        if how["request_id"] == request_id:
            raise ZeroDivisionError("a fault of ours")
        return real_advance(definition, state, command, now, **how)

    monkeypatch.setattr(commands, "advance", advance)


def test_a_fault_at_the_other_has_the_command_wait_there(
    city: City, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """So the teller has nothing left to do, and the other one's workflow tries it; what was told stays in order."""
    one, other = pair
    first, second = remark(city, one, other, "First.", 2), remark(city, one, other, "Second.", 3)
    with monkeypatch.context() as broken, caplog.at_level(logging.ERROR):
        break_rules(broken, other)
        work, signal = city.effects.tell(EffectInput(one, second, city.now))
    assert f"deciding what {one} tells another failed" in caplog.text
    rows = [city.command(f"{effect}:command") for effect in (first, second)]
    assert [(row.state, row.number, row.attempts, row.fault) for row in rows] == [
        ("waiting", 2, 1, "ZeroDivisionError: a fault of ours"),
        ("waiting", 3, 1, "ZeroDivisionError: a fault of ours"),
    ]
    assert [each.state for each in city.effects_of(one, "tell_request")] == ["done", "done"]
    assert [each.kind for each in work.effects] == ["dispatch"]
    assert signal is not None
    assert (signal.request_id, signal.work.decision, signal.work.waiting) == (other, 1, 2)
    assert_consistent(city.store)
    city.due(other)
    assert texts(city, other) == ["First.", "Second."]
    assert_consistent(city.store)


def test_what_cannot_be_told_at_all_stays_to_be_told(city: City, pair: tuple[str, str]) -> None:
    """An effect that is no command any more, by a mistake of ours, is no reason to lose it."""
    one, other = pair
    effect = remark(city, one, other, "First.", 2)
    nonsense = {"data": {"to": other, "command": {"kind": "nonsense"}}}
    city.store.write(lambda s: s.connection().execute(EFFECT.update().where(EFFECT.c.id == effect), nonsense))
    with pytest.raises(ValueError, match="nonsense"):
        city.effects.tell(EffectInput(one, effect, city.now))
    (kept,) = city.effects_of(one, "tell_request")
    assert (kept.state, kept.attempts) == ("failed", 1)
    assert "nonsense" in (kept.last_error or "")
    assert city.request(other).last_command == 1


def test_an_effect_that_is_not_there(city: City, pair: tuple[str, str]) -> None:
    """The store was restored from an older backup than the workflow."""
    with pytest.raises(EffectUnknown):
        city.effects.tell(EffectInput(pair[0], f"{pair[0]}:9:9", city.now))
