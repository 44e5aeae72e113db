"""Duplicates whose original is opened again, recategorised or moved: the whole life of an attached request."""

from __future__ import annotations

import pytest

from fixline.domain.definition.model import Definition
from fixline.domain.journal.entry import rebuild
from fixline.domain.process.decision import Refusal
from tests.support.domain.samples import at
from tests.support.domain.town import Town, assert_at_rest, holes, notices


@pytest.fixture
def town() -> Town:
    """Three requests about the same hole."""
    made = Town(holes(), at("mon 09:00"))
    for _ in range(3):
        made.open()
    return made


def test_duplicates_open_again_with_their_original(town: Town) -> None:
    """They rest as before, each reporter is told, and they close with it again."""
    town.attach(2, to=1)
    town.close(1)
    town.now = at("wed 10:00")
    town.do(1, "reopen", reason="it is back")
    second = town[2]
    assert_at_rest(second)
    assert (second.state.attached_to, second.state.reopened, second.state.outcome) == ("R-1", 1, None)
    assert notices(second) == ["received", "closed", "reopened"]
    assert second.journal[-1].text == "R-1, of which it is a duplicate, was opened again."
    assert rebuild(second.journal) == second.state
    town.close(1)
    assert (second.state.outcome, town[1].state.attached) == ("duplicate", ("R-2",))


def test_a_duplicate_that_had_opened_again_is_looked_at_anew(town: Town) -> None:
    """With deadlines that count from then, when nothing is found this time."""
    town.attach(2, to=1)
    town.close(1)
    town.do(1, "reopen", reason="it is back")
    town.now = at("thu 10:00")
    town.close(1, "nothing")
    assert (town[2].task.step, town[2].state.visits) == ("work", {"work": 1})
    (clock,) = [clock for clock in town[2].state.live_clocks if clock.promise == "resolve"]
    assert clock.started_at == town.now


def test_what_closed_by_itself_stays_closed(town: Town) -> None:
    """A cancelled duplicate; and one whose reporter had it reopened is a duplicate of none."""
    town.attach(2, to=1)
    town.attach(3, to=1)
    town.do(2, "cancel", reason="mine")
    town.close(1)
    town.do(3, "reopen", reason="still there")
    town.do(1, "reopen", reason="it is back")
    assert (town[2].state.outcome, town[3].state.attached_to, town[3].task.step) == ("cancelled", None, "work")
    assert town[1].state.attached == ()
    for number, code in ((2, "request_closed"), (3, "not_attached")):
        refusal = town.give(number, "original_reopened", original="R-1")
        assert isinstance(refusal, Refusal)
        assert refusal.code == code


def test_an_open_duplicate_is_not_opened_again(town: Town) -> None:
    """What is told twice is nothing new."""
    town.attach(2, to=1)
    refusal = town.give(2, "original_reopened", original="R-1")
    assert isinstance(refusal, Refusal)
    assert refusal.code == "nothing_changed"


def test_a_recategorised_original_keeps_its_duplicates(town: Town) -> None:
    """They stay of their own type, attached, and close with it."""
    town.attach(2, to=1)
    town[1].targets = {"o1": Definition.model_validate({**holes().model_dump(by_alias=True), "type": "other"})}
    town.do(1, "recategorise", type="other", version="o1", reason="it is another")
    assert_at_rest(town[2])
    assert (town[1].state.attached, town[2].state.type) == (("R-2",), "simple")
    refusal = town.give(2, "recategorise", type="other", version="o1", reason="it, too")
    assert isinstance(refusal, Refusal)
    assert refusal.code == "request_attached"
    town.close(1)
    assert (town[1].state.type, town[2].state.outcome) == ("other", "duplicate")


def test_a_moved_original_keeps_its_duplicates(town: Town) -> None:
    """They keep their version, and close with it."""
    town.attach(2, to=1)
    town[1].targets = {"v2": holes(within_m=50)}
    town.do(1, "move", version="v2")
    assert (town[1].state.attached, town[2].state.version) == (("R-2",), "v1")
    assert_at_rest(town[2])
    town.close(1)
    assert town[2].state.outcome == "duplicate"
