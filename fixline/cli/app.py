"""The command's frame: its list of commands, and how each run ends.

Owns the way from an exception to one clear line and an exit code, and the leaving: a process that has held a
Temporal client leaves by `os._exit` after its output is flushed, because such processes sometimes abort when
the interpreter takes them down.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from typing import NoReturn

import typer

from fixline.cli.commands import (
    calendar,
    check,
    correct,
    demo_crews,
    doctor,
    explain,
    graph,
    import_file,
    keys,
    run_scenarios,
    schema,
    serve,
    show,
    simulate,
    up,
    versions,
)
from fixline.cli.outcome import FAULT, FOUND, GOOD, WRONG_USE, Trouble, WrongUse

INTERRUPTED = 130

app = typer.Typer(
    name="fixline",
    help="Runs a city's service requests, from the first report to the verified fix.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("up")(up.up)
app.command("api")(serve.api)
app.command("worker")(serve.worker)
app.command("migrate")(serve.migrate)
app.command("check")(check.check)
app.command("schema")(schema.schema)
app.command("graph")(graph.graph)
app.command("explain")(explain.explain)
app.command("calendar")(calendar.calendar)
app.command("test")(run_scenarios.run_scenarios)
app.command("simulate")(simulate.simulate)
app.command("publish")(versions.publish)
app.command("versions")(versions.versions)
app.command("move")(versions.move)
app.command("correct")(correct.correct)
app.command("overdue")(show.overdue)
app.command("show")(show.show)
app.add_typer(keys.app, name="keys")
app.command("import")(import_file.import_file)
app.command("doctor")(doctor.doctor)
app.command("demo-crews", hidden=True)(demo_crews.demo_crews)


def main() -> NoReturn:
    """Run the command of the command line, and leave."""
    leave(run())


def run(arguments: list[str] | None = None) -> int:
    """Run a command; its exit code."""
    try:
        app(arguments, prog_name="fixline")
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

    if isinstance(error, SettingsError | WrongUse):
        return _said(error, WRONG_USE)
    if isinstance(error, Trouble | SchemaWrong):
        return _said(error, FOUND)
    if isinstance(error, StoreAway):
        return _said(f"the database does not answer: {error}", FOUND)
    traceback.print_exception(error)
    return FAULT


def leave(code: int) -> NoReturn:
    """Flush what was printed and logged, then end the process at once."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(code)


def _said(error: object, code: int) -> int:
    print("fixline:", " ".join(str(error).split()), file=sys.stderr)
    return code
