"""`python -m bench.statements`: what prepared statements are worth to a decision, beside SQLAlchemy Core on the same
connection.

Opens potholes on SQLite through the request service, and claims, starts and completes the task of each: four decisions.
Both ways take turns, each round in a database of its own; medians of the rounds' processor time.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlmodel import Session

from fixline.catalog import Catalog, read_catalog
from fixline.domain.process.commands import COMMAND
from fixline.service.requests import RequestService
from fixline.store.prepared import Parameters, Prepared
from fixline.store.schema import migrate
from fixline.store.store import Store
from tests.support.city import City
from tests.support.lakeport import LAKEPORT

STEPS: tuple[dict[str, Any], ...] = (
    {"kind": "claim"},
    {"kind": "start"},
    {"kind": "complete", "outcome": "pothole", "form": {"depth": 12}},
)
DECISIONS = 1 + len(STEPS)
WARM = 10


class Unheard:
    """No workflow is told of anything."""

    def send(self, _signals: object) -> None:
        """Nobody listens."""


@contextmanager
def plain() -> Iterator[None]:
    """Run prepared statements as SQLAlchemy runs others, on the connection of their transaction."""

    def execute(prepared: Prepared, session: Session, parameters: Any) -> Any:
        statement: Any = prepared._statement
        chosen = statement["sqlite"] if isinstance(statement, dict) else statement
        connection: Any = session.get_bind()
        return connection.execute(chosen, parameters)

    def first(prepared: Prepared, session: Session, parameters: Parameters) -> tuple[Any, ...] | None:
        row = execute(prepared, session, parameters).first()
        return None if row is None else tuple(row)

    def every(prepared: Prepared, session: Session, parameters: Parameters) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in execute(prepared, session, parameters)]

    def run(prepared: Prepared, session: Session, parameters: Parameters | Sequence[Parameters]) -> None:
        if parameters:
            execute(prepared, session, parameters if isinstance(parameters, Mapping) else list(parameters))

    with patch.multiple(Prepared, first=first, all=every, run=run):
        yield


async def decide(city: City, count: int) -> float:
    """Milliseconds of the processor for each decision."""
    unheard: Any = Unheard()
    service = RequestService(city.store, unheard, city.zone, city.versions, clock=city.clock)
    spent = 0.0
    for _ in range(count):
        report = city.report("pothole")
        began = time.process_time()
        opened: Any = await service.open(report)
        spent += time.process_time() - began
        for step in STEPS:
            command = COMMAND.validate_python({**step, "task": f"{opened.request_id}-T1", "assignee": "ann"})
            arrival = city.submission(command)
            began = time.process_time()
            row = await service.submit(opened.request_id, arrival)
            spent += time.process_time() - began
            assert row.state == "applied", row
    return spent / (count * DECISIONS) * 1000


def one_round(catalog: Catalog, count: int) -> float:
    """The same in a database of its own."""
    with tempfile.TemporaryDirectory(prefix="fixline-statements-") as folder:
        store = Store(f"sqlite:///{Path(folder) / 'fixline.db'}")
        migrate(store)
        took = asyncio.run(decide(City(store, catalog), count))
        store.close()
    return took


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.statements", description=__doc__)
    parser.add_argument("--count", type=int, default=250, help="potholes of each round")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    catalog = read_catalog(LAKEPORT).catalog
    took: dict[str, list[float]] = {"prepared": [], "core": []}
    one_round(catalog, WARM)
    for _ in range(given.rounds):
        took["prepared"].append(one_round(catalog, given.count))
        with plain():
            took["core"].append(one_round(catalog, given.count))
    print(f"A decision, medians of {given.rounds} rounds of {given.count * DECISIONS}")
    for name, rounds in took.items():
        print(f"  {name:8} {statistics.median(rounds):.3f} ms   rounds {', '.join(f'{each:.3f}' for each in rounds)}")
    prepared, core = (statistics.median(rounds) for rounds in took.values())
    print(f"  prepared statements save {1 - prepared / core:.0%} of a decision")


if __name__ == "__main__":
    main()
