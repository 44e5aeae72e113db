"""`fixline check`: everything wrong in the definitions, at once."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from fixline.cli.common import FOUND, Paths, WrongUse, at_rest, put


def check(
    paths: Paths = None,
    form: Annotated[
        Literal["text", "json", "github"],
        typer.Option(
            "--format", help="text: file:line:column: CODE message; json: one object; github: workflow commands."
        ),
    ] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    if as_json and form == "github":
        raise WrongUse("--json and --format github exclude each other")
    with at_rest():  # its modules are read within, too
        from fixline.catalog import check_paths, checked_files, finding_records, workflow_command

        if not paths:
            from fixline.settings import read_settings  # takes as long to load as 20 definitions

            paths = [read_settings().definitions_folder]
        findings = check_paths(paths)
    if as_json or form == "json":
        found = {"findings": finding_records(findings), "files": checked_files(paths), "errors": len(findings)}
        put(found, (), as_json=True)
    elif form == "github":
        for finding in findings:
            print(workflow_command(finding))
    else:
        for finding in findings:
            print(finding)
        print(f"{len(findings)} findings" if len(findings) != 1 else "1 finding")
    if findings:
        raise typer.Exit(FOUND)
