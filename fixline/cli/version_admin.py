"""The work behind `fixline publish`, `fixline versions` and `fixline move`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlmodel import Session

from fixline.catalog import check_paths, finding_records, read_catalog
from fixline.catalog.checking import wanted_of
from fixline.cli.access import find_place, open_store
from fixline.cli.outcome import Trouble, WrongUse
from fixline.domain.definition.differences import differences
from fixline.domain.hints import did_you_mean
from fixline.domain.process.commands import Actor, Role
from fixline.domain.process.decision import Refusal, Refused
from fixline.service.commands import Commands
from fixline.service.moving import Planned, Wanted, plan_moves
from fixline.service.publishing import find_version, list_versions, publish_on_purpose
from fixline.service.submissions import StoredCommand, Submission, utc_now
from fixline.settings import read_settings
from fixline.store.store import Store
from fixline.store.versions import Versions, VersionUnknown

OPERATOR = Actor(name="operator", role=Role.ADMIN)
"""Whoever may run commands on the store."""
STATES = ("would_move", "moved", "waiting", "refused")


def publish_paths(paths: list[Path], data: Path | None) -> tuple[list[Any], list[dict[str, Any]]]:
    """Publish the definitions in or below these paths: the findings (then nothing was published), or each's state."""
    settings = read_settings()
    wanted = paths or [settings.definitions_folder]
    findings = check_paths(wanted)
    if findings:
        return list(finding_records(findings)), []
    meant = wanted_of(wanted)
    definitions = [
        definition
        for root in meant.below
        for type_, definition in read_catalog(root).catalog.definitions.items()
        if meant.holds(root, root / definition.department / f"{type_}.yaml")
    ]

    def write(session: Session) -> list[dict[str, Any]]:
        now = utc_now()
        done = [publish_on_purpose(session, each, now, OPERATOR.name) for each in definitions]
        return [{"type": p.type, "version": p.number, "hash": p.hash, "state": p.state} for p in done]

    with open_store(settings, find_place(settings, data)) as store:
        return [], store.write(write)


def list_all(type_: str, data: Path | None) -> list[dict[str, Any]]:
    """The versions of a type, the newest first. Raises Trouble when there is none."""
    settings = read_settings()
    with open_store(settings, find_place(settings, data)) as store:
        lines = store.read(lambda s: list_versions(s, type_))
    if not lines:
        raise Trouble(f"there is no request type {type_!r}")
    return [
        {
            "version": line.number,
            "hash": line.hash,
            "title": line.title,
            "published_at": line.published_at.isoformat(),
            "published_by": line.published_by,
            "current": line.current,
            "open_requests": line.open,
        }
        for line in lines
    ]


def compare(type_: str, one: str, other: str, data: Path | None) -> dict[str, Any]:
    """What is different between two versions. Raises Trouble for a version that there is not."""

    def read(session: Session) -> tuple[str, ...]:
        versions = Versions()
        return differences(*(versions.load(session, find_version(session, type_, each)) for each in (one, other)))

    settings = read_settings()
    with open_store(settings, find_place(settings, data)) as store:
        try:
            changes = store.read(read)
        except VersionUnknown as error:
            raise Trouble(str(error)) from None
    return {"type": type_, "from": one, "to": other, "changes": list(changes)}


def read_map(pairs: list[str]) -> dict[str, str]:
    """`old=new` pairs. Raises WrongUse for anything else."""
    found: dict[str, str] = {}
    for pair in pairs:
        old, separator, new = pair.partition("=")
        if not separator or not old or not new or old in found:
            raise WrongUse(f"--map {pair}: write OLD=NEW, each old step once")
        found[old] = new
    return found


def move_all(
    type_: str, to: str, steps: dict[str, str], reason: str, data: Path | None, *, dry_run: bool
) -> dict[str, Any]:
    """Move every open request of a type. Raises Trouble, WrongUse."""
    settings = read_settings()
    with open_store(settings, find_place(settings, data)) as store:
        versions = Versions()
        try:
            target = store.read(lambda s: find_version(s, type_, to))
        except VersionUnknown as error:
            raise Trouble(str(error)) from None
        definition = store.read(lambda s: versions.load(s, target))
        for old, new in steps.items():
            if new not in definition.steps:
                near = did_you_mean(new, definition.steps)
                raise WrongUse(f"--map {old}={new}: that version has no step {new!r}{near}")
        numbers = store.read(lambda s: {line.hash: line.number for line in list_versions(s, type_)})
        items: list[dict[str, Any]] = []
        for planned in batches(store, versions, Wanted(type_, target, steps, reason)):
            rows = {} if dry_run else give(store, versions, planned, Wanted(type_, target, steps, reason))
            items += [item_of(each, rows.get(each.request_id), numbers[each.version]) for each in planned]
    counts = Counter(item["state"] for item in items)
    return {
        "type": type_,
        "to": numbers[target],
        "hash": target,
        "dry_run": dry_run,
        "items": items,
        "counts": {state: counts[state] for state in STATES},
    }


def batches(store: Store, versions: Versions, wanted: Wanted) -> Iterator[list[Planned]]:
    """What would become of the requests that are wanted, some hundred at a time."""
    after = ""
    while True:
        now = utc_now()
        part = replace(wanted, after=after)
        planned = store.read(lambda s, part=part, now=now: plan_moves(s, versions, part, OPERATOR, now))  # type: ignore[misc]
        if not planned:
            return
        yield planned
        after = planned[-1].request_id


def give(
    store: Store, versions: Versions, planned: list[Planned], wanted: Wanted
) -> dict[str, StoredCommand | Refusal]:
    """Move those that can; the relay of a running worker tells their workflows."""
    commands = Commands(store, versions)
    rows: dict[str, StoredCommand | Refusal] = {}
    for each in planned:
        if each.refusal is None:
            arrival = Submission(
                command_id=uuid4().hex,
                command=wanted.command,
                actor=OPERATOR,
                accepted_at=utc_now(),
                caller=OPERATOR.name,
            )
            try:
                rows[each.request_id] = commands.submit(each.request_id, arrival).row
            except Refused as refused:
                rows[each.request_id] = refused.refusal
    return rows


def item_of(planned: Planned, row: StoredCommand | Refusal | None, number: int) -> dict[str, Any]:
    """One request as the command tells it: `row` is its command, None in a dry run."""
    refusal = planned.refusal or (row if isinstance(row, Refusal) else None)
    return {
        "id": planned.request_id,
        "from_version": number,
        "state": "refused" if refusal else _state_of(row),
        "changes": None if refusal else planned.changes,
        "code": refusal.code if refusal else None,
        "message": refusal.message if refusal else None,
        "command_id": row.id if isinstance(row, StoredCommand) else None,
    }


def _state_of(row: StoredCommand | Refusal | None) -> str:
    if row is None:
        return "would_move"
    return "moved" if isinstance(row, StoredCommand) and row.state == "applied" else "waiting"
