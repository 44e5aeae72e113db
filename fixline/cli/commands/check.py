"""`fixline check`: everything wrong in the definitions, at once."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fixline.cli.heap import at_rest
from fixline.cli.outcome import FOUND, WrongUse


class Format(StrEnum):
    """Who reads the findings: people and editors, programs, or GitHub."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Files or folders of definitions. [default: the settings' folder]"),
    ] = None,
    form: Annotated[
        Format,
        typer.Option(
            "--format", help="text: file:line:column: CODE message; json: one object; github: workflow commands."
        ),
    ] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Check definitions; print everything that is wrong, at once. Exit code 1 when there are findings."""
    if as_json and form is Format.GITHUB:
        raise WrongUse("--json and --format github exclude each other")
    with at_rest():
        from fixline.catalog import check_paths, checked_files, finding_records, workflow_command

        wanted = paths or [_settings_folder()]
        findings = check_paths(wanted)
    if as_json or form is Format.JSON:
        found = {"findings": finding_records(findings), "files": checked_files(wanted), "errors": len(findings)}
        print(json.dumps(found, indent=2))
    elif form is Format.GITHUB:
        for finding in findings:
            print(workflow_command(finding))
    else:
        for finding in findings:
            print(finding)
        print(f"{len(findings)} findings" if len(findings) != 1 else "1 finding")
    if findings:
        raise typer.Exit(FOUND)


def _settings_folder() -> Path:
    from fixline.settings import read_settings  # what reads the environment takes as long to load as 20 definitions

    return read_settings().definitions_folder
