"""`fixline simulate`: many requests, crews and hours in virtual time."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fixline.cli.heap import at_rest
from fixline.cli.outcome import Trouble, WrongUse

if TYPE_CHECKING:
    from fixline.rehearsal.simulation import Simulation

DEFAULT = "default"


def simulate(
    types: Annotated[
        list[str] | None, typer.Argument(metavar="[TYPE]...", help="Request types. [default: all]")
    ] = None,
    requests: Annotated[int, typer.Option("--requests", min=1, max=1_000_000, help="How many of each type.")] = 20_000,
    profile: Annotated[
        str, typer.Option("--profile", help="A file that says when requests arrive and how long work takes.")
    ] = DEFAULT,
    crews: Annotated[
        list[str] | None, typer.Option("--crews", metavar="TEAM=SIZE", help="A team's crews; may be repeated.")
    ] = None,
    weeks: Annotated[int, typer.Option("--weeks", min=0, max=520, help="Weeks of arrivals. 0: the profile's.")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same simulation.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Play many requests through definitions, with crews of given size; print backlog, times and overdue shares."""
    from fixline.cli import simulation_tables

    with at_rest():
        simulation = prepare(types or [], requests, profile, crews or [], weeks, seed)
        began = time.perf_counter()
        with simulation_tables.progress(sys.stderr) as hear:
            simulation.run(hear)
    seconds = time.perf_counter() - began
    if as_json:
        print(json.dumps(simulation_tables.as_json(simulation, seconds), indent=2))
    else:
        simulation_tables.print_figures(simulation, seconds)


def prepare(types: list[str], requests: int, profile: str, crews: list[str], weeks: int, seed: int) -> Simulation:
    """The simulation that the options ask for. Raises WrongUse, and Trouble for what is wrong in files."""
    from dataclasses import replace

    from fixline.catalog import read_catalog
    from fixline.catalog.checking import shown
    from fixline.catalog.profiles import Profile, read_profile
    from fixline.rehearsal.simulation import Simulation
    from fixline.settings import read_settings

    reading = read_catalog(shown(read_settings().definitions_folder))
    if reading.findings:
        raise Trouble(f"the definitions have {len(reading.findings)} findings; the first: {reading.findings[0]}")
    catalog = reading.catalog
    for name in types:
        if name not in catalog.definitions:
            raise WrongUse(f"there is no type {name!r}; there are {', '.join(sorted(catalog.definitions))}")
    used = Profile()
    if profile != DEFAULT:
        used, findings = read_profile(Path(profile), catalog)
        if findings:
            raise Trouble(f"{len(findings)} findings in the profile; the first: {findings[0]}")
    teams = set(catalog.organisation.teams if catalog.organisation else ())
    sizes = dict(_size(each, teams) for each in crews)
    used = replace(used, crews={**used.crews, **sizes}, weeks=weeks or used.weeks)
    wanted = [catalog.definitions[name] for name in dict.fromkeys(types or sorted(catalog.definitions))]
    if not wanted:
        raise WrongUse("there are no definitions to simulate")
    return Simulation(catalog, wanted, used, requests, seed)


def _size(text: str, teams: set[str]) -> tuple[str, int]:
    team, _, size = text.partition("=")
    if team not in teams:
        raise WrongUse(f"there is no team {team!r}: write --crews TEAM=SIZE")
    if not (size.isascii() and size.isdigit() and 1 <= int(size) <= 10_000):
        raise WrongUse(f"--crews {text}: a team has 1 to 10,000 crews")
    return team, int(size)
