"""Requests that came closed from another system, as rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fixline.store.tables import RequestRow
from tests.support.api import MORNING


def history(request_id: str, **columns: Any) -> RequestRow:
    """A request that came closed from another system."""
    at = datetime(2011, 3, 28, tzinfo=UTC)
    facts = {"opened_at": at, "accepted_at": MORNING, "updated_at": at, "closed_at": at}
    return RequestRow(
        id=request_id,
        type="sanitation-code-violation",
        source_type="Sanitation Code Violation",
        status="closed",
        outcome="fixed",
        channel="import",
        source="chicago",
        external_id=f"X-{request_id}",
        **{**facts, **columns},
    )
