"""Health, numbers, OpenAPI: the addresses at the root, which need no key."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from fixline.store.store import Store, StoreAway
from tests.support.api import POTHOLE, Service, problem
from tests.support.history import history


async def test_alive(service: Service) -> None:
    answer = await service.call("GET", "/healthz", by=None)
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_ready(anywhere: Service) -> None:
    answer = await anywhere.call("GET", "/readyz", by=None)
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "parts": {"database": "ok", "definitions": "ok", "temporal": "ok", "workers": "ok"},
        "missing": [],
    }


async def test_not_ready_without_temporal(away: Service) -> None:
    answer = await away.call("GET", "/readyz", by=None)
    assert answer.status_code == 503
    assert answer.json()["missing"] == ["temporal", "workers"]


async def test_not_ready_without_a_worker(service: Service) -> None:
    """Nobody has polled for longer than a poll lasts."""
    service.temporal.polled_at -= timedelta(minutes=2)
    answer = await service.call("GET", "/readyz", by=None)
    assert (answer.status_code, answer.json()["missing"]) == (503, ["workers"])
    assert answer.json()["parts"] == {"database": "ok", "definitions": "ok", "temporal": "ok", "workers": "none polls"}


class Away:
    """Switches the database off."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_args: Any) -> None:
            raise StoreAway("gone") from OperationalError("x", {}, Exception())

        monkeypatch.setattr(Store, "read", away)
        monkeypatch.setattr(Store, "write", away)


async def test_without_the_database(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    await service.open()
    Away(monkeypatch)
    for method, path, body in (("POST", "requests", POTHOLE), ("GET", "requests", None), ("GET", "tasks", None)):
        answer = await service.call(method, path, body, by="app" if method == "POST" else "admin")
        problem(answer, 503, "store_away")
        assert answer.headers["retry-after"] == "5"
    answer = await service.call("GET", "/readyz", by=None)
    assert (answer.status_code, answer.json()["missing"]) == (503, ["database", "definitions"])
    assert (await service.call("GET", "/healthz", by=None)).status_code == 200
    text = (await service.call("GET", "/metrics", by=None)).text
    assert "fixline_store_up 0.0" in text


async def test_numbers(service: Service) -> None:
    request_id = await service.open(contact={"name": "Rosa"})
    await service.post(f"requests/{request_id}/hold", {"reason": "parade"})
    await service.call("POST", f"requests/{request_id}/hold", {"reason": "parade"})
    service.store.write(lambda s: s.add(history("SR26-00000009", fault="ZeroDivisionError")))
    await service.call("GET", "/nowhere/secret", by=None)
    text = (await service.call("GET", "/metrics", by=None)).text
    for line in (
        'fixline_requests_opened_total{type="pothole"} 1.0',
        'fixline_commands_total{kind="hold",state="applied"} 1.0',
        'fixline_commands_total{kind="hold",state="refused"} 1.0',
        "fixline_commands_waiting 0.0",
        "fixline_requests_with_fault 1.0",
        "fixline_store_up 1.0",
        'method="POST",route="/api/v1/requests/{request_id}/hold",status="409"',
    ):
        assert line in text
    for secret in ("Rosa", "secret", request_id, "parade"):
        assert secret not in text


async def test_numbers_of_what_workflows_have_not_been_told(service: Service) -> None:
    """A request may have no workflow until one signal has arrived; of later ones its workflow may be behind."""

    async def told() -> list[str]:
        await service.quiet()
        text = (await service.call("GET", "/metrics", by=None)).text
        names = ("fixline_requests_unsignalled", "fixline_requests_without_workflow")
        return [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(names)]

    first = await service.open()
    assert await told() == ["0.0", "0.0"]
    service.temporal.away = True
    second = await service.open()
    assert await told() == ["1.0", "1.0"]
    await service.post(f"requests/{first}/hold", {"reason": "parade"})
    assert await told() == ["2.0", "1.0"]
    await service.post(f"requests/{second}/cancel", {"reason": "gone"})
    assert await told() == ["2.0", "0.0"]


async def test_openapi_is_whole(service: Service) -> None:
    document = (await service.call("GET", "/openapi.json", by=None)).json()
    schemas = document["components"]["schemas"]
    assert "HTTPValidationError" not in schemas
    for name in references(document):
        assert name in schemas
    tags = {tag["name"] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            assert set(operation["tags"]) <= tags
            if path.startswith("/api/v1"):
                assert operation["security"] == [{"key": []}], path
                assert {"401", "403", "422", "503"} <= set(operation["responses"]), (method, path)
                problems = [r for code, r in operation["responses"].items() if code >= "400"]
                assert all(list(each["content"]) == ["application/problem+json"] for each in problems), path
            else:
                assert "security" not in operation


async def test_the_documentation_page(service: Service) -> None:
    answer = await service.call("GET", "/docs", by=None)
    assert answer.status_code == 200
    assert "Fixline" in answer.text


def references(part: Any) -> set[str]:
    """The names of every schema that is referred to."""
    if isinstance(part, dict):
        found = {part["$ref"].rsplit("/", 1)[-1]} if isinstance(part.get("$ref"), str) else set()
        return found.union(*(references(each) for each in part.values()))
    if isinstance(part, list):
        return set().union(*(references(each) for each in part)) if part else set()
    return set()
