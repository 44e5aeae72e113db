"""GET /overdue against truth, over more and fuller months than the tests': `python -m bench.overdue`.

Plays simulated months on SQLite and compares, at random instants, the list with the slow oracle's: which clocks, in
which order, how late in elapsed and in working time. The first difference ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from fixline.catalog import Catalog, read_catalog
from fixline.store.schema import migrate
from fixline.store.store import Store
from tests.support.api import Service
from tests.support.asking import listed
from tests.support.city import City
from tests.support.lakeport import LAKEPORT
from tests.support.month import Month

MONTHS, REQUESTS, ASKED = 5, 300, 100


async def compare(catalog: Catalog, folder: Path, *, requests: int, asked: int, seed: int) -> bool:
    """Play one month; whether all lists were right."""
    started = time.monotonic()
    store = Store(f"sqlite:///{folder / f'{seed}.db'}")
    migrate(store)
    service = Service(store)
    month = Month(City(store, catalog), requests=requests, asked=asked, seed=seed)
    found = [(now, await listed(service, now)) for now in month.play()]
    truth = month.truth([now for now, _ in found])
    await service.http.aclose()
    store.close()
    for (now, lines), expected in zip(found, truth, strict=True):
        if lines != expected:
            print(f"month {seed} differs at {now}")
            print(*(f"  product only {line}" for line in sorted(set(lines) - set(expected))), sep="\n")
            print(*(f"  oracle only  {line}" for line in sorted(set(expected) - set(lines))), sep="\n")
            return False
    print(
        f"month {seed}: {requests} requests, {sum(month.given.values()):,} commands, {asked} lists of "
        f"{sum(map(len, truth)):,} lines in all: equal; {time.monotonic() - started:.0f} s",
        flush=True,
    )
    return True


def main() -> None:
    """Read the command line and compare."""
    parser = argparse.ArgumentParser(prog="python -m bench.overdue", description=__doc__)
    parser.add_argument("--months", type=int, default=MONTHS)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--asked", type=int, default=ASKED)
    parser.add_argument("--first", type=int, default=1, help="the first month; the tests take 0")
    given = parser.parse_args()
    catalog = read_catalog(LAKEPORT).catalog
    sizes = {"requests": given.requests, "asked": given.asked}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(given.first, given.first + given.months):
            if not asyncio.run(compare(catalog, Path(folder), seed=seed, **sizes)):
                sys.exit(1)


if __name__ == "__main__":
    main()
