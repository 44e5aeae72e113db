"""Deadlines against the slow oracle of the tests, on many more random calendars: `python -m bench.oracle`.

Prints how many promises were compared, and how many rungs and breaches they came to; the first difference ends it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.support.oracle import foretold, lived, random_promise

CASES = 10_000
EACH = 1_000


def compare(cases: int, first: int) -> int:
    """Compare so many promises, from this seed on; the exit code."""
    counts: Counter[str] = Counter()
    started = time.monotonic()
    for number, seed in enumerate(range(first, first + cases), start=1):
        promise = random_promise(seed)
        expected, found = foretold(promise), lived(promise)
        if expected != found:
            print(f"seed {seed} differs\n  {promise}\n  oracle {expected}\n  rules  {found}")
            return 1
        counts["rungs"] += len(found.rungs)
        counts["breaches"] += found.breached_at is not None
        counts["held"] += bool(promise.holds)
        if number % EACH == 0 or number == cases:
            seconds = time.monotonic() - started
            print(
                f"{number:,} cases compared and equal: {counts['breaches']:,} breaches, {counts['rungs']:,} rungs, "
                f"{counts['held']:,} with holds; {seconds:.0f} s",
                flush=True,
            )
    return 0


def main() -> None:
    """Read the command line and compare."""
    parser = argparse.ArgumentParser(prog="python -m bench.oracle", description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--first", type=int, default=0, help="the first seed; the tests take 0 to 499")
    asked = parser.parse_args()
    sys.exit(compare(asked.cases, asked.first))


if __name__ == "__main__":
    main()
