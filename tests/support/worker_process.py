"""A worker in a process of its own that dies after one commit."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from tests.support.dying_worker import EXIT_CODE
from tests.support.shop import Shop
from tests.support.temporal import TemporalServer

ROOT = Path(__file__).resolve().parents[2]


@contextlib.asynccontextmanager
async def dying_worker(shop: Shop, server: TemporalServer, victim: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker process that dies after the first commit of one activity; at the end it must have done so."""
    command = (sys.executable, "-m", "tests.support.dying_worker", server.address, shop.store.url, shop.queue, victim)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"polling\n"
        yield process
        assert await asyncio.wait_for(process.wait(), 20) == EXIT_CODE
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
