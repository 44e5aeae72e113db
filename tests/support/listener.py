"""A server of this machine for what goes out: it keeps what it was sent, and answers as the test says.

Owns the fixture `listener`.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

KEY = b"0123456789abcdef0123456789abcdef"
SECRETS = {
    "FIXLINE_SECRET_T": f"whsec_{base64.b64encode(KEY).decode()}",
    "FIXLINE_SECRET_SHORT": "whsec_AAAA",
    "FIXLINE_SECRET_ODD": "whsec_no base64!",
}
Answer = Callable[[BaseHTTPRequestHandler], None]


class Listener:
    """A server that keeps what it was sent; `answer` says how it answers."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: Answer = say(200, b'{"outcome": "granted"}')
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                listener.answer(self)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_port}/in?box=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        self.server.shutdown()
        self.server.server_close()


def say(status: int, body: bytes = b"", **headers: str) -> Answer:
    """An answer with this status, body and headers."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A server of this machine."""
    found = Listener()
    yield found
    found.stop()
