"""What supervisors find requests by, kept with every decision: on whom one waits, when something happened to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.city import ADMIN, MORNING, City
from tests.support.types import QUEUE, asking, errand, promised

Waits = tuple[str | None, str | None, Any]


@pytest.fixture
def errands(city: City) -> City:
    """The city with errands, others' steps, and promises of an hour."""
    city.publish(errand(), asking(), asking(type="gas", start="gas"), promised())
    return city


def waits(city: City, request_id: str) -> Waits:
    """On whom it waits: the kind, who or what, since when."""
    row = city.request(request_id)
    return row.waits_for, row.waits_on, row.waits_since


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("errand", ("team", QUEUE, MORNING)),
        ("asking", ("system", "permits-office", MORNING)),
        ("gas", ("agency", "lakeport-gas", MORNING)),
    ],
)
def test_from_its_opening_it_waits_on_whoever_has_the_first_step(errands: City, type_: str, expected: Waits) -> None:
    request_id = errands.open(type_)
    assert waits(errands, request_id) == expected
    assert errands.request(request_id).acted_at == MORNING


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("claim", {"task": "T1", "assignee": "anneke"}, ("person", "anneke")),
        ("hold", {"reason": "closed off"}, ("hold", ADMIN.name)),
        ("complete", {"task": "T1", "outcome": "later"}, ("signal", "wake")),
        ("cancel", {"reason": "gone"}, (None, None)),
    ],
)
def test_with_each_command_it_waits_on_whoever_is_next(
    errands: City, kind: str, body: dict[str, Any], expected: tuple[str | None, str | None]
) -> None:
    request_id = errands.open()
    errands.later(minutes=5)
    given = {**body, "task": f"{request_id}-T1"} if "task" in body else body
    errands.do(request_id, kind, **given)
    found = waits(errands, request_id)
    assert found == (*expected, errands.now if expected[0] else None)
    assert errands.request(request_id).acted_at == errands.now


def test_a_deadline_that_passes_is_nothing_that_happens(errands: City) -> None:
    """Rungs fire, and still it waits on the same team since the same instant."""
    request_id = errands.open("promise")
    errands.due(request_id, errands.later(hours=2))
    row = errands.request(request_id)
    assert (row.decision, row.updated_at) == (2, errands.now)
    assert waits(errands, request_id) == ("team", QUEUE, MORNING)
    assert row.acted_at == row.waits_since == errands.now - timedelta(hours=2)


def test_a_command_that_had_to_wait_is_kept_the_same_way(errands: City) -> None:
    request_id = errands.open()
    errands.waiting(request_id, "hold", reason="closed off")
    assert waits(errands, request_id) == ("team", QUEUE, MORNING)
    given = errands.now
    errands.due(request_id, errands.later(minutes=5))
    assert waits(errands, request_id) == ("hold", ADMIN.name, given)
