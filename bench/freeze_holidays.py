"""Prints a state's public holidays as the `holidays:` lines of a calendar file.

A calendar is part of a definition's version, so its holidays are dates in the file and are never worked out
at run time. This writes them anew, to be pasted into definitions/calendars/*.yaml:

    python bench/freeze_holidays.py --from 1999 --to 2030 --state IL

Holidays that fall on a weekend are listed on their own date and on the weekday on which they are observed.
The dates are those of the `holidays` package (a development dependency); check them against the city's own
list, which wins.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date

import holidays


def frozen_holidays(first_year: int, last_year: int, state: str) -> Iterator[tuple[date, str]]:
    """The public holidays of a state of the US in those years, both included, in order of date."""
    # A New Year's Day on a Saturday is observed in the year before, which the following year knows.
    years = range(first_year, last_year + 2)
    found = holidays.country_holidays("US", subdiv=state, years=years, observed=True)
    for day, name in sorted(found.items()):
        if first_year <= day.year <= last_year:
            yield day, name


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints public holidays as lines of a calendar file.")
    parser.add_argument("--from", dest="first_year", type=int, required=True, metavar="YEAR")
    parser.add_argument("--to", dest="last_year", type=int, required=True, metavar="YEAR")
    states = holidays.country_holidays("US").subdivisions
    parser.add_argument("--state", default="IL", choices=states, metavar="STATE", help="two letters, such as IL")
    asked = parser.parse_args()
    for day, name in frozen_holidays(asked.first_year, asked.last_year, asked.state):
        print(f'  - {{date: {day.isoformat()}, name: "{name}"}}')


if __name__ == "__main__":
    main()
