"""GET /overdue against truth: at a hundred random instants of a simulated month the list is the oracle's.

`python -m bench.overdue` asks about longer and fuller months.
"""

from __future__ import annotations

import pytest

from fixline.catalog import Catalog
from tests.support.api import Service
from tests.support.asking import listed
from tests.support.city import City
from tests.support.month import Month

COMMANDS = {
    *("amend", "attach", "cancel", "claim", "complete", "decline", "detach", "hold", "move", "priority", "reassign"),
    *("recategorise", "release", "reopen", "resume", "send_back", "signal"),
}


@pytest.mark.timeout(400)
async def test_overdue_is_what_the_oracle_says(anywhere: Service, catalog: Catalog) -> None:
    """The lines, their order, and how late each is in elapsed and in working time."""
    requests = 80 if anywhere.store.sqlite else 30  # each of its transactions is a few round trips there
    month = Month(City(anywhere.store, catalog), requests=requests, asked=100)
    found = [(now, await listed(anywhere, now)) for now in month.play()]
    truth = month.truth([now for now, _ in found])
    for (now, lines), expected in zip(found, truth, strict=True):
        assert lines == expected, now
    assert len(found) == 100
    assert month.given.keys() == COMMANDS
    assert sum(map(len, truth)) > 10 * requests
