"""`python -m bench.rehearsals`: scenarios a second, and how long a simulation takes, each on one core."""

from __future__ import annotations

import argparse
import time

from fixline.catalog import read_catalog
from fixline.catalog.profiles import Profile
from fixline.catalog.scenarios import read_scenarios, scenario_files
from fixline.cli.common import at_rest
from fixline.rehearsal.playing import play
from fixline.rehearsal.simulation import Simulation
from fixline.settings import PACKAGED_DEFINITIONS


def measure_scenarios(rounds: int) -> None:
    """Play all shipped scenarios, over and over."""
    catalog = read_catalog(PACKAGED_DEFINITIONS).catalog
    scenarios = [each for path in scenario_files(PACKAGED_DEFINITIONS) for each in read_scenarios(path, catalog)[0]]
    began = time.process_time()
    for _ in range(rounds):
        for scenario in scenarios:
            assert play(scenario, catalog.definitions[scenario.type]).passed
    seconds = time.process_time() - began
    count = rounds * len(scenarios)
    print(f"{count:,} scenarios in {seconds:.1f} s of the processor: {count / seconds:,.0f} a second")


def measure_simulation(type_: str, requests: int) -> None:
    """Play many requests of one type through the shipped definition, as `fixline simulate` does."""
    catalog = read_catalog(PACKAGED_DEFINITIONS).catalog
    simulation = Simulation(catalog, [catalog.definitions[type_]], Profile(), requests, seed=1)
    began = time.process_time()
    simulation.run()
    seconds = time.process_time() - began
    print(
        f"{requests:,} requests of {type_}, {simulation.decisions:,} decisions in {seconds:.1f} s of the processor: "
        f"{requests / seconds:,.0f} requests a second"
    )


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.rehearsals", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="how often all shipped scenarios are played")
    parser.add_argument("--type", default="pothole", help="the type that is simulated")
    parser.add_argument("--requests", type=int, default=20_000, help="how many requests are simulated")
    arguments = parser.parse_args()
    with at_rest():  # as the commands do
        measure_scenarios(arguments.rounds)
        measure_simulation(arguments.type, arguments.requests)


if __name__ == "__main__":
    main()
