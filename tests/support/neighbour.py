"""The small city with a neighbour of its pothole: a type of another department, which can be its follow-on."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fixline.catalog import Catalog, read_catalog
from fixline.catalog.catalog import with_offers

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
NEIGHBOUR = "water/cave-in.yaml"
TEXT = (FIXTURES / "neighbour" / NEIGHBOUR).read_text(encoding="utf-8")


@cache
def city_with_neighbour() -> Catalog:
    """The city's catalog, in which the neighbour's type can be named."""
    return with_offers({NEIGHBOUR: TEXT}, read_catalog(FIXTURES / "city").catalog)
