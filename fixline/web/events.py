"""A request's journal as server-sent events: what has happened, then what happens, resumable by `seq`.

Owns this route. Each entry is one event: its id is the entry's `seq`, its name the kind, its data the entry as the
journal shows it. A client that lost the stream comes back with `Last-Event-ID`, as browsers do by themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field

from fixline.store.queries.detail import read_journal
from fixline.store.store import StoreAway
from fixline.web.auth import READERS, allow, guarded_router
from fixline.web.parts import Parts, PartsOf
from fixline.web.problems import Problem, described
from fixline.web.schemas.requests import EntryOut

router = guarded_router("/requests", "requests")

LOOK_EVERY_SECONDS = 1.0
BATCH = 100
Line = dict[str, Any]


class EventsQuery(BaseModel):
    """Where the stream begins, and how long it stays open."""

    model_config = ConfigDict(extra="forbid")

    after_seq: int = Field(0, ge=0, le=2**31 - 1, description="Entries with a higher number only.")
    seconds: int = Field(600, ge=0, le=3600, description="How long to stay open; 0 ends after what there is.")


async def _first_entries(
    request_id: str,
    query: Annotated[EventsQuery, Query()],
    parts: PartsOf,
    last_event_id: Annotated[int, Header(ge=0, le=2**31 - 1, description="The last entry that arrived.")] = 0,
) -> list[Line]:
    """What there is already, read before the stream begins: an unknown request is answered 404."""
    found = await _read(parts, request_id, max(query.after_seq, last_event_id))
    if found is None:
        raise Problem(404, "request_unknown", "there is no such request")
    return found


@router.get(
    "/{request_id}/events",
    summary="A request's journal as it grows",
    response_class=EventSourceResponse,
    dependencies=[allow(READERS)],
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events"}, **described(404, 422, 503)},
)
async def get_events(
    request_id: str,
    query: Annotated[EventsQuery, Query()],
    parts: PartsOf,
    entries: Annotated[list[Line], Depends(_first_entries)],
    last_event_id: Annotated[int, Header(ge=0, le=2**31 - 1)] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: id = `seq`, event = kind, data = the entry. The database away is a pause, not an end."""
    loop = asyncio.get_running_loop()
    seq, until = max(query.after_seq, last_event_id), loop.time() + query.seconds
    while True:
        for entry in entries:
            seq = entry["seq"]
            shown = EntryOut.model_validate(entry)
            yield ServerSentEvent(id=str(seq), event=shown.kind, raw_data=shown.model_dump_json())
        if len(entries) <= BATCH:
            if loop.time() >= until:
                return
            await asyncio.sleep(min(LOOK_EVERY_SECONDS, max(until - loop.time(), 0)))
        try:
            entries = await _read(parts, request_id, seq) or []
        except StoreAway:
            entries = []


async def _read(parts: Parts, request_id: str, seq: int) -> list[Line] | None:
    return await asyncio.to_thread(parts.store.read, lambda s: read_journal(s, request_id, seq, BATCH))
