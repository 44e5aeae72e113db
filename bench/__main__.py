"""`python -m bench`: the benchmarks of every release, one after the other; `work` is the worker process of one."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import uvloop

from bench import away, calendars, http, potholes, sides

HTTP_IN_FLIGHT, HTTP_COUNT, HTTP_ROUNDS = (1, 16, 64), 150, 1
AWAY_SECONDS, AWAY_COUNT = 20.0, 100
"""Modest sizes: by themselves, bench.http and bench.away do more."""


def main() -> None:
    """Read the command line and run."""
    if sys.argv[1:2] == ["work"]:
        _, _, side, address, folder, queue = sys.argv
        asyncio.run(sides.work(side, address, Path(folder), queue))  # as its users would run it
        return
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="potholes of each side and round")
    parser.add_argument("--at-once", type=int, default=32, help="potholes in flight")
    parser.add_argument("--rounds", type=int, default=5, help="how often the sides take turns")
    given = parser.parse_args()
    calendars.measure()
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(potholes.compare(Path(folder), potholes.Asked(given.count, given.at_once, given.rounds)))
    http.run(HTTP_IN_FLIGHT, HTTP_COUNT, HTTP_ROUNDS, None)
    sys.exit(not away.run(AWAY_SECONDS, AWAY_COUNT))


if __name__ == "__main__":
    main()
