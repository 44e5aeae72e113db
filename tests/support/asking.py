"""GET /overdue read to its end, as lines that compare with the oracle's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.support.api import Service
from tests.support.overdue_oracle import Late


async def listed(service: Service, now: datetime) -> list[Late]:
    """The list as it is at an instant, all pages."""
    service.now = now
    page = await service.get("overdue", limit=50)
    found = [_line(item) for item in page["items"]]
    while page["next"] is not None:
        page = await service.get("overdue", limit=50, cursor=page["next"])
        found += [_line(item) for item in page["items"]]
    assert page["totals"]["count"] == len(found)
    return found


def _line(item: dict[str, Any]) -> Late:
    due_at = datetime.fromisoformat(item["due_at"])
    return Late(due_at, item["request"]["id"], item["clock"], item["late_by_seconds"], item["late_working_seconds"])
