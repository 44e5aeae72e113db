"""`fixline schema`: the language of definitions for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from fixline.cli.outcome import Trouble

Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write to this file. [default: standard output]")]


def schema(out: Out = None) -> None:
    """Print the JSON Schema of definitions, by which an editor completes and explains every key."""
    from fixline.catalog.definition import definition_schema

    put_out(json.dumps(definition_schema(), indent=2, ensure_ascii=False) + "\n", out)


def put_out(text: str, out: Path | None) -> None:
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
