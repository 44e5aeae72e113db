"""Processor time of several processes, sampled, so that it can be told for an instant that is only known later."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import psutil

SAMPLE_EVERY_SECONDS = 0.05


def seconds_of(process: psutil.Process) -> float:
    """Processor seconds that a process has used so far; its children's are not among them."""
    spent = process.cpu_times()
    return float(spent.user + spent.system)


class Meter:
    """Samples processes for as long as its block runs. `pids` are by names; None stands for this process."""

    def __init__(self, pids: Mapping[str, int | None]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._samples: list[tuple[float, dict[str, float]]] = []
        self._sampling: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._sample()
        self._sampling = asyncio.create_task(self._go_on())
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._sampling is not None:
            self._sampling.cancel()
        self._sample()

    def used(self, until: float) -> dict[str, float]:
        """Processor seconds of each from the block's begin to the first sample after this instant (seconds since 1970),
        or to its end."""
        _, first = self._samples[0]
        last = next((sample for at, sample in self._samples if at >= until), self._samples[-1][1])
        return {name: last[name] - first[name] for name in first}

    def _sample(self) -> None:
        self._samples.append((time.time(), {name: seconds_of(each) for name, each in self._processes.items()}))

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(SAMPLE_EVERY_SECONDS)
            self._sample()
