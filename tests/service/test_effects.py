"""Effects: taken once, reported in the same transaction, kept when they fail; and the teams' rules."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session

from fixline.domain.process.commands import EffectResult
from fixline.domain.process.effects import Effect
from fixline.messages import EffectInput, PendingWork
from fixline.service.effects import EffectUnknown
from fixline.service.submissions import RequestUnknown
from tests.support.city import City, at_once
from tests.support.consistency import assert_consistent
from tests.support.types import IN_TURN, LEAST_LOADED, ONE_MEMBER, QUEUE, errand, promised


def open_for(city: City, team: str) -> str:
    """Open a request whose first task is for this team."""
    city.publish(errand(team, kind="dispatch"))
    return city.open()


def test_an_effect_is_taken_once(city: City) -> None:
    request_id = open_for(city, IN_TURN)
    (effect,) = city.effects_of(request_id)
    assert (effect.state, effect.attempts, effect.reach, effect.destination) == ("pending", 0, "store", IN_TURN)
    calls: list[str] = []

    def taking(session: Session, found: Any, request: Any) -> EffectResult | None:
        calls.append(found.id)
        return city.crews.give(session, found, request)

    first = city.effects.take(EffectInput(request_id, effect.id, city.now), taking)
    assert city.effects.take(EffectInput(request_id, effect.id, city.later(minutes=1)), taking) == first
    assert calls == [effect.id]
    (done,) = city.effects_of(request_id)
    assert (done.state, done.attempts, done.last_error) == ("done", 1, None)
    assert done.result == {"task": f"{request_id}-T1", "assignee": "anneke-vos", "rule": "round_robin"}
    assert_consistent(city.store, settled=True)


def test_what_an_effect_learned_is_decided_with_it(city: City) -> None:
    request_id = open_for(city, IN_TURN)
    applied = city.take(request_id)
    assert (applied.decision, applied.effects) == (2, [])
    report = city.commands(request_id)[-1]
    assert (report.kind, report.state, report.decision) == ("effect_result", "applied", 2)
    assert report.id == f"{request_id}:1:1:result"
    assert city.request(request_id).last_command == 2
    task = city.task(request_id)
    assert (task.state, task.assignee, task.by_rule) == ("claimed", "anneke-vos", True)


def test_a_report_does_not_wait_for_a_command_that_waits(city: City) -> None:
    """What is left to do says so, and the workflow looks."""
    request_id = open_for(city, IN_TURN)
    waiting = city.waiting(request_id, "comment", text="x")
    work = city.effects.take(EffectInput(request_id, f"{request_id}:1:1", city.now), city.crews.give)
    assert (work.decision, work.waiting) == (2, 1)
    assert city.command(waiting.id).state == "waiting"
    city.due(request_id)
    assert [(row.number, row.decision) for row in city.commands(request_id)] == [(1, 1), (2, 3), (3, 2)]
    assert_consistent(city.store, settled=True)


def test_what_was_due_happens_before_what_an_effect_learned(city: City) -> None:
    city.publish(promised(team=IN_TURN, kind="dispatch"))
    request_id = city.open("promise")
    city.later(minutes=40)
    city.take(request_id)
    kinds = [row.kind for row in city.journal(request_id) if row.decision == 2]
    assert kinds[0] == "rung_fired"
    assert "task_claimed" in kinds
    assert_consistent(city.store)


def test_what_came_of_an_effect_the_workflow_knows(city: City) -> None:
    """Its own activity has taken it."""
    request_id = open_for(city, IN_TURN)
    assert city.request(request_id).signalled == 0
    city.take(request_id)
    assert (city.request(request_id).decision, city.request(request_id).signalled) == (2, 2)


def test_a_fault_in_deciding_what_an_effect_learned_leaves_it_to_be_taken(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither half is written."""
    request_id = open_for(city, IN_TURN)
    with monkeypatch.context() as broken:

        def fails(*_: Any, **__: Any) -> None:
            raise ZeroDivisionError("a fault of ours")

        broken.setattr("fixline.service.commands.advance", fails)
        with pytest.raises(ZeroDivisionError):
            city.take(request_id)
    (effect,) = city.effects_of(request_id)
    assert (effect.state, effect.attempts, effect.last_error) == ("failed", 1, "ZeroDivisionError: a fault of ours")
    assert city.request(request_id).last_command == 1
    city.take(request_id)
    assert city.task(request_id).assignee == "anneke-vos"
    assert_consistent(city.store, settled=True)


def test_a_queue_gives_to_nobody_and_reports_nothing(city: City) -> None:
    request_id = open_for(city, QUEUE)
    assert city.take(request_id).effects == []
    assert city.task(request_id).state == "offered"
    assert [row.kind for row in city.commands(request_id)] == ["open"]
    assert_consistent(city.store, settled=True)


def test_a_work_order_is_moot_when_its_task_has_moved_on(city: City) -> None:
    request_id = open_for(city, IN_TURN)
    city.do(request_id, "claim", task=f"{request_id}-T1", assignee="somebody-else")
    city.take(request_id)
    report = city.commands(request_id)[-1]
    assert (report.state, report.answer["code"]) == ("refused", "task_moved_on")
    assert city.task(request_id).assignee == "somebody-else"
    assert_consistent(city.store, settled=True)


def test_a_work_order_of_a_closed_request_is_moot(city: City) -> None:
    request_id = open_for(city, IN_TURN)
    city.do(request_id, "cancel", reason="x")
    assert city.take(request_id).closed
    assert [row.state for row in city.effects_of(request_id)] == ["done"]
    assert_consistent(city.store, settled=True)


def test_a_failure_keeps_the_effect_and_its_error(city: City) -> None:
    request_id = open_for(city, IN_TURN)

    def fails(session: Session, effect: Any, request: Any) -> EffectResult | None:
        city.crews.give(session, effect, request)
        raise OSError("the crew's radio is silent")

    effect_id = f"{request_id}:1:1"
    for _ in range(2):
        with pytest.raises(OSError, match="radio"):
            city.effects.take(EffectInput(request_id, effect_id, city.now), fails)
    (effect,) = city.effects_of(request_id)
    assert (effect.attempts, effect.last_error, effect.done_at) == (2, "OSError: the crew's radio is silent", None)
    assert [each.effect_id for each in city.due(request_id).effects] == [effect_id]
    assert city.request(request_id).decision == 1
    city.take(request_id)
    (effect,) = city.effects_of(request_id)
    assert (effect.state, effect.attempts, effect.last_error) == ("done", 3, None)
    assert city.task(request_id).assignee == "anneke-vos", "the turns that failed were not kept"
    assert_consistent(city.store, settled=True)


def test_a_failure_does_not_undo_what_another_has_done(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was thought dead fails after another one has taken the effect."""
    request_id = open_for(city, IN_TURN)
    effect_id = f"{request_id}:1:1"
    real_write = city.store.write

    def fails(*_: Any) -> EffectResult | None:
        raise OSError("gone")

    def write(work: Callable[[Session], Any]) -> Any:
        try:
            return real_write(work)
        except OSError:
            monkeypatch.undo()
            city.effects.take(EffectInput(request_id, effect_id, city.now), city.crews.give)
            raise

    monkeypatch.setattr(city.store, "write", write)
    with pytest.raises(OSError, match="gone"):
        city.effects.take(EffectInput(request_id, effect_id, city.now), fails)
    (effect,) = city.effects_of(request_id)
    assert (effect.state, effect.last_error) == ("done", None)
    assert_consistent(city.store, settled=True)


def test_effects_and_requests_that_nobody_knows(city: City) -> None:
    request_id = open_for(city, IN_TURN)
    with pytest.raises(EffectUnknown):
        city.effects.take(EffectInput(request_id, f"{request_id}:9:9", city.now), city.crews.give)
    with pytest.raises(RequestUnknown):
        city.effects.take(EffectInput("SR26-99999999", f"{request_id}:1:1", city.now), city.crews.give)
    assert city.effects_of(request_id)[0].attempts == 0


def told_late(city: City) -> tuple[str, list[str]]:
    """A request of which two rungs have fired in one decision; the effects that tell of them."""
    city.publish(promised())
    request_id = city.open("promise")
    work = city.due(request_id, city.later(hours=2))
    escalations = [each for each in work.effects if each.kind == "escalate"]
    assert len({each.batch for each in escalations}) == 1
    return request_id, [each.effect_id for each in escalations]


def tells(effect: Effect, _found: object) -> EffectResult:
    """Somebody was told."""
    return EffectResult(effect=effect.id, effect_kind=effect.kind, audience=effect.data["role"], told="hana")


def test_effects_of_one_kind_and_decision_are_taken_in_one_transaction(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with a report of its own."""
    request_id, effects = told_late(city)
    writes: list[object] = []
    real_write = city.store.write

    def write(work: Callable[[Session], Any]) -> Any:
        writes.append(work)
        return real_write(work)

    monkeypatch.setattr(city.store, "write", write)
    work = city.reach(request_id, effects, tells)
    assert len(writes) == 1
    assert (work.decision, [each.kind for each in work.effects]) == (4, ["dispatch"])
    reports = [row for row in city.commands(request_id) if row.kind == "effect_result"]
    assert [(row.id, row.decision) for row in reports] == [(f"{effects[0]}:result", 3), (f"{effects[1]}:result", 4)]
    assert city.request(request_id).signalled == 4
    again = city.reach(request_id, effects, lambda *_: pytest.fail("it has been taken"))
    assert again.decision == 4
    assert_consistent(city.store)


def test_of_effects_taken_together_only_the_one_at_fault_is_left(city: City, caplog: pytest.LogCaptureFixture) -> None:
    request_id, (bad, good) = told_late(city)

    def fails(effect: Effect, found: object) -> EffectResult:
        if effect.id == bad:
            raise OSError("the line is dead")
        return tells(effect, found)

    with pytest.raises(OSError, match="dead"):
        city.reach(request_id, [bad, good], fails)
    found = {row.id: (row.state, row.attempts, row.last_error) for row in city.effects_of(request_id, "escalate")}
    assert found == {bad: ("failed", 1, "OSError: the line is dead"), good: ("done", 1, None)}
    work = city.reach(request_id, [bad, good], tells)
    assert [each.kind for each in work.effects] == ["dispatch"]
    assert [row.state for row in city.effects_of(request_id, "escalate")] == ["done", "done"]
    assert len([row for row in city.commands(request_id) if row.kind == "effect_result"]) == 2
    assert_consistent(city.store)


def test_what_cannot_be_found_out_stays_to_be_done(city: City) -> None:
    """Nobody was told; the rows say why."""
    request_id, effects = told_late(city)

    def finding(session: Session, effect: Effect, request: object) -> None:
        raise LookupError("no such role")

    with pytest.raises(LookupError, match="role"):
        city.reach(request_id, effects, tells, finding)
    found = [(row.state, row.attempts, row.last_error) for row in city.effects_of(request_id, "escalate")]
    assert found == [("failed", 1, "LookupError: no such role")] * 2
    city.reach(request_id, effects, tells)
    assert [row.state for row in city.effects_of(request_id, "escalate")] == ["done", "done"]


def test_what_was_learned_is_applied_one_by_one_where_that_fails_together(
    city: City, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left to do is said as of the last; nobody is told twice."""
    request_id, effects = told_late(city)
    told: list[str] = []
    real_settle, settled = city.rules.settle, 0

    def settle(*what: Any) -> PendingWork:
        nonlocal settled
        settled += 1
        if settled == 1:
            raise ZeroDivisionError("not both")
        return real_settle(*what)

    def say(effect: Effect, found: object) -> EffectResult:
        told.append(effect.id)
        return tells(effect, found)

    monkeypatch.setattr(city.rules, "settle", settle)
    with caplog.at_level(logging.ERROR):
        work = city.reach(request_id, effects, say)
    assert "going on one by one" in caplog.text
    assert told == effects
    assert (work.decision, [each.kind for each in work.effects]) == (4, ["dispatch"])
    assert [row.state for row in city.effects_of(request_id, "escalate")] == ["done", "done"]


def test_an_effect_taken_at_once_is_taken_once(city: City) -> None:
    request_id = open_for(city, IN_TURN)
    take = [lambda: city.effects.take(EffectInput(request_id, f"{request_id}:1:1", city.now), city.crews.give)] * 6
    assert {applied.decision for applied in at_once(take)} == {2}
    assert len([row for row in city.commands(request_id) if row.kind == "effect_result"]) == 1
    assert_consistent(city.store, settled=True)


def test_round_robin_gives_each_a_turn_also_at_once(city: City) -> None:
    members = city.organisation.teams[IN_TURN].members
    requests = [open_for(city, IN_TURN) for _ in range(4 * len(members))]
    at_once([partial(city.take, r) for r in requests])
    turns = Counter(city.task(request_id).assignee for request_id in requests)
    assert turns == dict.fromkeys(members, 4)
    assert_consistent(city.store, settled=True)


def test_round_robin_goes_on_after_whoever_was_last(city: City) -> None:
    members = city.organisation.teams[IN_TURN].members
    given = []
    for _ in range(len(members) + 1):
        request_id = open_for(city, IN_TURN)
        city.take(request_id)
        given.append(city.task(request_id).assignee)
    assert given == [*members, members[0]]


def test_the_least_loaded_gets_it(city: City) -> None:
    members = city.organisation.teams[LEAST_LOADED].members
    requests = [open_for(city, LEAST_LOADED) for _ in range(len(members))]
    for request_id in requests:
        city.take(request_id)
    assert [city.task(request_id).assignee for request_id in requests] == list(members)
    city.do(requests[1], "complete", task=f"{requests[1]}-T1", outcome="done")
    fourth = open_for(city, LEAST_LOADED)
    city.take(fourth)
    assert city.task(fourth).assignee == members[1]
    assert_consistent(city.store)


def test_a_team_of_one_always_gets_its_work(city: City) -> None:
    assert city.organisation.teams[ONE_MEMBER].rule == "queue"
    request_id = open_for(city, ONE_MEMBER)
    city.take(request_id)
    assert city.task(request_id).assignee == "leopold-nakamura"
    assert city.effects_of(request_id)[0].result["rule"] == "team of one"


def test_whoever_declined_is_not_asked_again(city: City) -> None:
    request_id = open_for(city, IN_TURN)
    city.take(request_id)
    city.do(request_id, "decline", task=f"{request_id}-T1", reason="no truck")
    city.take(request_id)
    assert city.task(request_id).assignee == "jerome-tillery"
    assert_consistent(city.store, settled=True)
