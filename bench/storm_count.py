"""What a storm has come to, counted in the journal, in the store, in the workers' logs and in Temporal's histories.

Owns the checks of `bench.deadlines`: each answers lines for its report; a line that begins with WRONG is a failure.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from bench.storm_city import STORM, WARNING
from fixline.domain.deadlines.clocks import LATE_AFTER
from fixline.store.store import Store
from fixline.store.tables import EffectRow, JournalRow, RequestRow

SAMPLE = 100
NOTICE = re.compile(r"fixline\.notices: (resolve .+) (SR\d\d-\d+) -> ")


def check_journal(store: Store, ids: Sequence[str], due: datetime, apart: int, log: str) -> list[str]:
    """Each rung once per request, in order, at its instant and never before; each told once; no timer lost."""
    instants = [due - WARNING, due, due + timedelta(minutes=apart)]
    return [
        *store.read(lambda s: _rungs(s, ids, instants)),
        *store.read(lambda s: _told(s, ids)),
        *_notices(log, ids),
        *store.read(_left_over),
    ]


def _rungs(session: Session, ids: Sequence[str], instants: list[datetime]) -> list[str]:
    fired: defaultdict[str, list[tuple[int, datetime, datetime, bool]]] = defaultdict(list)
    wanted = select(JournalRow).where(JournalRow.kind == "rung_fired").order_by(col(JournalRow.seq))
    for entry in session.exec(wanted):
        data = entry.data
        fired[entry.request_id].append((data["rung"], datetime.fromisoformat(data["at"]), entry.at, data["late"]))
    all_entries = [entry for entries in fired.values() for entry in entries]
    wrong = [each for each in ids if [rung for rung, *_ in fired.get(each, [])] != [0, 1, 2]]
    moved = [rung for rung, at, _, _ in all_entries if at != instants[rung]]
    early = [rung for rung, at, recorded, _ in all_entries if recorded < at]
    untrue = [rung for rung, at, recorded, late in all_entries if late != (recorded - at > LATE_AFTER)]
    late = Counter(rung for rung, _, _, was_late in all_entries if was_late)
    unknown = set(fired) - set(ids)
    return [
        verdict(f"{len(ids):,} requests x 3 rungs, each once and in order: {len(all_entries):,} in the journal", wrong),
        verdict("each for its own instant", moved),
        verdict("none before its instant", early),
        verdict("no rung of other requests", sorted(unknown)),
        verdict(f"marked late where it was: {', '.join(f'{late[n]:,}' for n in range(3))} of each rung", untrue),
    ]


def _told(session: Session, ids: Sequence[str]) -> list[str]:
    """Each rung tells another role: so one entry for each request and role."""
    entries = session.exec(select(JournalRow.request_id, JournalRow.data).where(JournalRow.kind == "told"))
    told = Counter((request_id, data["role"]) for request_id, data in entries)
    effects = session.exec(select(EffectRow).where(EffectRow.kind == "escalate")).all()
    caused = Counter((row.request_id, row.data["role"]) for row in effects)
    wrong: list[object] = [row.id for row in effects if (row.state, row.attempts) != ("done", 1)]
    wrong += [key for key in told | caused if told[key] != 1 or caused[key] != 1]
    wrong += ["their number"] if len(caused) != 3 * len(ids) else []
    return [verdict(f"{len(effects):,} escalations, each told once, at the first try", wrong)]


def _notices(log: str, ids: Sequence[str]) -> list[str]:
    sent = Counter(NOTICE.findall(log))
    wrong = [key for key, times in sent.items() if times != 1]
    wrong += ["their number"] if len(sent) != 3 * len(ids) else []
    return [verdict(f"{sum(sent.values()):,} notices in the workers' logs, each once", wrong)]


def _left_over(session: Session) -> list[str]:
    armed = session.exec(
        select(func.count())
        .select_from(RequestRow)
        .where(RequestRow.type == STORM, col(RequestRow.next_at).is_not(None))
    ).one()
    faults = session.exec(select(func.count()).select_from(RequestRow).where(col(RequestRow.fault).is_not(None))).one()
    return [verdict("nothing left that is due, no fault", ["due"] * armed + ["fault"] * faults)]


async def check_histories(address: str, ids: Sequence[str]) -> list[str]:
    """Of some requests, what their histories say of tasks that failed or timed out, and of timers."""
    client = await Client.connect(address)
    kinds: Counter[str] = Counter()
    sample = random.sample(ids, min(SAMPLE, len(ids)))
    for each in sample:
        history = await client.get_workflow_handle(each).fetch_history()
        kinds.update(EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower() for event in history.events)
    poor = {
        name: n
        for name, n in kinds.items()
        if name.startswith("workflow_task_") and name.endswith(("failed", "timed_out"))
    }
    shown = {name: round(n / len(sample), 1) for name, n in sorted(kinds.items())}
    return [
        f"in {len(sample)} histories: {sum(kinds.values()) / len(sample):.1f} events each: {shown}",
        f"  workflow tasks that had to be done again: {poor or 'none'}",
    ]


def verdict(what: str, wrong: Sequence[object]) -> str:
    """A line that says ok, or WRONG with how many are and the first of them."""
    if not wrong:
        return f"ok     {what}"
    return f"WRONG  {what}: {len(wrong):,} are not, such as {', '.join(map(str, wrong[:3]))}"
