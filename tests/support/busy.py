"""`python -m tests.support.busy COMMAND ...`: run a command on a machine whose every processor is taken by others.

For races that only a busy machine shows: `make busy` runs the tests with a Temporal server this way.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

SPIN = "while True: pass"


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """One process for each processor that does nothing, without a pause, for as long as the block runs."""
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


if __name__ == "__main__":
    with busy():
        code = subprocess.call(sys.argv[1:])
    sys.exit(code)
