"""Reports of a summer that can be counted by hand: six errands, two of them opened again; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fixline.store.queries.reports import (
    Period,
    ReportFilter,
    report_backlog,
    report_sla,
    report_time_to_close,
    report_volume,
)
from tests.support.city import SUPERVISOR, City
from tests.support.types import promised

MONTHS = [
    Period(f"2026-{month:02}", datetime(2026, month, 1, 5, tzinfo=UTC), datetime(2026, month + 1, 1, 5, tzinfo=UTC))
    for month in (6, 7, 8)
]
BY_MONTH = ReportFilter(MONTHS, ("month",))
DAY = 86_400


class Summer:
    """The errands by letter; each step happens at noon of a day, and clocks run to it."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.ids: dict[str, str] = {}

    def at(self, month: int, day: int) -> None:
        """Time passes until then, and what was due before has happened, at its instant."""
        until = datetime(2026, month, day, 17, tzinfo=UTC)
        for request_id in self.ids.values():
            while (next_at := self.city.request(request_id).next_at) is not None and next_at <= until:
                self.city.due(request_id, next_at)
        self.city.now = until

    def open(self, *letters: str) -> None:
        """New errands."""
        for letter in letters:
            self.ids[letter] = self.city.open("promise")

    def done(self, letter: str, outcome: str = "done") -> None:
        """The one open task is completed."""
        request_id = self.ids[letter]
        self.city.do(request_id, "complete", task=self.city.task(request_id).id, outcome=outcome)

    def say(self, letter: str, kind: str) -> None:
        """A supervisor says so."""
        self.city.do(self.ids[letter], kind, actor=SUPERVISOR, reason="so it is")


@pytest.fixture
def summer(city: City) -> City:
    """a: fixed in two days. b: at the second visit. c: fixed, opened again in July, fixed in August. d: cancelled.
    e: open. f: fixed, opened again in August, open."""
    reopen = {"by": ["supervisor"], "within": "90 calendar days", "at": "work"}
    city.publish(promised("5 calendar days", reopen=reopen))
    told = Summer(city)
    told.at(6, 1)
    told.open("a", "b", "c")
    told.at(6, 3)
    told.done("a")
    told.at(6, 5)
    told.done("b", "again")
    told.at(6, 11)
    told.done("b")
    told.open("d")
    told.at(6, 21)
    told.done("c")
    told.at(7, 1)
    told.say("d", "cancel")
    told.at(7, 5)
    told.say("c", "reopen")
    told.at(7, 10)
    told.open("e", "f")
    told.at(7, 12)
    told.done("f")
    told.at(8, 4)
    told.done("c")
    told.at(8, 10)
    told.say("f", "reopen")
    told.at(8, 31)
    return city


def test_volume_outcomes_and_rates(summer: City) -> None:
    """A close that did not last counts in the reopen rate of its own month, and its request among the closed of its
    last close. c is fixed in August, but not at the first visit."""
    found = summer.store.read(lambda s: report_volume(s, BY_MONTH))
    names = ("month", "opened", "reopened", "closed", "fixed", "cancelled", "fixed_by_crews", "first_visit")
    assert [tuple(line[name] for name in names) for line in found] == [
        ("2026-06", 4, 0, 2, 2, 0, 2, 1),
        ("2026-07", 2, 1, 1, 0, 1, 0, 0),
        ("2026-08", 0, 1, 1, 1, 0, 1, 0),
    ]
    rates = ("opened_again", "fixed_share", "reopen_rate", "first_visit_rate")
    assert [tuple(line[name] for name in rates) for line in found] == [
        (1, 1.0, 0.3333, 0.5),
        (1, 0.0, 0.5, None),
        (0, 1.0, 0.0, 0.0),
    ]
    (whole,) = summer.store.read(lambda s: report_volume(s, ReportFilter(MONTHS, ("type",))))
    assert tuple(whole[name] for name in rates) == (2, 0.75, 0.3333, 0.3333)


def test_the_backlog_was_what_it_was(summer: City) -> None:
    """Errands c and f were closed at an end of month, whatever they are now."""
    found = summer.store.read(lambda s: report_backlog(s, BY_MONTH))
    assert [tuple(line.values()) for line in found] == [
        ("2026-06", 4, 0, 3, 1),
        ("2026-07", 2, 1, 2, 2),
        ("2026-08", 0, 1, 1, 2),
    ]
    august = summer.store.read(lambda s: report_backlog(s, ReportFilter(MONTHS[2:])))
    assert [line["open_at_end"] for line in august] == [2]


def test_time_to_close_is_from_the_first_report_to_the_last_close(summer: City) -> None:
    found = summer.store.read(lambda s: report_time_to_close(s, BY_MONTH))
    assert [tuple(line.values()) for line in found] == [
        ("2026-06", 2, 2 * DAY, 10 * DAY),
        ("2026-08", 1, 64 * DAY, 64 * DAY),
    ]


def test_promises_kept_and_missed(summer: City) -> None:
    """Each reopening is a promise of its own; d was overdue before it was cancelled."""
    found = summer.store.read(lambda s: report_sla(s, BY_MONTH))
    assert [tuple(line.values()) for line in found] == [
        ("2026-06", 1, 3, 2, 0.25),
        ("2026-07", 1, 2, 1, 0.3333),
        ("2026-08", 0, 1, 0, 0.0),
    ]
    assert summer.now - MONTHS[0].since > timedelta(days=90)
