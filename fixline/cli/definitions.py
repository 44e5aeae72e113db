"""Checked definitions of the settings' folder, for the commands that rest on them."""

from __future__ import annotations

from pathlib import Path

from fixline.catalog import Catalog, read_catalog
from fixline.catalog.findings import nearest
from fixline.cli.common import Trouble, WrongUse
from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.definition.model import Definition
from fixline.errors import did_you_mean
from fixline.settings import read_settings

SHOWN_FINDINGS = 3


def checked_catalog(folder: Path) -> Catalog:
    """The definitions of the folder. Raises Trouble when there is any finding."""
    reading = read_catalog(folder)
    if reading.findings:
        shown = "; ".join(str(finding) for finding in reading.findings[:SHOWN_FINDINGS])
        more = len(reading.findings) - SHOWN_FINDINGS
        rest = f"; and {more} more" if more > 0 else ""
        raise Trouble(f"the definitions have findings: {shown}{rest}. `fixline check {folder}` shows all")
    return reading.catalog


def checked_definition(type_: str) -> Definition:
    """The type's definition. Raises WrongUse when there is none, Trouble when it has findings."""
    root = read_settings().definitions_folder
    reading = read_catalog(root)
    found = reading.catalog.definitions.get(type_)
    if found is not None:
        return found
    broken = [finding for finding in reading.findings if finding.file.endswith(f"/{type_}.yaml")]
    if broken:
        more = f" (and {len(broken) - 1} more: fixline check)" if len(broken) > 1 else ""
        raise Trouble(f"{broken[0]}{more}")
    near = did_you_mean(type_, reading.catalog.definitions)
    raise WrongUse(f"there is no definition of '{type_}' in {root}{near}")


def checked_calendar(name: str) -> WorkingCalendar:
    """The calendar of that name. Raises WrongUse when there is none, Trouble when it has findings."""
    root = read_settings().definitions_folder
    reading = read_catalog(root)
    found = reading.catalog.calendars.get(name)
    if found is not None:
        return found
    broken = next((finding for finding in reading.findings if finding.file.endswith(f"calendars/{name}.yaml")), None)
    if broken is not None:
        raise Trouble(str(broken))
    raise WrongUse(f"there is no calendar '{name}' in {root / 'calendars'}{nearest(name, reading.catalog.calendars)}")
