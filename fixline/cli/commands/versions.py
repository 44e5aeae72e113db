"""`fixline publish`, `fixline versions`, `fixline move`: versions of definitions, on the store itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from fixline.cli.outcome import FOUND

Data = Annotated[Path | None, typer.Option(help="A folder of `fixline up`. [default: the settings' database]")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Type = Annotated[str, typer.Argument(metavar="TYPE", help="The request type, such as pothole.")]


def publish(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Files or folders of definitions. [default: the settings' folder]"),
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make definitions current, all or none. Running processes follow at once; open requests keep their version."""
    from fixline.cli.version_admin import publish_paths

    findings, done = publish_paths(paths or [], data)
    if as_json:
        print(json.dumps({"findings": findings, "items": done}, indent=2))
    for finding in findings if not as_json else ():
        print(f"{finding['file']}:{finding['line']}:{finding['column']}: {finding['code']} {finding['message']}")
    for item in done if not as_json else ():
        print(f"{item['type']}  version {item['version']}  {item['state'].replace('_', ' ')}")
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
    """List a type's versions, the newest first; or compare two (numbers, hashes or `current`)."""
    from fixline.cli.version_admin import compare, list_all

    if diff is not None:
        found = compare(type_, *diff, data)
        print(json.dumps(found, indent=2) if as_json else "\n".join(found["changes"]) or "no difference")
        return
    lines = list_all(type_, data)
    if as_json:
        print(json.dumps({"type": type_, "items": lines}, indent=2))
        return
    for line in lines:
        mark = "current" if line["current"] else ""
        by = line["published_by"] or "the folder"
        print(
            f"{line['version']:>4}  {line['hash'][:12]}  {line['published_at'][:16]}Z  {mark:<8} "
            f"{line['open_requests']} open  by {by}"
        )


def move(
    type_: Type,
    to: Annotated[str, typer.Option(help="A version's number or hash, or current.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; write nothing.")] = False,
    steps: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OLD=NEW", help="Which step a step has become; may be repeated."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the journal.")] = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Let the open requests of a type go on by another version. Exit code 1 when a request cannot."""
    from fixline.cli.version_admin import move_all, read_map

    found = move_all(type_, to, read_map(steps or []), reason, data, dry_run=dry_run)
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        for item in found["items"]:
            print(f"{item['id']}  version {item['from_version']}  {item['state'].replace('_', ' ')}{why_of(item)}")
        counts = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in found["counts"].items() if count)
        print(f"to version {found['to']}: {counts or 'no open request follows another version'}")
    if found["counts"]["refused"]:
        raise typer.Exit(FOUND)


def why_of(item: dict[str, object]) -> str:
    """What the move of one request changes, or why it is refused, to be put after its state."""
    if item["message"]:
        return f": {item['message']}"
    changes = item["changes"]
    said: list[str] = []
    if isinstance(changes, dict):
        said += [f"{name} {_pair(changes[name])}" for name in ("step", "priority") if changes[name]]
        said += [f"{changes['anew']} is entered anew"] if changes["anew"] else []
        said += [f"{wait['step']} waits until {_pair(wait['until'])}" for wait in changes["waits"] if wait["until"]]
        said += [
            f"{wait['step']} waits as {_pair(wait['waiting_as'])}" for wait in changes["waits"] if wait["waiting_as"]
        ]
        said += [f"{clock['name']} due {_pair(clock['due_at'])}" for clock in changes["clocks"] if clock["due_at"]]
        said += [f"{clock['name']} {_pair(clock['budget'])}" for clock in changes["clocks"] if _stands(clock)]
        said += [f"{clock['name']} {_pair(clock['state'])}" for clock in changes["clocks"] if clock["state"]]
        said += [f"{task['id']} {_pair(task['team'])}" for task in changes["tasks"] if task.get("team")]
        said += [f"{task['id']} {_pair(task['state'])}" for task in changes["tasks"] if task.get("state")]
        said += [_effect(effect) for effect in changes["effects"]]
    return f": {', '.join(said)}" if said else ""


def _stands(clock: dict[str, Any]) -> bool:
    """Whether a clock gets another budget and nothing else yet: it has no due date while it stands."""
    return bool(clock["budget"]) and not clock["due_at"] and not clock["state"]


def _effect(effect: dict[str, str | None]) -> str:
    words = (effect["kind"], effect["to"], effect["about"])
    return " ".join(word.replace("_", " ") for word in words if word)


def _pair(pair: dict[str, object]) -> str:
    return f"{pair['before'] or '-'} -> {pair['after'] or '-'}"
