"""`fixline check`: everything wrong in the definitions, at once."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from fixline.cli.common import FOUND, Paths, WrongUse, at_rest, put


class Format(StrEnum):
    """Who reads the findings: people and editors, programs, or GitHub."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def check(
    paths: Paths = None,
    form: Annotated[
        Format,
        typer.Option(
            "--format", help="text: file:line:column: CODE message; json: one object; github: workflow commands."
        ),
    ] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    if as_json and form is Format.GITHUB:
        raise WrongUse("--json and --format github exclude each other")
    with at_rest():  # its modules are read within, too
        from fixline.catalog import check_paths, checked_files, finding_records, workflow_command

        if not paths:
            from fixline.settings import read_settings  # takes as long to load as 20 definitions

            paths = [read_settings().definitions_folder]
        findings = check_paths(paths)
    if as_json or form is Format.JSON:
        found = {"findings": finding_records(findings), "files": checked_files(paths), "errors": len(findings)}
        put(found, (), as_json=True)
    elif form is Format.GITHUB:
        for finding in findings:
            print(workflow_command(finding))
    else:
        for finding in findings:
            print(finding)
        print(f"{len(findings)} findings" if len(findings) != 1 else "1 finding")
    if findings:
        raise typer.Exit(FOUND)
