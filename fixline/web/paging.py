"""Pages of lists, and cursors: where a list goes on, opaque to the caller and bound to the list that they came from.

A cursor carries the last line's key and a digest over it and the query; one that was changed, cut short or used with
another order or filter is refused with 422.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from fixline.web.problems import invalid
from fixline.web.schemas import Parameters

DEFAULT_LIMIT: Final = 50
LARGEST_LIMIT: Final = 500
_DIGEST_BYTES: Final = 8
_BOUND_TO: Final = b"fixline cursor 1"


def _at_most_a_page(limit: int) -> int:
    return min(limit, LARGEST_LIMIT)


class Page(Parameters):
    """Which page of a list is wanted."""

    limit: Annotated[int, AfterValidator(_at_most_a_page)] = Field(
        DEFAULT_LIMIT, ge=1, description=f"Lines per page; above {LARGEST_LIMIT} counts as {LARGEST_LIMIT}."
    )
    cursor: Annotated[str, Field(max_length=1000)] | None = Field(None, description="`next` of the page before.")

    def bound(self) -> dict[str, Any]:
        """What a cursor is bound to: everything but where and how long the page is."""
        return self.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_none=True)


def write_cursor(key: Sequence[Any] | None, query: Mapping[str, Any]) -> str | None:
    """The cursor for a page behind `key` of the same query; None when there is none."""
    if key is None:
        return None
    plain = [["t", part.isoformat()] if isinstance(part, datetime) else ["v", part] for part in key]
    payload = json.dumps(plain, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_digest(payload, query) + payload).decode().rstrip("=")


def read_cursor(cursor: str | None, query: Mapping[str, Any]) -> list[Any] | None:
    """The key in a cursor of this query. Raises Problem (422)."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        digest, payload = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        if digest != _digest(payload, query):
            raise ValueError("another query's cursor")
        return [datetime.fromisoformat(part) if kind == "t" else part for kind, part in json.loads(payload)]
    except ValueError:
        text = "this cursor does not belong to this list; take `next` as it is and keep the other parameters"
        raise invalid("cursor", "bad_cursor", text) from None


def _digest(payload: bytes, query: Mapping[str, Any]) -> bytes:
    bound = json.dumps(query, sort_keys=True, default=str, separators=(",", ":")).encode()
    return hashlib.blake2b(payload + b"\0" + bound, digest_size=_DIGEST_BYTES, key=_BOUND_TO).digest()
