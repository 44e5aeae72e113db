"""`fixline correct`: a calendar corrected for open requests, on the store itself."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fixline.cli.commands.calendar import read_calendar_of
from fixline.cli.commands.versions import AsJson, Data, why_of
from fixline.cli.outcome import FOUND

if TYPE_CHECKING:
    from fixline.domain.deadlines.calendar import WorkingCalendar


def correct(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A file of the definitions' calendars/.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; write nothing.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the journal.")] = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Let open requests, and new ones, go on by the calendar as its file has it now. Exit code 1 when one cannot."""
    found = correct_calendar(read_calendar_of(name), reason, data, dry_run=dry_run)
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        for version in found["versions"]:
            now_current = ", current" if version["current"] else ""
            print(f"{version['type']}  version {version['from_version']}{now_current}")
            print("\n".join(f"  {change}" for change in version["changes"]))
        for item in found["items"]:
            print(f"{item['id']}  {item['type']}  {item['state'].replace('_', ' ')}{why_of(item)}")
        counts = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in found["counts"].items() if count)
        print(f"calendar {name}: {counts or 'no open request follows another one of that name'}")
    if found["counts"]["refused"]:
        raise typer.Exit(FOUND)


def correct_calendar(calendar: WorkingCalendar, reason: str, data: Path | None, *, dry_run: bool) -> dict[str, Any]:
    """Correct every version and every open request that holds another calendar of the name."""
    from fixline.cli.access import find_place, open_store
    from fixline.cli.version_admin import OPERATOR, STATES, batches, give, item_of
    from fixline.domain.definition.differences import differences
    from fixline.service.moving import Wanted
    from fixline.service.publishing import keep_corrections, plan_corrections
    from fixline.service.submissions import utc_now
    from fixline.settings import read_settings
    from fixline.store.versions import Versions

    settings, versions = read_settings(), Versions()
    why = f"The calendar {calendar.name} was corrected. {reason}".strip()
    items: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    with open_store(settings, find_place(settings, data)) as store:
        planned = store.read(lambda s: plan_corrections(s, versions, calendar))
        if not dry_run:
            store.write(lambda s: keep_corrections(s, planned, utc_now(), OPERATOR.name))
        for each in planned:
            before = store.read(lambda s, each=each: versions.load(s, each.source))  # type: ignore[misc]
            changes = list(differences(before, each.definition))
            told.append({"type": each.type, "from_version": each.number, "current": each.current, "changes": changes})
            wanted = Wanted(each.type, each.target, {}, why, source=each.source)
            for part in batches(store, versions, wanted):
                rows = {} if dry_run else give(store, versions, part, wanted)
                moved = [item_of(one, rows.get(one.request_id), each.number) for one in part]
                items += [{"type": each.type, **item} for item in moved]
    counts = Counter(item["state"] for item in items)
    return {
        "calendar": calendar.name,
        "dry_run": dry_run,
        "versions": told,
        "items": items,
        "counts": {state: counts[state] for state in STATES},
    }
