"""What supervisors' lists are found by: kept with every decision, and filled in for requests of earlier releases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from fixline.store.tables import RequestRow, table_of
from tests.support.city import City
from tests.support.releases import through
from tests.support.types import asking, errand, promised

COLUMNS = ("id", "acted_at", "waits_for", "waits_on", "waits_since")


def columns(city: City) -> list[dict[str, Any]]:
    """What is known of every request."""
    request = table_of(RequestRow).c
    statement = select(*(request[name] for name in COLUMNS)).order_by(request.id)
    return [dict(row) for row in city.store.read(lambda s: s.execute(statement).mappings().all())]


def test_requests_of_before_are_filled_in_as_they_would_have_been_kept(city: City) -> None:
    """Down to the release before and up again: a task offered and one claimed, a hold, others' steps, a late one."""
    city.publish(errand(), asking(), asking(type="gas", start="gas"), promised())
    claimed, held, asleep = (city.open() for _ in range(3))
    city.open()
    city.open("asking")
    city.open("gas")
    late = city.open("promise")
    closed = city.open()
    city.later(minutes=5)
    city.do(claimed, "claim", task=f"{claimed}-T1", assignee="anneke")
    city.do(held, "hold", reason="closed off")
    city.do(asleep, "complete", task=f"{asleep}-T1", outcome="later")
    city.do(closed, "cancel", reason="gone")
    city.later(hours=2)
    city.inbox.advance(late, city.now)
    kept = columns(city)
    assert [row["waits_for"] for row in kept] == ["person", "hold", "signal", "team", "system", "agency", "team", None]
    assert kept[6]["acted_at"] == kept[6]["waits_since"]  # rungs have fired since; nothing has happened

    through(city.store, "0005")
    found = columns(city)
    kept[7]["acted_at"] = None  # a closed request is on none of these lists
    found[7]["acted_at"] = None
    assert found == kept
