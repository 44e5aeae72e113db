"""What the commands share: their usual options, how they stop short, and how they print what they found."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fixline.errors import FixlineError

if TYPE_CHECKING:
    from rich.console import Console

GOOD, FOUND, WRONG_USE = 0, 1, 2
FAULT = 70
"""A fault of ours, with its traceback."""

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Data = Annotated[Path | None, typer.Option(help="A folder of `fixline up`. [default: the settings' database]")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change; write nothing.")]
Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[PATH]...", help="Files or folders of definitions. [default: the settings' folder]"),
]
Type = Annotated[str, typer.Argument(metavar="TYPE", help="The request type, such as pothole.")]
CalendarName = Annotated[str, typer.Argument(metavar="NAME", help="A file of the definitions' calendars/.")]


class Trouble(FixlineError):
    """The command cannot do its work now, or found that something is wrong; the text is for people. Exit 1."""


class WrongUse(FixlineError):
    """The arguments make no sense together or name what is not there; the text is for people. Exit 2."""


def put(found: object, lines: Iterable[str], *, as_json: bool) -> None:
    """Print what a command found: as one JSON object (instants as ISO texts), or the lines that say it to people."""
    for line in [json.dumps(found, indent=2, default=datetime.isoformat)] if as_json else lines:
        print(line)


def console_of(width: int) -> Console:
    """Standard output for tables; as wide as the terminal, or `width` columns where nobody looks: a pipe, a file."""
    from rich.console import Console

    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else width, highlight=False, emoji=False)


@contextmanager
def at_rest() -> Iterator[None]:
    """Within it the garbage collector looks for no cycles: a command that builds much, leaves no cycles behind and ends
    would have it go through all of it again and again. What nothing refers to any more is freed at once, as ever."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
