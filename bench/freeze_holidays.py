"""Prints a state's public holidays as the `holidays:` lines of a calendar file.

A calendar is part of a definition's version, so its holidays are dates in the file and are never worked out
at run time. This writes them anew, to be pasted into definitions/calendars/*.yaml:

    python bench/freeze_holidays.py --from 1999 --to 2030 --state IL

A holiday that falls on a weekend names the weekday on which it is observed.
The dates are those of the `holidays` package (a development dependency); check them against the city's own
list, which wins.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

import holidays

OBSERVED = " (observed)"


def frozen_holidays(first_year: int, last_year: int, state: str) -> Iterator[str]:
    """The public holidays of a state of the US in those years, both included, as lines in order of date.

    An observed day whose holiday lies outside those years stands by itself.
    """
    # A New Year's Day on a Saturday is observed in the year before, which the following year knows.
    years = range(first_year, last_year + 2)
    found = holidays.country_holidays("US", subdiv=state, years=years, observed=True)
    within = {day: name for day, name in sorted(found.items()) if first_year <= day.year <= last_year}
    observed = {day: _holiday_of(day, name, within) for day, name in within.items() if name.endswith(OBSERVED)}
    kept_on = {own: day for day, own in observed.items() if own is not None}
    for day, name in within.items():
        if observed.get(day) is None:
            also = f", observed: {kept_on[day]}" if day in kept_on else ""
            yield f'  - {{date: {day}{also}, name: "{name}"}}'


def _holiday_of(day: date, name: str, within: Mapping[date, str]) -> date | None:
    """The date of the holiday that is observed on a day."""
    near = (day + timedelta(days=days) for days in (-2, -1, 1, 2))
    return next((each for each in near if within.get(each) == name.removesuffix(OBSERVED)), None)


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints public holidays as lines of a calendar file.")
    parser.add_argument("--from", dest="first_year", type=int, required=True, metavar="YEAR")
    parser.add_argument("--to", dest="last_year", type=int, required=True, metavar="YEAR")
    states = holidays.country_holidays("US").subdivisions
    parser.add_argument("--state", default="IL", choices=states, metavar="STATE", help="two letters, such as IL")
    asked = parser.parse_args()
    for line in frozen_holidays(asked.first_year, asked.last_year, asked.state):
        print(line)


if __name__ == "__main__":
    main()
