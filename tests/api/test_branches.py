"""A request whose branches run side by side, over HTTP: where each branch is, its tasks, its definition."""

from fixline.store.versions import publish
from tests.support.api import MORNING, Service, problem
from tests.support.types import side_by_side

WHY = {"reason": "as the caller says"}


async def opened(service: Service) -> str:
    """A request of the type with branches."""
    definition = side_by_side()
    service.store.write(lambda session: publish(session, definition, MORNING))
    created = await service.post("requests", {"type": "side"}, by="app", status=201)
    return str(created["id"])


async def test_where_each_branch_is(anywhere: Service) -> None:
    request_id = await opened(anywhere)
    found = await anywhere.get(f"requests/{request_id}")
    assert (found["step"], found["waiting_as"]) == ("prepare", None)
    assert [(each["name"], each["step"], each["joined"]) for each in found["branches"]] == [
        ("signs", "signs", False),
        ("permit", "permit", False),
    ]
    assert [(task["step"], task["state"]) for task in found["tasks"]] == [("signs", "offered"), ("permit", "offered")]
    await anywhere.post(f"tasks/{request_id}-T1/complete", {"outcome": "placed"})
    await anywhere.post(f"tasks/{request_id}-T2/complete", {"outcome": "wait"})
    found = await anywhere.get(f"requests/{request_id}")
    assert found["branches"] == [
        {"name": "signs", "joined": True, "step": None, "waiting_as": None, "wait_until": None},
        {"name": "permit", "joined": False, "step": "answer", "waiting_as": "with_permits", "wait_until": None},
    ]
    assert found["waiting_as"] == "with_permits"
    assert set(found["steps_remaining"]) == {"permit", "answer", "tell", "tell_reporter", "fixed", "refused"}
    assert [(visit["step"], visit["branch"]) for visit in found["steps_taken"]] == [
        ("signs", "signs"),
        ("permit", "permit"),
    ]


async def test_no_branches_elsewhere(anywhere: Service) -> None:
    found = await anywhere.get(f"requests/{await anywhere.open()}")
    assert found["branches"] == []


async def test_the_definition_shows_its_branches(anywhere: Service) -> None:
    await opened(anywhere)
    steps = (await anywhere.get("definitions/side"))["steps"]
    assert (steps["prepare"]["branches"], steps["prepare"]["join"]) == (
        {"signs": ["signs"], "permit": ["permit", "answer"]},
        "all",
    )
    assert steps["prepare"]["then"] == {"done": "tell"}
    assert (steps["tell"]["role"], steps["tell"]["go"]) == ("supervisor", ["tell_reporter"])
    assert steps["permit"]["warn_after"] == 2


async def test_nobody_is_sent_into_a_branch(anywhere: Service) -> None:
    request_id = await opened(anywhere)
    answer = await anywhere.call("POST", f"requests/{request_id}/send-back", {**WHY, "step": "permit"})
    assert "'prepare'" in problem(answer, 422, "unknown_step")["detail"]
