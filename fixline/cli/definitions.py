"""One checked definition of the settings' folder, for the commands that look at one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixline.cli.outcome import Trouble, WrongUse

if TYPE_CHECKING:
    from fixline.domain.definition.model import Definition


def read_checked(type_: str) -> Definition:
    """The type's definition. Raises WrongUse when there is none, Trouble when it has findings."""
    from fixline.catalog import read_catalog
    from fixline.domain.hints import did_you_mean
    from fixline.settings import read_settings

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
