"""The picture of a request type's process. Owns its route; a version's picture is drawn once per process."""

from __future__ import annotations

import asyncio

from fastapi import Response
from sqlmodel import Session

from fixline.drawing import NotDrawn, svg_of
from fixline.store.versions import Published, VersionUnknown
from fixline.web.auth import READERS, allow, guarded_router
from fixline.web.parts import PartsOf
from fixline.web.problems import Problem, described

router = guarded_router("/definitions", "definitions")

MEDIA_TYPE = "image/svg+xml"
MOST_KEPT = 256
_HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
_drawn: dict[str, str] = {}


@router.get(
    "/{type}/graph.svg",
    summary="The process as a picture",
    dependencies=[allow(READERS)],
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}}, **described(404, 422, 503)},
)
async def get_graph(type: str, parts: PartsOf) -> Response:
    """The current version as SVG: steps by kind, outcomes on arrows, deadlines, waiting states."""

    def read(session: Session) -> Published | None:
        try:
            return parts.versions.current(session, type)
        except VersionUnknown:
            return None

    found = await asyncio.to_thread(parts.store.read, read)
    if found is None:
        raise Problem(404, "type_unknown", "there is no such request type")
    try:
        picture = await asyncio.to_thread(_picture, found)
    except NotDrawn as problem:
        raise Problem(422, "not_drawn", str(problem)) from None
    return Response(picture, media_type=MEDIA_TYPE, headers={**_HEADERS, "ETag": f'"{found.hash}"'})


def _picture(published: Published) -> str:
    """The version's picture; the oldest of those kept goes when there are many."""
    found = _drawn.get(published.hash)
    if found is None:
        found = svg_of(published.definition)
        while len(_drawn) >= MOST_KEPT:
            _drawn.pop(next(iter(_drawn)), None)
        _drawn[published.hash] = found
    return found
