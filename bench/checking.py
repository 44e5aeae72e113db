"""`python -m bench.checking`: how long `fixline check` takes for many definitions, its start included."""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fixline.settings import PACKAGED_DEFINITIONS

NOT_DEFINITIONS = {"calendars", "areas"}


def write_city(folder: Path, count: int) -> None:
    """The packaged city with `count` definitions: the packaged ones, and copies of them under other names."""
    shutil.copytree(PACKAGED_DEFINITIONS, folder)
    given = sorted(path for path in folder.glob("*/*.yaml") if path.parent.name not in NOT_DEFINITIONS)
    given = [path for path in given if not path.name.endswith(".scenarios.yaml")]
    for number in range(count - len(given)):
        path = given[number % len(given)]
        name = f"{path.stem}-{number}"
        text = re.sub(r"^type: .*$", f"type: {name}", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        path.with_name(f"{name}.yaml").write_text(text, encoding="utf-8")


def measure(count: int, rounds: int) -> None:
    """Print the seconds of each round: elapsed, and of the processor.

    Compiled modules are kept, as Python does by itself unless it is told not to; a first round, which is not counted,
    compiles them.
    """
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "definitions"
        write_city(folder, count)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = str(Path(parent) / "compiled")
        check = [sys.executable, "-m", "fixline.cli", "check", str(folder)]
        subprocess.run(check, check=True, capture_output=True, env=environment)
        print(f"fixline check of {count} definitions, start included ({rounds} rounds)")
        for _ in range(rounds):
            before = _processor()
            start = time.perf_counter()
            subprocess.run(check, check=True, capture_output=True, env=environment)
            print(f"  {time.perf_counter() - start:5.2f} s elapsed, {_processor() - before:5.2f} s of the processor")


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.checking", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="definitions")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    measure(arguments.count, arguments.rounds)


if __name__ == "__main__":
    main()
