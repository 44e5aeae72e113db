"""The mappings there are, by the name that `fixline import --mapping` takes."""

from __future__ import annotations

from fixline.service.importing.chicago import Chicago
from fixline.service.importing.los_angeles import LosAngeles
from fixline.service.importing.records import Mapping

MAPPINGS: dict[str, Mapping] = {"chicago": Chicago(), "la": LosAngeles()}


def mapping_of(name: str) -> Mapping | None:
    """The mapping of that name; None when there is none."""
    return MAPPINGS.get(name)
