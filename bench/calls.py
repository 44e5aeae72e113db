"""Calls of the HTTP API that cost the caller little: plain streams with keep-alive, one call at a time on each.

A driver beside the system that it measures takes the machine's time from it; httpx takes several times as much.
"""

from __future__ import annotations

import asyncio
import json
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit


class Answer(NamedTuple):
    """What a call was answered with: the status, and the body's bytes."""

    status: int
    content: bytes

    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.content)


class Connection:
    """One connection to the API at `url`, with a key; opened by the first call, and anew by the first after `cut`."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._head = f"HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {key}\r\n".encode()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.cut()

    def cut(self) -> None:
        """Close it: a server closes by itself what is idle for some seconds, and might do so under a call."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def post(self, path: str, body: object, repeat: str = "") -> Answer:
        """Send JSON; `repeat` is the Idempotency-Key. Raises OSError and EOFError where the connection breaks."""
        content = json.dumps(body, separators=(",", ":")).encode()
        more = f"Idempotency-Key: {repeat}\r\n" if repeat else ""
        head = f"{more}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        return await self._call(b"POST %b %b%b%b" % (path.encode(), self._head, head, content))

    async def get(self, path: str) -> Answer:
        """Read. Raises as `post`."""
        return await self._call(b"GET %b %b\r\n" % (path.encode(), self._head))

    async def _call(self, message: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        try:
            writer.write(message)
            lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
            (length,) = (line for line in lines if line.startswith(b"content-length:"))
            content = await reader.readexactly(int(length.partition(b":")[2]))
        except BaseException:
            self.cut()
            raise
        if b"connection: close" in lines:
            self.cut()
        return Answer(int(lines[0].split(b" ", 2)[1]), content)
