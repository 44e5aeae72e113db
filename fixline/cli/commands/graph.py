"""`fixline graph`: a definition as a picture."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from fixline.cli.commands.schema import Out, put_out
from fixline.cli.definitions import read_checked
from fixline.cli.outcome import Trouble


class Format(StrEnum):
    """What the picture is written as."""

    SVG = "svg"
    MERMAID = "mermaid"


def graph(
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="The request type, such as pothole.")],
    form: Annotated[Format, typer.Option("--format", help="svg, or mermaid for pages that draw it.")] = Format.SVG,
    out: Out = None,
) -> None:
    """Draw a definition: steps by kind, outcomes on arrows, deadlines, waiting states."""
    from fixline.drawing import NotDrawn, mermaid_of, svg_of

    definition = read_checked(type_)
    try:
        put_out(svg_of(definition) if form is Format.SVG else mermaid_of(definition), out)
    except NotDrawn as problem:
        raise Trouble(str(problem)) from None
