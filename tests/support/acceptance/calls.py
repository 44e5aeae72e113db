"""Calls of the running service with the admin's key."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx

from tests.support.acceptance.cluster import ADMIN_KEY, Cluster
from tests.support.acceptance.crowd import PLACE

REPORT = {"type": "graffiti", "location": PLACE, "answers": {"surface": "brick"}}


@contextlib.asynccontextmanager
async def caller(cluster: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the admin's key."""
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(base_url=f"{cluster.url}/api/v1", headers=headers, timeout=60, limits=limits) as http:
        yield http


async def read(http: httpx.AsyncClient, path: str, **params: Any) -> Any:
    """The body of a read, which must succeed."""
    answer = await http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def opened(http: httpx.AsyncClient, report: dict[str, Any] = REPORT) -> str:
    """A request is reported; its id."""
    answer = await http.post("/requests", json=report)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
