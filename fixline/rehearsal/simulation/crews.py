"""Teams at work: so many crews, each with one task at a time, in the hours of the team's calendar.

Owns the queue of each team: the most urgent first, of those the oldest. Instants are aware UTC.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.definition.vocabulary import Priority


@dataclass(order=True)
class Job:
    """A task that waits in a queue."""

    rank: int
    offered_at: datetime
    number: int
    request: int = field(compare=False)
    task: str = field(compare=False)
    step: str = field(compare=False)


@dataclass
class Team:
    """One team with its crews. `busy` is the working time that its crews have spent."""

    key: str
    size: int
    calendar: WorkingCalendar
    queue: list[Job] = field(default_factory=list)
    at_work: int = 0
    done: int = 0
    longest: int = 0
    busy: timedelta = timedelta()
    wakes_at: datetime | None = None

    def put(self, priority: Priority, offered_at: datetime, number: int, request: int, task: str, step: str) -> None:
        """A task is offered to the team."""
        heapq.heappush(self.queue, Job(-priority.rank, offered_at, number, request, task, step))
        self.longest = max(self.longest, len(self.queue))

    def next(self, now: datetime) -> Job | None:
        """The job that a free crew takes now; None when there is neither crew nor job, or the team is closed."""
        if not self.queue or self.at_work >= self.size or not self.calendar.is_open(now):
            return None
        self.at_work += 1
        return heapq.heappop(self.queue)

    def opening(self, now: datetime) -> datetime | None:
        """When the team has to be woken: at its next opening, if work waits and nothing wakes it before."""
        if not self.queue or self.calendar.is_open(now) or (self.wakes_at is not None and self.wakes_at > now):
            return None
        self.wakes_at = self.calendar.next_opening(now)
        return self.wakes_at
