"""Every endpoint of the application, with the roles that may call it."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi.routing import APIRoute

from fixline.web import (
    bulk,
    commands,
    definitions,
    events,
    health,
    reports,
    requests,
    supervision,
    tasks,
    versions,
)
from fixline.web.auth import Allowed

LETTERS = {"admin": "A", "supervisor": "S", "analyst": "N", "crew": "C", "service": "V"}


IN_API = (
    *(bulk.router, requests.router, events.router, commands.verbs, commands.router, tasks.router, supervision.router),
    *(reports.router, definitions.router, versions.router),
)


def endpoints() -> Iterator[tuple[str, str]]:
    """Method and address of every route, and the letters of the roles that may call it."""
    for router in (*IN_API, health.router):
        for route in router.routes:
            assert isinstance(route, APIRoute)
            allowed = [each.dependency for each in route.dependencies if isinstance(each.dependency, Allowed)]
            roles = {role.value for each in allowed for role in each.roles}
            letters = " ".join(letter for role, letter in LETTERS.items() if role in roles) or "no key"
            for method in sorted(route.methods or ()):
                yield f"{method} {route.path}", letters
