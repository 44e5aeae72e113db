"""Keeps the parts of `fixline up` alive, on a leash and on the main thread, and stops them in order. What ends is begun
again after a pause that grows while it keeps failing."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from fixline.cli.leash import spawn
from fixline.cli.parts import Part

SHORTEST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0
WELL_AFTER_SECONDS = 20.0
"""A part that has run this long counts as well; its next pause is short again."""


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

    def __init__(self, parts: Iterable[Part], log_of: Callable[[str], Path], say: Callable[[str], None]) -> None:
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
                    self._say(f"{kept.part.name} started again (process {self._start(kept)})")
            elif kept.process.poll() is not None:
                self._ended(kept, kept.process.returncode, now)

    def stop(self) -> None:
        """Ask every part to leave, in order; whoever does not in time is ended."""
        by_turn = sorted(self._kept, key=lambda kept: kept.part.leaves)
        for _, turn in groupby(by_turn, key=lambda kept: kept.part.leaves):
            group = [(kept, kept.process) for kept in turn if kept.process is not None]
            for _, process in group:
                process.terminate()  # does nothing to one that has ended
            deadline = time.monotonic() + max((kept.part.patience_seconds for kept, _ in group), default=0)
            for kept, process in group:
                self._stop(kept, process, deadline)

    def _start(self, kept: _Kept) -> int:
        with kept.log.open("ab") as log:
            kept.process = spawn(kept.part.command, kept.part.environment, log)
        kept.started_at = time.monotonic()
        return kept.process.pid

    def _ended(self, kept: _Kept, code: int, now: float) -> None:
        if now - kept.started_at > WELL_AFTER_SECONDS:
            kept.pause_seconds = SHORTEST_PAUSE_SECONDS
        kept.process, kept.again_at = None, now + kept.pause_seconds
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
        self._say(f"{kept.part.name} ended {how}; starting it again in {kept.pause_seconds:g} s (see {kept.log})")
        kept.pause_seconds = min(kept.pause_seconds * 2, LONGEST_PAUSE_SECONDS)

    def _stop(self, kept: _Kept, process: subprocess.Popen[bytes], deadline: float) -> None:
        try:
            process.wait(max(deadline - time.monotonic(), 0.05))
            self._say(f"{kept.part.name} has stopped")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            self._say(f"{kept.part.name} did not leave in time and was ended")
        kept.process = None
