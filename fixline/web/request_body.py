"""Bodies: how large they may be, and what JSON is taken for one.

The size limit holds for chunked bodies, too. The reader is stricter than Python's: no NaN or Infinity, no number beyond
a float, no NUL, no half characters, no depth that nobody asks for.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from fastapi import Request
from pydantic_core import from_json
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fixline.domain.process.commands import DEEPEST
from fixline.web.problems import FieldError, Problem, of_fields, response

_MALFORMED = re.compile(r"(.*) at (line \d+ column \d+)$")
_LARGEST = sys.float_info.max
_MAX_DEPTH = DEEPEST + 2


class BodyLimit:
    """Refuses bodies above a size with 413, by their declared length or while they come in."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max = max_bytes
        self._text = f"a body may have at most {max_bytes} bytes"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, counting."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._max:
                raise Problem(413, "body_too_large", self._text)
            return message

        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length[:20]) > self._max:
            await response(Problem(413, "body_too_large", self._text))(scope, receive, send)
        else:
            await self._app(scope, counted, send)


async def read_body(request: Request) -> dict[str, Any] | None:
    """The body as a JSON object; None when there is none. Raises Problem (413, 415, 422)."""
    raw = await request.body()
    if not raw:
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem(415, "not_json", "the body must be JSON, with Content-Type: application/json")
    return parse(raw)


def parse(raw: bytes) -> dict[str, Any]:
    """The JSON object that these bytes are. Raises Problem (422)."""
    try:
        found = from_json(raw, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        match = _MALFORMED.match(str(error))
        message = f"{match[1]}, at {match[2]}" if match else f"{error}, at the beginning"
        wrong = [_wrong("body", "malformed_json", message)]
        raise Problem(422, "malformed_json", f"the body is not JSON: {message}", errors=wrong) from None
    if not isinstance(found, dict):
        wrong = [_wrong("body", "not_an_object", "no object")]
        raise Problem(422, "not_an_object", "the body must be a JSON object", errors=wrong)
    errors: list[FieldError] = []
    _check(found, "", 0, errors)
    if errors:
        raise of_fields(errors)
    return found


def _wrong(field: str, code: str, message: str) -> FieldError:
    return FieldError(field=field, code=code, message=message)


def _check(value: Any, path: str, depth: int, errors: list[FieldError]) -> None:
    """Note what no database could keep, with its path."""
    if isinstance(value, str):
        if "\0" in value:
            errors.append(_wrong(path, "no_character", "a text has the character NUL"))
    elif isinstance(value, float | int):
        if not -_LARGEST <= value <= _LARGEST:
            errors.append(_wrong(path, "not_a_number", "a number is too large"))
    elif isinstance(value, dict | list):
        if depth >= _MAX_DEPTH:
            errors.append(_wrong(path, "too_deep", f"lists and objects lie more than {_MAX_DEPTH} deep in each other"))
            return
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            shown = str(key).replace("\0", "\N{REPLACEMENT CHARACTER}")
            if isinstance(key, str) and "\0" in key:
                errors.append(_wrong(f"{path}.{shown}".strip("."), "no_character", "a name has the character NUL"))
            _check(item, f"{path}.{shown}".strip("."), depth + 1, errors)
