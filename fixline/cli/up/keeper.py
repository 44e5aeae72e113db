"""Keeps the parts alive, and stops them in order.

Owns the processes of `fixline up`: starts them on a leash, notices when one ends, starts it again after a short
pause that grows while it keeps failing. Runs on the main thread; knows no part's meaning.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from fixline.cli.up.leash import spawn
from fixline.cli.up.parts import Part

SHORTEST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0
WELL_AFTER_SECONDS = 20.0
"""A part that has run this long counts as well; its next pause is short again."""

Say = Callable[[str], None]


@dataclass
class _Kept:
    part: Part
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause_seconds: float = SHORTEST_PAUSE_SECONDS
    again_at: float = 0.0


class Keeper:
    """Keeps these parts; `log_of` gives each one's log file, `say` tells the operator one line per event."""

    def __init__(self, parts: Iterable[Part], log_of: Callable[[str], Path], say: Say) -> None:
        self._kept = [_Kept(part, log_of(part.name)) for part in parts]
        self._say = say

    def start(self) -> None:
        """Start every part. Raises OSError when a program cannot be started."""
        for kept in self._kept:
            self._start(kept)

    def look(self) -> None:
        """Notice what has ended, and start again what has paused long enough."""
        now = time.monotonic()
        for kept in self._kept:
            if kept.process is None:
                if now >= kept.again_at:
                    self._start(kept)
                    self._say(f"{kept.part.name} started again (process {_pid(kept)})")
            elif kept.process.poll() is not None:
                self._ended(kept, kept.process.returncode, now)

    def stop(self) -> None:
        """Ask every part to leave, in order; whoever does not in time is ended."""
        by_turn = sorted(self._kept, key=lambda kept: kept.part.leaves)
        for _, group in groupby(by_turn, key=lambda kept: kept.part.leaves):
            self._stop([kept for kept in group if kept.process is not None])

    def processes(self) -> dict[str, int]:
        """The process id of each part that runs."""
        return {kept.part.name: kept.process.pid for kept in self._kept if kept.process is not None}

    def _start(self, kept: _Kept) -> None:
        with kept.log.open("ab") as log:
            kept.process = spawn(kept.part.command, kept.part.environment, log)
        kept.started_at = time.monotonic()

    def _ended(self, kept: _Kept, code: int, now: float) -> None:
        if now - kept.started_at > WELL_AFTER_SECONDS:
            kept.pause_seconds = SHORTEST_PAUSE_SECONDS
        kept.process, kept.again_at = None, now + kept.pause_seconds
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
        self._say(f"{kept.part.name} ended {how}; starting it again in {kept.pause_seconds:g} s (see {kept.log})")
        kept.pause_seconds = min(kept.pause_seconds * 2, LONGEST_PAUSE_SECONDS)

    def _stop(self, group: list[_Kept]) -> None:
        for kept in group:
            if kept.process is not None and kept.process.poll() is None:
                kept.process.terminate()
        deadline = time.monotonic() + max((kept.part.patience_seconds for kept in group), default=0)
        for kept in group:
            self._reap(kept, deadline)

    def _reap(self, kept: _Kept, deadline: float) -> None:
        if kept.process is None:
            return
        try:
            kept.process.wait(max(deadline - time.monotonic(), 0.05))
            self._say(f"{kept.part.name} has stopped")
        except subprocess.TimeoutExpired:
            os.killpg(kept.process.pid, signal.SIGKILL)
            kept.process.wait()
            self._say(f"{kept.part.name} did not leave in time and was ended")
        kept.process = None


def _pid(kept: _Kept) -> int:
    return kept.process.pid if kept.process is not None else 0
