"""What one request tells another arrives in its inbox exactly once, in order, on both databases."""

from __future__ import annotations

import pytest

from fixline.domain.decision import Decision, Effect
from fixline.store.effects import EffectUnknown
from fixline.store.opening import decide_opening
from fixline.store.projection import effect_values
from fixline.store.statements import EFFECT
from fixline.store.telling import Told
from tests.support.city import City, at_once
from tests.support.types import errand


def remark(city: City, teller: str, to: str, text: str, number: int) -> str:
    """An effect of the teller's first decision that leaves a remark on another request; its id."""
    decision = decide_opening(city.report("errand"), teller)
    assert isinstance(decision, Decision)
    effect = Effect(
        id=f"{teller}:1:{number}", kind="tell_request", data={"to": to, "command": {"kind": "comment", "text": text}}
    )
    city.store.write(lambda s: s.connection().execute(EFFECT.insert(), effect_values(teller, decision, number, effect)))
    return effect.id


@pytest.fixture
def pair(city: City) -> tuple[str, str]:
    """Two open requests."""
    city.publish(errand(notify=[]))
    return city.open(), city.open()


def texts(city: City, request_id: str) -> list[str]:
    """The remarks on a request, in order."""
    return [row.text for row in city.journal(request_id, "commented")]


def test_a_command_arrives_once(city: City, pair: tuple[str, str]) -> None:
    """However often the effect is taken; the command says who gave it."""
    one, other = pair
    effect = remark(city, one, other, "Hello.", 5)
    _, told = city.effects.tell(one, effect, city.now)
    assert told == [Told(other, "comment", 2)]
    applied, again = city.effects.tell(one, effect, city.now)
    assert again == []
    assert [each.id for each in applied.pending if each.id == effect] == []
    city.advance(other)
    assert texts(city, other) == ["Hello."]
    assert city.journal(other, "commented")[0].actor == one
    (row,) = city.effects_of(one, "tell_request")
    assert (row.state, row.destination, row.result) == ("done", other, {"command": f"{effect}:command", "number": 2})


def test_what_was_to_be_told_before_goes_first(city: City, pair: tuple[str, str]) -> None:
    """A later effect that is taken first takes the earlier ones along; each arrives once."""
    one, other = pair
    first = remark(city, one, other, "First.", 5)
    second = remark(city, one, other, "Second.", 6)
    third = remark(city, one, other, "Third.", 7)
    _, told = city.effects.tell(one, second, city.now)
    assert [each.number for each in told] == [2, 3]
    assert city.effects.tell(one, first, city.now)[1] == []
    city.effects.tell(one, third, city.now)
    city.advance(other)
    assert texts(city, other) == ["First.", "Second.", "Third."]


def test_two_that_tell_each_other_do_not_wait_for_each_other(city: City, pair: tuple[str, str]) -> None:
    """At the same time, many times over."""
    one, other = pair
    there = [remark(city, one, other, f"{n}", n) for n in range(5, 15)]
    back = [remark(city, other, one, f"{n}", n) for n in range(5, 15)]
    pairs = zip(there, back, strict=True)
    for to_other, to_one in pairs:
        at_once(
            [
                lambda effect=to_other: city.effects.tell(one, effect, city.now),  # type: ignore[misc]
                lambda effect=to_one: city.effects.tell(other, effect, city.now),  # type: ignore[misc]
            ]
        )
    for each in pair:
        city.advance(each)
        assert texts(city, each) == [f"{n}" for n in range(5, 15)]


def test_no_more_bells_than_a_request_takes(city: City, pair: tuple[str, str]) -> None:
    """What has no bell of its own waits for one of the others."""
    one, other = pair
    effects = [remark(city, one, other, f"{n}", n) for n in range(5, 15)]
    _, told = city.effects.tell(one, effects[-1], city.now)
    assert len(told) == 8
    city.advance(other)
    assert len(texts(city, other)) == 10


def test_an_effect_that_is_not_there(city: City, pair: tuple[str, str]) -> None:
    """The store was restored from an older backup than the workflow."""
    with pytest.raises(EffectUnknown):
        city.effects.tell(pair[0], f"{pair[0]}:9:9", city.now)
