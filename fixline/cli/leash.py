"""The leash by which a child dies with its parent, whatever ends the parent. Imports the standard library alone.

On Linux the kernel pulls it (PR_SET_PDEATHSIG); it follows the forking *thread*, so children are started from the main
thread only, and `fixline up` has no other. Elsewhere this file itself is run between parent and child.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
LOOK_EVERY_SECONDS = 0.5
ON_LINUX = sys.platform.startswith("linux")
_LIBC = ctypes.CDLL(None, use_errno=True) if ON_LINUX else None  # loaded before any fork


def spawn(
    command: list[str], environment: dict[str, str], output: IO[bytes], *, by_kernel: bool = ON_LINUX
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that Ctrl-C reaches the parent alone. Main thread only.

    Raises OSError when it cannot be started.
    """
    parent = os.getpid()
    if not by_kernel:
        command = [sys.executable, "-I", str(Path(__file__)), str(parent), *command]
    return subprocess.Popen(  # noqa: S603 - the command is made by us
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_on_leash(parent) if by_kernel else None,  # noqa: PLW1509 - `up` has one thread
    )


def _on_leash(parent: int) -> Callable[[], None]:
    def before_exec() -> None:
        if _LIBC is not None:
            _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # the parent ended between the fork and the line above
            os._exit(1)

    return before_exec


def watch(parent: int, command: list[str]) -> int:
    """Run the command until it ends or the parent is gone; the command's exit code."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - handed over by `spawn`
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while child.poll() is None:
        if os.getppid() != parent:
            child.kill()
        time.sleep(LOOK_EVERY_SECONDS)
    return child.returncode


if __name__ == "__main__":
    sys.exit(watch(int(sys.argv[1]), sys.argv[2:]))
