"""A month of a city's requests in virtual time: the real store and the real rules, a random but repeatable life.

Owns the driver: people act at random whole minutes, timers fire at the minute, except while the system is down.
`Month.play` stops at the instants at which somebody asks.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import heapq
import random
from collections.abc import Iterator
from typing import Any

from sqlmodel import Session, col, select

from fixline.domain.journal.state import RequestState, read_state
from fixline.domain.process.decision import Refused
from fixline.messages import EffectInput, PendingWork
from fixline.store.tables import CommandRow, JournalRow, RequestRow
from tests.support.city import City
from tests.support.kinds import EARLIEST, FIRST, HOLE, HOLE_AFTER, LAMP, LAMP_AFTER, LAST, OUTCOMES, Kind, definition_of
from tests.support.oracle import DAY, MINUTE
from tests.support.overdue_oracle import Fact, Late, Life, Office

_OUTAGES = ((2.3, 14), (4.6, 9), (8.1, 20), (12.5, 30), (16.4, 12), (19.5, 6), (23, 28), (27.3, 10))
DOWN = [(FIRST + days * DAY, FIRST + days * DAY + hours * 60 * MINUTE) for days, hours in _OUTAGES]
"""When no timer fires, and nobody hands anything in but reports."""


class Month:
    """The month on one store; the same seed gives the same one."""

    def __init__(self, city: City, *, requests: int, asked: int, seed: int = 0) -> None:
        self.city = city
        self.chance = random.Random(seed)
        self.kinds: dict[str, Kind] = {}
        self.ids: list[str] = []
        self.given: dict[str, int] = {}
        self._timers: dict[str, dt.datetime] = {}
        self._queue: list[tuple[dt.datetime, int, str]] = []
        self._plan(requests, asked)

    def _plan(self, requests: int, asked: int) -> None:
        """What will come: openings, askings (half of them at whole minutes), and the days of new versions."""
        month = (LAST - FIRST) // MINUTE
        for number in range(requests):
            early = number < requests // 10
            after = 0 if early else self.chance.randrange(month - 5 * 1440)
            self._put(FIRST + MINUTE * after, "backlog" if early else "open")
        for _ in range(asked):
            self._put(FIRST + MINUTE * self.chance.randrange(1440, month), "ask")
        self._put(FIRST, "first versions")
        self._put(FIRST + 11 * DAY, "second versions")

    def _put(self, at: dt.datetime, what: str) -> None:
        order = {"first versions": 0, "second versions": 0, "ask": 3}.get(what, 1)
        heapq.heappush(self._queue, (at, order, what))

    def play(self) -> Iterator[dt.datetime]:
        """Let the month happen; stops at each instant at which somebody asks."""
        while self._queue:
            at, _, what = self._queue[0]
            fires = min(self._timers.values(), default=LAST)
            fires = next((until for since, until in DOWN if since <= fires < until), fires)
            if fires < at:
                self._fire(fires)
                continue
            heapq.heappop(self._queue)
            if what != "ask":
                self.city.now = at
                self._happen(what)
                continue
            if not self._down(at):
                self._fire(at)
            self.city.now = at + self.chance.choice((0, self.chance.random())) * MINUTE
            yield self.city.now

    def _down(self, at: dt.datetime) -> bool:
        return any(since <= at < until for since, until in DOWN)

    def _fire(self, now: dt.datetime) -> None:
        """Every timer that is due fires."""
        self.city.now = now
        for request_id in [each for each, at in self._timers.items() if at <= now]:
            self._told(request_id, self.city.due(request_id))

    def _happen(self, what: str) -> None:
        match what:
            case "first versions":
                self._publish(HOLE, LAMP)
            case "second versions":
                self._publish(HOLE_AFTER, LAMP_AFTER)
            case "open" | "backlog":
                self._open(backlog=what == "backlog")
            case request_id:
                if not self._down(self.city.now):
                    self._act(request_id)
                self._next_act(request_id)

    def _publish(self, *kinds: Kind) -> None:
        definitions = [definition_of(kind) for kind in kinds]
        self.city.publish(*definitions)
        for kind in kinds:
            self.kinds[self._version(kind.type)] = kind

    def _version(self, type_: str) -> str:
        return self.city.store.read(lambda s: self.city.versions.current(s, type_)).hash

    def _open(self, *, backlog: bool) -> None:
        details: dict[str, Any] = {"answers": {"depth": self.chance.randrange(20)}}
        if backlog:
            opened_at = self.city.now - MINUTE * self.chance.randrange(1, (FIRST - EARLIEST) // MINUTE)
            details |= {"backlog": True, "opened_at": opened_at}
        request_id = self.city.open(self.chance.choice(("hole", "hole", "lamp")), **details)
        self.ids.append(request_id)
        self._told(request_id, self.city.due(request_id))
        self._next_act(request_id)

    def _next_act(self, request_id: str) -> None:
        wait = self.chance.choice((0, 60, 900, 2400, 4800, 7200))
        at = self.city.now + MINUTE * (1 + self.chance.randrange(wait + 1))
        if at < LAST:
            self._put(at, request_id)

    def _told(self, request_id: str, work: PendingWork) -> None:
        """Take what the decision asks for, and set the timer."""
        city = self.city
        others: dict[str, PendingWork] = {}
        while work.effects:
            effect = work.effects[0]
            if effect.kind == "tell_request":
                work, signal = city.effects.tell(EffectInput(request_id, effect.effect_id, city.now))
                if signal is not None:
                    others[signal.request_id] = signal.work
            elif effect.kind in ("dispatch", "order_inspection") and self.chance.random() < 0.5:
                work = city.effects.take(EffectInput(request_id, effect.effect_id, city.now), city.crews.give)
            else:
                work = city.effects.take(EffectInput(request_id, effect.effect_id, city.now), lambda *_: None)
        if work.next_at is None or work.closed:
            self._timers.pop(request_id, None)
        else:
            self._timers[request_id] = work.next_at
        for each in sorted(others):
            self._told(each, city.work(each))

    # What people do

    def _act(self, request_id: str) -> None:
        commands = self._choose(request_id, self._state(request_id))
        for kind, body in commands:
            with contextlib.suppress(Refused):
                self.city.do(request_id, kind, **body)
            self.given[kind] = self.given.get(kind, 0) + 1
        if commands:
            self._told(request_id, self.city.due(request_id))

    def _state(self, request_id: str) -> RequestState:
        state = self.city.request(request_id).state
        assert state is not None
        return read_state(state)

    def _choose(self, request_id: str, state: RequestState) -> list[tuple[str, dict[str, Any]]]:
        """Commands to be handed in at once; most of them fit."""
        chance, why = self.chance, {"reason": "so it is"}
        if state.closed:
            return [("reopen", why)] if chance.random() < 0.1 else []
        if state.attached_to:
            return [("detach", why)] if chance.random() < 0.2 else []
        if state.hold and chance.random() < 0.6:
            return [("resume", why)]
        if chance.random() < 0.55:
            return self._work(state)
        priority = chance.choice((None, "normal", "high", "urgent"))
        other = "lamp" if state.type == "hole" else "hole"
        older = self.ids[: self.ids.index(request_id)][-40:]
        match chance.randrange(12):
            case 0 | 1 | 2:
                return [("hold", why), ("resume", why)] if chance.random() < 0.1 else [("hold", why)]
            case 3 | 4:
                return [("priority", {"priority": priority, **why})]
            case 5:
                return [("amend", {"answers": {"depth": chance.randrange(20)}, **why})]
            case 6 if chance.random() < 0.5:
                return [("recategorise", {"type": other, "version": self._version(other), **why})]
            case 7 | 8:
                return [("move", {"version": self._version(state.type), **why})]
            case 9:
                return [("send_back", {"step": chance.choice(("inspect", "repair")), **why})]
            case 10 if older:
                to = self._state(chance.choice(older))
                if to.closed or to.attached_to:
                    return []
                return [("attach", {"to": {"id": to.id, "opened_at": to.opened_at}, **why})]
            case 11 if chance.random() < 0.2:
                return [("cancel", why)]
        return []

    def _work(self, state: RequestState) -> list[tuple[str, dict[str, Any]]]:
        chance = self.chance
        if not state.open_tasks:
            return [("signal", {"name": "dry_weather"})] if chance.random() < 0.4 else []
        (task,) = state.open_tasks
        done = ("complete", {"task": task.id, "outcome": chance.choice(OUTCOMES[task.step])})
        match chance.randrange(8):
            case 0 | 1:
                return [("claim", {"task": task.id, "assignee": "anneke-vos"})]
            case 2:
                return [("release", {"task": task.id})]
            case 3:
                return [("decline", {"task": task.id, "reason": "no truck"})]
            case 4:
                team = chance.choice(("street-dispatch", "asphalt-north"))
                return [("reassign", {"team": team, "reason": "nearer"})]
            case _:
                return [done]

    # What the oracle is told

    def truth(self, asked: list[dt.datetime]) -> list[list[Late]]:
        """What was overdue at each of these instants, by the oracle; in the order of the list."""
        offices = {kind.type: Office(kind.plan, LAST + DAY) for kind in (HOLE, LAMP)}
        found: list[list[Late]] = [[] for _ in asked]
        facts = self.city.store.read(_facts)
        for request_id in self.ids:
            life = Life(request_id, self.kinds, offices)
            life.live(facts[request_id], LAST)
            assert life.priority == self._state(request_id).priority, request_id
            for number, now in enumerate(asked):
                found[number] += life.late_at(now)
        return [sorted(lines) for lines in found]


def _facts(session: Session) -> dict[str, list[Fact]]:
    """The journal of every request, and which of its decisions no command led to."""
    commanded = set(session.exec(select(CommandRow.request_id, CommandRow.decision)))
    found: dict[str, list[Fact]] = {each: [] for each in session.exec(select(RequestRow.id))}
    for row in session.exec(select(JournalRow).order_by(col(JournalRow.request_id), col(JournalRow.seq))):
        by_itself = (row.request_id, row.decision) not in commanded
        found[row.request_id].append(Fact(row.at, row.kind, row.data, by_itself))
    return found
