"""The command's frame: its list of commands, and how each run ends: by `os._exit` after its output is flushed, because
processes that have held a Temporal client sometimes abort when the interpreter takes them down."""

from __future__ import annotations

import logging
import os
import pkgutil
import sys
import traceback
from collections.abc import Container
from contextlib import suppress
from typing import NoReturn

import typer

from fixline.cli.common import FAULT, FOUND, GOOD, WRONG_USE, Trouble, WrongUse

INTERRUPTED = 130
COMMANDS = {
    "up:up": "Run everything in one: Temporal server with its UI, workers, API. Ctrl-C stops all.",
    "serve:api": "Serve the HTTP API and the pages.",
    "serve:worker": "Run requests' workflows and activities, and signal what no workflow was told.",
    "serve:migrate": "Bring the database's schema up to this release.",
    "check:check": "Check definitions; print everything that is wrong, at once. Exit code 1 when there are findings.",
    "export:schema": "Print the JSON Schema of definitions, by which an editor completes and explains every key.",
    "export:graph": "Draw a definition: steps by kind, outcomes on arrows, deadlines, waiting states.",
    "explain:explain": "Say when every clock runs out: deadlines with their rungs, and the limits of every step.",
    "calendar:calendar": (
        "Print a month of a calendar: each day's hours, why they are what they are, and what they come to."
    ),
    "run_scenarios:run_scenarios as test": (
        "Play scenario files in virtual time; failures show what was expected and what happened, side by side."
    ),
    "simulate:simulate": (
        "Play many requests through definitions, with crews of given size; print backlog, times and overdue shares."
    ),
    "versions:publish": (
        "Make definitions current, all or none. Running processes follow at once; open requests keep their version."
    ),
    "versions:versions": "List a type's versions, the newest first; or compare two (numbers, hashes or `current`).",
    "versions:move": "Let the open requests of a type go on by another version. Exit code 1 when a request cannot.",
    "versions:correct": (
        "Let open requests, and new ones, go on by the calendar as its file has it now. Exit code 1 when one cannot."
    ),
    "overdue:overdue": "List what is overdue, worst first.",
    "look:show": "Show one request: facts, clocks, tasks, journal. Contact data is never part of it.",
    "import_file:import_file as import": (
        "Import requests: closed rows become history, open rows running requests. Again is harmless."
    ),
    "look:doctor": "Look at every part; exit 1 when something is wrong.",
    "serve:demo_crews as demo-crews": "Make demonstration requests once, and let crews work on what there is.",
    "keys:app as keys": "Make, list and revoke keys of the HTTP API.",
}
"""By module and function in fixline.cli.commands, and the command's name where that is another: what its help says."""


def application(named: Container[str]) -> typer.Typer:
    """The command line. Only the modules of the commands named are loaded; of the others it knows the help."""
    app = typer.Typer(
        name="fixline",
        help="Runs a city's service requests, from the first report to the verified fix.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for path, text in COMMANDS.items():
        where, _, other = path.partition(" as ")
        name = other or where.partition(":")[2]
        found = pkgutil.resolve_name(f"fixline.cli.commands.{where}") if name in named else _not_named
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name, help=text, no_args_is_help=True)
        else:
            app.command(name, help=text, hidden=name == "demo-crews")(found)
    return app


def _not_named() -> None:
    """Stands in the list for a command that this run is not about, and is never run."""
    raise AssertionError("only the command that was named is run")


def main() -> NoReturn:
    """Run the command of the command line, flush what was printed and logged, then end the process at once."""
    code = run(sys.argv[1:])
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Run a command; its exit code."""
    try:
        named = [each for each in arguments if not each.startswith("-")][:1]
        application(named)(arguments, prog_name="fixline")
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else GOOD
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has left, as `head` does
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives until the process ends
    except Exception as error:
        return _stopped_short(error)
    return GOOD


def _stopped_short(error: Exception) -> int:
    """One clear line for what can go wrong without a fault of ours; a traceback for anything else."""
    from fixline.settings import SettingsError
    from fixline.store.schema import SchemaWrong
    from fixline.store.store import StoreAway

    text = f"the database does not answer: {error}" if isinstance(error, StoreAway) else str(error)
    for kinds, code in ((SettingsError | WrongUse, WRONG_USE), (Trouble | SchemaWrong | StoreAway, FOUND)):
        if isinstance(error, kinds):
            print("fixline:", " ".join(text.split()), file=sys.stderr)
            return code
    traceback.print_exception(error)
    return FAULT
