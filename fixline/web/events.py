"""A request's journal as server-sent events: what has happened, then what happens, resumable by `seq`.

Each entry is one event: its id is the entry's `seq`, its name the kind, its data the entry as the journal shows it. A
client that lost the stream comes back with `Last-Event-ID`, as browsers do by themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import Field
from sqlmodel import Session

from fixline.store.queries.detail import read_journal
from fixline.store.store import StoreAway
from fixline.web.auth import READERS, allow, guarded_router
from fixline.web.parts import PartsOf
from fixline.web.problems import described
from fixline.web.requests import EntryOut
from fixline.web.schemas import Parameters

router = guarded_router("/requests", "requests")

LOOK_EVERY_SECONDS = 1.0
BATCH = 100
Line = dict[str, Any]


class EventsQuery(Parameters):
    """Where the stream begins, and how long it stays open."""

    after_seq: int = Field(0, ge=0, le=2**31 - 1, description="Entries with a higher number only.")
    seconds: int = Field(600, ge=0, le=3600, description="How long to stay open; 0 ends after what there is.")


def _after(request_id: str, seq: int) -> Callable[[Session], list[Line] | None]:
    return lambda session: read_journal(session, request_id, seq, BATCH)


async def _beginning(
    request_id: str,
    query: Annotated[EventsQuery, Query()],
    parts: PartsOf,
    last_event_id: Annotated[int, Header(ge=0, le=2**31 - 1, description="The last entry that arrived.")] = 0,
) -> tuple[int, list[Line]]:
    """What the stream begins behind, and what there is already, read before: an unknown request is answered 404."""
    seq = max(query.after_seq, last_event_id)
    return seq, await parts.find(_after(request_id, seq), "request_unknown", "request")


@router.get(
    "/{request_id}/events",
    summary="A request's journal as it grows",
    response_class=EventSourceResponse,
    dependencies=[allow(READERS)],
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events"}, **described(404)},
)
async def get_events(
    request_id: str,
    query: Annotated[EventsQuery, Query()],
    parts: PartsOf,
    beginning: Annotated[tuple[int, list[Line]], Depends(_beginning)],
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: id = `seq`, event = kind, data = the entry. The database away is a pause, not an end."""
    loop = asyncio.get_running_loop()
    until = loop.time() + query.seconds
    seq, entries = beginning
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
            found = await parts.read(_after(request_id, seq))
            entries = found or []
        except StoreAway:
            entries = []
