"""GET /definitions/{type}/graph.svg."""

from __future__ import annotations

import pytest

from fixline.drawing import NotDrawn
from fixline.web import definitions
from tests.support.api import Service, problem


async def test_the_picture_of_a_type(service: Service) -> None:
    answer = await service.call("GET", "definitions/graffiti/graph.svg", by="app")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.text.startswith("<svg ")
    version = (await service.get("definitions/graffiti"))["hash"]
    assert answer.headers["etag"] == f'"{version}"'


async def test_an_unknown_type_has_none(service: Service) -> None:
    problem(await service.call("GET", "definitions/pot-hole/graph.svg"), 404, "type_unknown")


async def test_a_definition_that_cannot_be_drawn(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> str:
        raise NotDrawn("a definition of more than 200 steps is not drawn")

    monkeypatch.setattr(definitions, "_picture", refuse)
    problem(await service.call("GET", "definitions/graffiti/graph.svg"), 422, "not_drawn")
