"""`fixline schema` and `fixline graph`: the language of definitions for editors, and a definition as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from fixline.cli.common import Trouble, Type

Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write to this file. [default: standard output]")]


def schema(out: Out = None) -> None:
    from fixline.catalog.definition import definition_schema

    _put_out(json.dumps(definition_schema(), indent=2, ensure_ascii=False) + "\n", out)


def graph(
    type_: Type,
    form: Annotated[
        Literal["svg", "mermaid"], typer.Option("--format", help="svg, or mermaid for pages that draw it.")
    ] = "svg",
    out: Out = None,
) -> None:
    from fixline.cli.definitions import checked_definition
    from fixline.drawing import NotDrawn, mermaid_of, svg_of

    definition = checked_definition(type_)
    try:
        _put_out(svg_of(definition) if form == "svg" else mermaid_of(definition), out)
    except NotDrawn as problem:
        raise Trouble(str(problem)) from None


def _put_out(text: str, out: Path | None) -> None:
    """Print the text, or write it to the file, which is then whole or as it was. Raises Trouble."""
    if out is None:
        print(text, end="")
        return
    fresh = out.with_name(f".{out.name}.new")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(out)
    except OSError as problem:
        fresh.unlink(missing_ok=True)
        raise Trouble(f"{out} cannot be written: {problem.strerror or problem}") from None
