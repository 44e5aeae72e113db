"""Instants, ladders and definitions that the tests of clocks share."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fixline.domain.definition.model import Definition
from fixline.domain.process.commands import SYSTEM
from tests.support.domain.driver import Driven
from tests.support.domain.samples import at, with_clock

SECOND = dt.timedelta(seconds=1)
INSTANT = dt.timedelta(microseconds=1)
OPENING = at("mon 08:00")
LADDER = [
    {"at_percent": 75, "tell": "lead"},
    {"at_due": True, "tell": "supervisor"},
    {"after": "1 calendar day", "every": "2 working hours", "up_to": 3, "tell": "chief"},
]
SIZES = {"size": {"kind": "number"}}
BY_SIZE = [{"when": "size > 9", "is": "high"}, {"is": "normal"}]


def by_size(high: str, otherwise: str, **deadline: Any) -> Definition:
    """One deadline whose budget depends on a size that people answer."""
    within = {"by_priority": {"high": high}, "otherwise": otherwise}
    return with_clock(within, priority=BY_SIZE, intake={"location": "none", "questions": SIZES}, **deadline)


def ticked(request: Driven, until: dt.datetime) -> None:
    """Let the timer fire at every instant for which it is armed."""
    while request.next_at is not None and request.next_at <= until:
        request.do("tick", request.next_at, SYSTEM)
