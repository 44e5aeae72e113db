"""`python -m bench`: every benchmark, or those named; `work` is the worker process of one."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from bench import calendars, potholes
from fixline import loops


def main() -> None:
    """Read the command line and run."""
    if sys.argv[1:2] == ["work"]:
        _, _, side, address, folder = sys.argv
        run = loops.run if side == "fixline" else asyncio.run  # each worker as its users would run it
        run(potholes.work(side, address, Path(folder)))
        return
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="requests of each side and round")
    parser.add_argument("--at-once", type=int, nargs="+", default=[16, 64], help="requests in flight")
    parser.add_argument("--rounds", type=int, default=3, help="how often the sides take turns")
    arguments = parser.parse_args()
    calendars.measure()
    with tempfile.TemporaryDirectory() as folder:
        loops.run(
            potholes.compare(Path(folder), count=arguments.count, in_flight=arguments.at_once, rounds=arguments.rounds)
        )


if __name__ == "__main__":
    main()
