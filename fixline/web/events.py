"""A request's journal as server-sent events: what has happened, then what happens, resumable by `seq`.

Owns this route. Each entry is one event: its id is the entry's `seq`, its name the kind, its data the entry as the
journal shows it. A client that lost the stream comes back with `Last-Event-ID`, as browsers do by themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from fixline.store.queries.detail import read_journal
from fixline.store.store import StoreAway
from fixline.web.auth import READERS, allow, guarded_router
from fixline.web.parts import Parts, PartsOf
from fixline.web.problems import Problem, described
from fixline.web.schemas.requests import EntryOut

router = guarded_router("/requests", "requests")

LOOK_EVERY_SECONDS = 1.0
BEAT_EVERY_SECONDS = 15.0
"""A comment this often keeps proxies from taking a quiet stream for a dead one."""
BATCH = 100


class EventsQuery(BaseModel):
    """Where the stream begins, and how long it stays open."""

    model_config = ConfigDict(extra="forbid")

    after_seq: int = Field(0, ge=0, le=2**31 - 1, description="Entries with a higher number only.")
    seconds: int = Field(600, ge=0, le=3600, description="How long to stay open; 0 ends after what there is.")


@router.get(
    "/{request_id}/events",
    summary="A request's journal as it grows",
    response_class=StreamingResponse,
    dependencies=[allow(READERS)],
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events"}, **described(404, 422, 503)},
)
async def get_events(
    request_id: str,
    query: Annotated[EventsQuery, Query()],
    request: Request,
    parts: PartsOf,
    last_event_id: Annotated[int, Header(ge=0, le=2**31 - 1, description="The last entry that arrived.")] = 0,
) -> StreamingResponse:
    """Server-sent events: id = `seq`, event = kind, data = the entry."""
    seq = max(query.after_seq, last_event_id)
    first = await _read(parts, request_id, seq)
    if first is None:
        raise Problem(404, "request_unknown", "there is no such request")
    stream = _stream(parts, request, request_id, seq, first, query.seconds)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _read(parts: Parts, request_id: str, seq: int) -> list[dict[str, Any]] | None:
    return await asyncio.to_thread(parts.store.read, lambda s: read_journal(s, request_id, seq, BATCH))


async def _stream(
    parts: Parts, request: Request, request_id: str, seq: int, entries: list[dict[str, Any]], seconds: int
) -> AsyncIterator[str]:
    """Events until the time is up or the client has gone; the database away is a pause, not an end."""
    loop = asyncio.get_running_loop()
    until, beat = loop.time() + seconds, loop.time() + BEAT_EVERY_SECONDS
    while True:
        for entry in entries:
            seq = entry["seq"]
            shown = EntryOut.model_validate(entry)
            yield f"id: {seq}\nevent: {shown.kind}\ndata: {shown.model_dump_json()}\n\n"
        if len(entries) <= BATCH:
            if loop.time() >= until or await request.is_disconnected():
                return
            await asyncio.sleep(min(LOOK_EVERY_SECONDS, max(until - loop.time(), 0)))
        if loop.time() >= beat:
            beat = loop.time() + BEAT_EVERY_SECONDS
            yield ": still here\n\n"
        try:
            entries = await _read(parts, request_id, seq) or []
        except StoreAway:
            entries = []
