"""The verbs under /requests/{id} and GET /commands/{id}: answers, refusals, repeats, also while Temporal is away."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Service, fields, problem
from tests.support.history import history
from tests.support.lakeport import LAKEPORT
from tests.support.life import A_LIFE, REOPENABLE, VERBS, WHY


@pytest.fixture
async def request_id(service: Service) -> str:
    """An open pothole."""
    return await service.open()


# -- applied ---------------------------------------------------------------------------------------------------------


async def test_hold_and_resume(anywhere: Service) -> None:
    request_id = await anywhere.open()
    held = await anywhere.post(f"requests/{request_id}/hold", WHY, by="supervisor")
    assert held["request"]["on_hold"] is True
    assert held["request"]["id"] == request_id
    resumed = await anywhere.post(f"requests/{request_id}/resume", {}, by="supervisor")
    assert resumed["request"]["on_hold"] is False


async def test_amend_finds_the_areas_of_the_new_place_and_its_team(service: Service, request_id: str) -> None:
    await service.post(f"tasks/{request_id}-T1/complete", {"outcome": "pothole", "form": {"depth": 3}})
    body = {**WHY, "location": {"latitude": 42.0, "longitude": -87.7}, "answers": {"depth": 30}, "description": "Big"}
    answer = await service.post(f"requests/{request_id}/amend", body, by="supervisor")
    assert answer["request"]["priority"] == "high"
    found = await service.get(f"requests/{request_id}")
    assert (found["areas"], found["team"], found["description"]) == ({"district": "north"}, "asphalt-north", "Big")


async def test_send_back_reassign_signal_comment_and_cancel(service: Service, request_id: str) -> None:
    path = f"requests/{request_id}"
    back = await service.post(f"{path}/send-back", {**WHY, "step": "repair"}, by="supervisor")
    assert back["request"]["step"] == "repair"
    given = await service.post(f"{path}/reassign", {**WHY, "team": "asphalt-north"}, by="supervisor")
    assert given["request"]["step"] == "repair"
    assert (await service.get(path))["team"] == "asphalt-north"
    (task,) = (await service.get("tasks"))["items"]
    await service.post(f"tasks/{task['id']}/complete", {"outcome": "too_wet"})
    dry = await service.post(f"{path}/signal", {"name": "dry_weather"}, by="app")
    assert dry["request"]["step"] == "repair"
    await service.post(f"{path}/comment", {"text": "On it", "reason": "asked"}, by="inspectors")
    assert (await service.get(f"{path}/journal"))["items"][-1]["text"] == "On it\nasked"
    cancelled = await service.post(f"{path}/cancel", WHY)
    assert (cancelled["request"]["status"], cancelled["request"]["outcome"]) == ("closed", "cancelled")
    await service.post(f"{path}/comment", WHY)


async def test_the_answer_can_be_looked_up(anywhere: Service) -> None:
    request_id = await anywhere.open()
    given = await anywhere.post(f"requests/{request_id}/comment", WHY, by="app")
    found = await anywhere.get(f"commands/{given['command_id']}", by="app")
    assert (found["request_id"], found["kind"], found["state"]) == (request_id, "comment", "applied")
    assert found["accepted_at"] == found["applied_at"] == "2026-06-01T15:00:00Z"
    assert found["answer"]["request"]["id"] == request_id
    assert (await anywhere.call("GET", f"commands/{given['command_id']}", by="supervisor")).status_code == 200
    problem(await anywhere.call("GET", f"commands/{given['command_id']}", by="other-app"), 404, "command_unknown")
    problem(await anywhere.call("GET", "commands/none"), 404, "command_unknown")


# -- refused ---------------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[str, dict[str, Any], str, dict[str, str] | None]] = {
    "hold without reason": ("hold", {}, "invalid", {"reason": "missing"}),
    "hold with an empty reason": ("hold", {"reason": " "}, "invalid", {"reason": "wrong_pattern"}),
    "hold with a long reason": ("hold", {"reason": "x" * 1001}, "invalid", {"reason": "too_long"}),
    "unknown key": ("hold", {**WHY, "until": "x"}, "invalid", {"until": "unknown_field"}),
    "resume what is not held": ("resume", WHY, "not_on_hold", None),
    "amend nothing": ("amend", WHY, "invalid", {"body": "invalid"}),
    "amend to the same": ("amend", {**WHY, "answers": {"depth": 4}}, "nothing_changed", None),
    "amend to a wrong option": (
        "amend",
        {**WHY, "answers": {"lane": "x", "deep": 1}},
        "answers_invalid",
        {"answers.lane": "unknown_option", "answers.deep": "unknown_field"},
    ),
    "amend to half a place": ("amend", {**WHY, "location": {"longitude": 1}}, "invalid", {"location": "invalid"}),
    "send back to nowhere": ("send-back", {**WHY, "step": "reparation"}, "unknown_step", {"step": "unknown_step"}),
    "send back to a close": ("send-back", {**WHY, "step": "fixed"}, "unknown_step", {"step": "unknown_step"}),
    "reopen what is open": ("reopen", WHY, "not_closed", None),
    "less than the answers make it": ("priority", {**WHY, "priority": "low"}, "priority_ruled", None),
    "the priority that it has": ("priority", {**WHY, "priority": None}, "nothing_changed", None),
    "no such priority": ("priority", {**WHY, "priority": "top"}, "invalid", {"priority": "unknown_option"}),
    "no priority": ("priority", WHY, "invalid", {"priority": "missing"}),
    "comment nothing": ("comment", {}, "invalid", {"body": "invalid"}),
    "comment spaces": ("comment", {"text": "  "}, "invalid", {"text": "wrong_pattern"}),
    "reassign to nobody": ("reassign", WHY, "invalid", {"body": "invalid"}),
    "reassign to an unknown team": ("reassign", {**WHY, "team": "asphalt"}, "invalid", {"team": "unknown_team"}),
    "reassign to the same": ("reassign", {**WHY, "team": "street-inspectors"}, "nothing_changed", None),
    "reassign an unknown task": ("reassign", {**WHY, "task": "T9", "assignee": "a"}, "task_not_open", None),
    "a signal nobody waits for": ("signal", {"name": "dry_weather"}, "signal_not_awaited", None),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_refused_is_not_written(service: Service, request_id: str, case: str) -> None:
    verb, body, code, wrong = REFUSED[case]
    before = service.rows()
    headers = {"Idempotency-Key": "k"}
    answer = await service.call("POST", f"requests/{request_id}/{verb}", body, headers=headers)
    found = problem(answer, 409 if wrong is None else 422, code)
    if wrong is not None:
        assert fields(found) == wrong
    assert service.rows() == before


@pytest.mark.parametrize("verb", VERBS)
async def test_an_unknown_request(service: Service, nothing_written: None, verb: str) -> None:
    problem(await service.call("POST", f"requests/SR26-1/{verb}", VERBS[verb]), 404, "request_unknown")


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"comment", "reopen"}))
async def test_a_closed_request(service: Service, request_id: str, verb: str) -> None:
    await service.post(f"requests/{request_id}/cancel", WHY)
    before = service.rows()
    answer = await service.call("POST", f"requests/{request_id}/{verb}", VERBS[verb])
    assert problem(answer, 409, "request_closed")["data"] == {"outcome": "cancelled"}
    assert service.rows() == before


@pytest.mark.parametrize("verb", VERBS)
async def test_history_takes_no_commands(service: Service, verb: str) -> None:
    service.store.write(lambda s: s.add(history("SR26-00000009", department="transportation")))
    before = service.rows()
    problem(await service.call("POST", f"requests/SR26-00000009/{verb}", VERBS[verb]), 409, "request_is_history")
    assert service.rows() == before


async def test_a_service_cancels_as_long_as_a_reporter_may(service: Service, request_id: str) -> None:
    await service.post(f"tasks/{request_id}-T1/complete", {"outcome": "pothole", "form": {"depth": 3}})
    answer = await service.call("POST", f"requests/{request_id}/cancel", WHY, by="app")
    problem(answer, 409, "not_cancellable")
    await service.post(f"requests/{request_id}/cancel", WHY, by="supervisor")


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"resume", "signal"}))
async def test_another_departments_supervisor(service: Service, request_id: str, verb: str) -> None:
    before = service.rows()
    answer = await service.call("POST", f"requests/{request_id}/{verb}", VERBS[verb], by="stranger")
    problem(answer, 403, "wrong_department")
    assert service.rows() == before


# -- repeated --------------------------------------------------------------------------------------------------------


async def test_the_same_key_is_one_command_and_one_answer(anywhere: Service) -> None:
    request_id = await anywhere.open()
    headers = {"Idempotency-Key": "hold-1"}
    first = await anywhere.post(f"requests/{request_id}/hold", WHY, headers=headers)
    anywhere.later(minutes=5)
    await anywhere.post(f"requests/{request_id}/resume", WHY)
    assert await anywhere.post(f"requests/{request_id}/hold", WHY, headers=headers) == first
    assert (await anywhere.get(f"requests/{request_id}"))["on_hold"] is False


@pytest.mark.parametrize("what", ["body", "verb", "request"])
async def test_a_key_used_for_something_else(service: Service, request_id: str, what: str) -> None:
    headers = {"Idempotency-Key": "hold-1"}
    other = await service.open()
    await service.post(f"requests/{request_id}/hold", WHY, headers=headers)
    before = service.rows()
    path = f"requests/{other if what == 'request' else request_id}/{'comment' if what == 'verb' else 'hold'}"
    body = {"reason": "another"} if what == "body" else WHY
    problem(await service.call("POST", path, body, headers=headers), 409, "idempotency_key_reused")
    assert service.rows() == before


async def test_a_repeated_attach_is_answered_as_before_when_the_original_is_closed(service: Service) -> None:
    """What the command was made from is not asked for again: it has changed, the answer has not."""
    first, second, third = await service.open(), await service.open(), await service.open()
    path, body, headers = f"requests/{second}/attach", {"to": first, **WHY}, {"Idempotency-Key": "attach-1"}
    answer = await service.post(path, body, by="supervisor", headers=headers)
    await service.post(f"requests/{first}/cancel", WHY)
    before = service.rows()
    assert await service.post(path, body, by="supervisor", headers=headers) == answer
    other = await service.call("POST", path, {**body, "to": third}, by="supervisor", headers=headers)
    problem(other, 409, "idempotency_key_reused")
    problem(await service.call("POST", path, body, by="supervisor"), 409, "original_closed")
    assert service.rows() == before


async def test_a_repeated_recategorise_is_answered_as_before_when_the_type_has_a_new_version(
    service: Service, request_id: str
) -> None:
    """The command carries the version that was current when it was given."""
    path, body, headers = f"requests/{request_id}/recategorise", VERBS["recategorise"], {"Idempotency-Key": "r-1"}
    answer = await service.post(path, body, headers=headers)
    text = (LAKEPORT / "streets-and-sanitation" / "graffiti.yaml").read_text(encoding="utf-8")
    (published,) = (await service.post("definitions", {"text": text.replace('title: "', 'title: "New ', 1)}))["items"]
    assert published["version"] == 2
    await service.post(f"requests/{request_id}/cancel", WHY)
    before = service.rows()
    assert await service.post(path, body, headers=headers) == answer
    problem(await service.call("POST", path, {**body, "reason": "x"}, headers=headers), 409, "idempotency_key_reused")
    assert service.rows() == before


# -- told to Temporal ------------------------------------------------------------------------------------------------


async def test_the_workflow_is_told_behind_the_answer(service: Service, request_id: str) -> None:
    """Each decision's signal is named after its command and says all that is left to do; then that is noted."""
    await service.quiet()
    await service.post(f"requests/{request_id}/hold", WHY)
    await service.quiet()
    await service.post(f"requests/{request_id}/cancel", WHY)
    await service.quiet()
    assert service.temporal.names(request_id) == ["open", "hold", "cancel"]
    told = [work for _, _, work in service.temporal.told]
    assert [(work.decision, work.closed, work.waiting) for work in told] == [(1, False, 0), (2, False, 0), (3, True, 0)]
    assert [work.summary.status for work in told] == ["open", "open", "closed"]
    assert service.request(request_id).signalled == 3


async def test_what_is_refused_or_repeated_is_told_to_nobody(service: Service, request_id: str) -> None:
    """It is no news."""
    headers = {"Idempotency-Key": "hold-1"}
    await service.post(f"requests/{request_id}/hold", WHY, headers=headers)
    await service.quiet()
    told = list(service.temporal.told)
    await service.post(f"requests/{request_id}/hold", WHY, headers=headers)
    problem(await service.call("POST", f"requests/{request_id}/hold", WHY), 409, "already_on_hold")
    await service.quiet()
    assert service.temporal.told == told


# -- while Temporal is away ------------------------------------------------------------------------------------------


async def test_every_command_has_its_final_answer_while_temporal_is_away(away: Service) -> None:
    """Each is decided where it arrives, in order; the workflow is not needed, and knows nothing yet."""
    assert {path.rpartition("/")[2] for path, _ in A_LIFE} >= set(VERBS) - {"agency-reply"}
    await away.post("definitions", {"text": REOPENABLE})
    await away.open()
    request_id = await away.open()
    for number, (path, body) in enumerate(A_LIFE, 2):
        answer = await away.post(path.format(id=request_id), body)
        assert answer["request"]["decision"] == number
        found = await away.get(f"commands/{answer['command_id']}")
        assert (found["state"], found["answer"]["request"]["decision"]) == ("applied", number)
    request, last = away.request(request_id), 1 + len(A_LIFE)
    assert (request.status, request.outcome) == ("closed", "cancelled")
    assert (request.decision, request.last_command, request.signalled) == (last, last, 0)


async def test_what_the_rules_refuse_is_refused_while_temporal_is_away(away: Service) -> None:
    request_id = await away.open()
    await away.post(f"requests/{request_id}/hold", WHY)
    before = away.rows()
    problem(await away.call("POST", f"requests/{request_id}/hold", WHY), 409, "already_on_hold")
    problem(await away.call("POST", f"requests/{request_id}/reopen", WHY), 409, "not_closed")
    problem(
        await away.call("POST", f"requests/{request_id}/agency-reply", VERBS["agency-reply"]), 409, "no_agency_awaited"
    )
    problem(await away.call("POST", f"requests/{request_id}/send-back", {**WHY, "step": "x"}), 422, "unknown_step")
    problem(await away.call("POST", f"tasks/{request_id}-T1/claim", {}, by="inspectors"), 409, "on_hold")
    assert away.rows() == before


async def test_a_repeated_key_has_the_same_answer_while_temporal_is_away(away: Service) -> None:
    request_id = await away.open()
    headers = {"Idempotency-Key": "hold-1"}
    first = await away.post(f"requests/{request_id}/hold", WHY, headers=headers)
    await away.post(f"requests/{request_id}/resume", WHY)
    before = away.rows()
    assert await away.post(f"requests/{request_id}/hold", WHY, headers=headers) == first
    assert away.rows() == before
