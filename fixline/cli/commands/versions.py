"""`fixline publish`, `versions`, `move`, `correct`: versions of definitions and calendars, on the store itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any
from uuid import uuid4

import typer

from fixline.catalog import check_paths, finding_records, read_catalog
from fixline.catalog.checking import wanted_of
from fixline.cli.access import find_place
from fixline.cli.common import FOUND, AsJson, CalendarName, Data, DryRun, Paths, Trouble, Type, WrongUse, put
from fixline.cli.definitions import checked_calendar
from fixline.domain.definition.differences import differences
from fixline.domain.process.commands import Actor, Role
from fixline.domain.process.decision import Refusal, Refused
from fixline.errors import did_you_mean
from fixline.service import publishing
from fixline.service.commands import Commands
from fixline.service.moving import Wanted, outcome_of, plan_moves
from fixline.service.submissions import StoredCommand, Submission, utc_now
from fixline.settings import read_settings
from fixline.store.store import Store
from fixline.store.versions import Versions, VersionUnknown

OPERATOR = Actor(name="operator", role=Role.ADMIN)
"""Whoever may run commands on the store."""
STATES = ("would_move", "moved", "waiting", "refused")

Reason = Annotated[str, typer.Option(help="Why, for the journal.")]


def publish(paths: Paths = None, data: Data = None, as_json: AsJson = False) -> None:
    wanted = paths or [read_settings().definitions_folder]
    findings = check_paths(wanted)
    meant = wanted_of(() if findings else wanted)
    definitions = [
        definition
        for root in meant.below
        for type_, definition in read_catalog(root).catalog.definitions.items()
        if meant.holds(root, root / definition.department / f"{type_}.yaml")
    ]
    done: list[dict[str, Any]] = []
    if not findings:
        with find_place(data).open() as store:
            now = utc_now()
            kept = store.write(
                lambda s: [publishing.publish_on_purpose(s, each, now, OPERATOR.name) for each in definitions]
            )
        done = [{"type": p.type, "version": p.number, "hash": p.hash, "state": p.state} for p in kept]
    lines = [f"{p['type']}  version {p['version']}  {_plain(p['state'])}" for p in done]
    put({"findings": finding_records(findings), "items": done}, [*map(str, findings), *lines], as_json=as_json)
    if findings:
        raise typer.Exit(FOUND)


def versions(
    type_: Type,
    diff: Annotated[
        tuple[str, str] | None, typer.Option(metavar="A B", help="Say what is different between two versions.")
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    known = Versions()
    with find_place(data).open() as store:
        lines = _lines(store, type_)
        if diff is not None:
            one, other = (store.read(partial(known.load, version=_find(lines, type_, each).hash)) for each in diff)
            changes = list(differences(one, other))
            found = {"type": type_, "from": diff[0], "to": diff[1], "changes": changes}
            put(found, changes or ["no difference"], as_json=as_json)
            return
    put({"type": type_, "items": [_shown(line) for line in lines]}, map(_in_words, lines), as_json=as_json)


def move(
    type_: Type,
    to: Annotated[str, typer.Option(help="A version's number or hash, or current.")],
    dry_run: DryRun = False,
    steps: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OLD=NEW", help="Which step a step has become; may be repeated."),
    ] = None,
    reason: Reason = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    renamed, known = _read_map(steps or []), Versions()
    with find_place(data).open() as store:
        lines = _lines(store, type_)
        target = _find(lines, type_, to)
        definition = store.read(partial(known.load, version=target.hash))
        for old, new in renamed.items():
            if new not in definition.steps:
                near = did_you_mean(new, definition.steps)
                raise WrongUse(f"--map {old}={new}: that version has no step {new!r}{near}")
        numbers = {line.hash: line.number for line in lines}
        items = _move(store, known, Wanted(type_, target.hash, renamed, reason), numbers, dry_run=dry_run)
    head = {"type": type_, "to": target.number, "hash": target.hash, "dry_run": dry_run}
    told = [f"{each['id']}  version {each['from_version']}  {_plain(each['state'])}{why_of(each)}" for each in items]
    sums = (f"to version {target.number}", "no open request follows another version")
    _put_moves(head, items, told, *sums, as_json=as_json)


def correct(
    name: CalendarName, dry_run: DryRun = False, reason: Reason = "", data: Data = None, as_json: AsJson = False
) -> None:
    calendar, known = checked_calendar(name), Versions()
    why = f"The calendar {calendar.name} was corrected. {reason}".strip()
    told: list[dict[str, Any]] = []
    items: list[dict[str, Any]] = []
    with find_place(data).open() as store:
        planned = store.read(lambda s: publishing.plan_corrections(s, known, calendar))
        if not dry_run:
            store.write(lambda s: publishing.keep_corrections(s, planned, utc_now(), OPERATOR.name))
        for each in planned:
            before = store.read(partial(known.load, version=each.source))
            changes = list(differences(before, each.definition))
            told.append({"type": each.type, "from_version": each.number, "current": each.current, "changes": changes})
            wanted = Wanted(each.type, each.target, {}, why, source=each.source)
            moved = _move(store, known, wanted, {each.source: each.number}, dry_run=dry_run)
            items += [{"type": each.type, **item} for item in moved]
    lines: list[str] = []
    for version in told:
        current = ", current" if version["current"] else ""
        lines.append(f"{version['type']}  version {version['from_version']}{current}")
        lines.append("\n".join(f"  {change}" for change in version["changes"]))
    lines += [f"{each['id']}  {each['type']}  {_plain(each['state'])}{why_of(each)}" for each in items]
    head = {"calendar": calendar.name, "dry_run": dry_run, "versions": told}
    sums = (f"calendar {name}", "no open request follows another one of that name")
    _put_moves(head, items, lines, *sums, as_json=as_json)


def _lines(store: Store, type_: str) -> list[publishing.VersionLine]:
    """The type's versions. Raises Trouble when there is none."""
    lines = store.read(partial(publishing.list_versions, type_=type_))
    if not lines:
        raise Trouble(f"there is no request type {type_!r}")
    return lines


def _find(lines: list[publishing.VersionLine], type_: str, wanted: str) -> publishing.VersionLine:
    """A version. Raises Trouble when there is none."""
    try:
        return publishing.find_version(lines, type_, wanted)
    except VersionUnknown as error:
        raise Trouble(str(error)) from None


def _shown(line: publishing.VersionLine) -> dict[str, Any]:
    renamed = {"number": "version", "open": "open_requests"}
    return {renamed.get(name, name): value for name, value in line._asdict().items()}


def _in_words(line: publishing.VersionLine) -> str:
    mark, by = "current" if line.current else "", line.published_by or "the folder"
    at = f"{line.published_at.isoformat()[:16]}Z"
    return f"{line.number:>4}  {line.hash[:12]}  {at}  {mark:<8} {line.open} open  by {by}"


def _read_map(pairs: list[str]) -> dict[str, str]:
    """`old=new` pairs. Raises WrongUse for anything else."""
    found: dict[str, str] = {}
    for pair in pairs:
        old, separator, new = pair.partition("=")
        if not separator or not old or not new or old in found:
            raise WrongUse(f"--map {pair}: write OLD=NEW, each old step once")
        found[old] = new
    return found


def _move(
    store: Store, known: Versions, wanted: Wanted, numbers: Mapping[str, int], *, dry_run: bool
) -> list[dict[str, Any]]:
    """Move the requests that are wanted, some hundred at a time, and tell of each; the relay of a running worker tells
    their workflows. `numbers` are those of the versions that they follow, by hash."""
    commands = Commands(store, known)
    items: list[dict[str, Any]] = []
    while planned := store.read(partial(plan_moves, versions=known, wanted=wanted, actor=OPERATOR, now=utc_now())):
        for each in planned:
            row = None if dry_run or each.refusal else _give(commands, each.request_id, wanted)
            items.append(outcome_of(each, row, numbers[each.version]))
        wanted = replace(wanted, after=planned[-1].request_id)
    return items


def _give(commands: Commands, request_id: str, wanted: Wanted) -> StoredCommand | Refusal:
    submission = Submission(uuid4().hex, wanted.command, OPERATOR, utc_now(), caller=OPERATOR.name)
    try:
        return commands.submit(request_id, submission).row
    except Refused as refused:
        return refused.refusal


def _put_moves(
    head: dict[str, Any], items: list[dict[str, Any]], lines: list[str], what: str, nothing: str, *, as_json: bool
) -> None:
    """Print what became of the requests, and how many of each; exit code 1 when one was refused."""
    counts = Counter(item["state"] for item in items)
    by_state = {state: counts[state] for state in STATES}
    sums = ", ".join(f"{count} {_plain(state)}" for state, count in by_state.items() if count)
    found = {**head, "items": items, "counts": by_state}
    put(found, [*lines, f"{what}: {sums or nothing}"], as_json=as_json)
    if by_state["refused"]:
        raise typer.Exit(FOUND)


def _plain(state: str) -> str:
    return state.replace("_", " ")


def why_of(item: Mapping[str, Any]) -> str:
    """What the move of one request changes, or why it is refused, to be put after its state."""
    if item["message"]:
        return f": {item['message']}"
    changes = item["changes"]
    if not changes:
        return ""
    said = [f"{name} {_pair(changes[name])}" for name in ("step", "priority") if changes[name]]
    said += [f"{changes['anew']} is entered anew"] if changes["anew"] else []
    for part, name, what, words in _TOLD:
        said += [f"{each[name]} {words}{_pair(each[what])}" for each in changes[part] if _is_told(each, what)]
    for effect in changes["effects"]:
        said.append(" ".join(_plain(word) for word in (effect["kind"], effect["to"], effect["about"]) if word))
    return f": {', '.join(said)}" if said else ""


_TOLD = (
    ("waits", "step", "until", "waits until "),
    ("waits", "step", "waiting_as", "waits as "),
    ("clocks", "name", "due_at", "due "),
    ("clocks", "name", "budget", ""),
    ("clocks", "name", "state", ""),
    ("tasks", "id", "team", ""),
    ("tasks", "id", "state", ""),
)
"""Which changes of which parts are told, in this order: the part, its name's key, the change's key, words between."""


def _is_told(part: Mapping[str, Any], what: str) -> bool:
    """A clock's budget only where nothing else of the clock changes yet: it has no due date while it stands."""
    return bool(part.get(what)) and not (what == "budget" and (part["due_at"] or part["state"]))


def _pair(pair: Mapping[str, object]) -> str:
    return f"{pair['before'] or '-'} -> {pair['after'] or '-'}"
