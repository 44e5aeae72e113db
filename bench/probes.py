"""How long callers of the API wait while something else goes on: one caller, again and again.

Owns the calls and their times: a report, the overdue list, and remarks (in earlier releases the request's workflow had
to answer them): on the request just reported and on one reported in the first phase.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Iterable

import httpx

PAUSE_SECONDS = 0.5
OLDER = 50
KINDS = ("report", "overdue list", "remark, older", "remark, new")


class Probes:
    """Calls `url` with this key; opens requests of `type`, which must have no needs. Times are in seconds."""

    def __init__(self, url: str, key: str, type_: str) -> None:
        self._url = f"{url}/api/v1"
        self._headers = {"Authorization": f"Bearer {key}"}
        self._type = type_
        self.times: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self.codes: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._older: deque[str] = deque(maxlen=OLDER)
        self._first: str | None = None

    async def run(self, phase: str, over: asyncio.Event) -> None:
        """Call until it is over; each time counts for this phase."""
        limits = httpx.Limits(keepalive_expiry=2)
        async with httpx.AsyncClient(base_url=self._url, headers=self._headers, timeout=120, limits=limits) as http:
            while not over.is_set():
                answer = await self._call(http, phase, "report", "POST", "/requests", {"type": self._type})
                new = answer.json()["id"] if answer is not None and answer.status_code == 201 else None
                await self._call(http, phase, "overdue list", "GET", "/overdue?limit=50", None)
                if self._older:
                    self._older.rotate()
                    await self._remark(http, phase, "remark, older", self._older[0])
                if new is not None:
                    await self._remark(http, phase, "remark, new", new)
                    if self._first in (None, phase):
                        self._first = phase
                        self._older.append(new)
                await asyncio.sleep(PAUSE_SECONDS)

    async def _remark(self, http: httpx.AsyncClient, phase: str, kind: str, request_id: str) -> None:
        await self._call(http, phase, kind, "POST", f"/requests/{request_id}/comment", {"text": "Is anybody there?"})

    async def _call(
        self, http: httpx.AsyncClient, phase: str, kind: str, method: str, path: str, body: object
    ) -> httpx.Response | None:
        began = time.perf_counter()
        answer: httpx.Response | None = None
        try:
            answer = await http.request(method, path, json=body)
        except httpx.HTTPError as error:
            print(f"  {kind}: {type(error).__name__} {error}", flush=True)
        self.times[phase, kind].append(time.perf_counter() - began)
        self.codes[phase, kind, answer.status_code if answer is not None else 0] += 1
        return answer

    def table(self, phases: Iterable[str]) -> list[str]:
        """Lines: each kind of call in each phase, with median, 95th percentile, most, and the answers' codes."""
        lines = [f"{'the API meanwhile':34}{'calls':>6}{'median':>9}{'95 %':>9}{'most':>9}  answers"]
        for phase in phases:
            for kind in KINDS:
                times = sorted(self.times[phase, kind])
                if not times:
                    continue
                codes = {code: n for (p, k, code), n in sorted(self.codes.items()) if (p, k) == (phase, kind)}
                shown = [times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.95))], times[-1]]
                ms = "".join(f"{1000 * each:6.0f} ms" for each in shown)
                lines.append(f"  {phase + ': ' + kind:32}{len(times):6}{ms}  {codes}")
        return lines
