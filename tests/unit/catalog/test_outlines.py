"""An outline is called plain only where the library for geometry finds a valid polygon, too."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from fixline.catalog.outlines import MOST_CORNERS, is_plain
from fixline.settings import PACKAGED_DEFINITIONS

SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]
CORNERS = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)).map(list), min_size=3, max_size=8)
NEAR = st.floats(-1e-5, 1e-5)


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


@given(CORNERS, NEAR)
def test_what_is_plain_is_valid(corners: list[list[float]], moved: float) -> None:
    ring = [*corners, corners[0]]
    ring[1] = [ring[1][0] + moved, ring[1][1]]
    if is_plain(polygon(ring)):
        shape = shapely.from_geojson(json.dumps(polygon(ring)))
        assert shape.is_valid
        assert shape.area > 0


@pytest.mark.parametrize(
    "ring", [SQUARE, SQUARE[::-1], [[0, 0], [4, 0], [1, 1], [0, 4], [0, 0]], [*SQUARE[1:], [4, 0]]]
)
def test_simple_outlines_are_plain(ring: list[list[float]]) -> None:
    assert is_plain(polygon(ring))


@pytest.mark.parametrize(
    "geometry",
    [
        {},
        {"type": "MultiPolygon", "coordinates": [[SQUARE]]},
        {"type": "Polygon", "coordinates": None},
        polygon(),
        polygon(SQUARE, [[1, 1], [2, 1], [2, 2], [1, 1]]),
        polygon("0 0, 4 0, 4 4, 0 0"),
        polygon(SQUARE[:-1]),
        polygon([[0, 0], [4, 0], [0, 0]]),
        polygon([[0, 0], [2, 0], [2, 0], [4, 4], [0, 0]]),
        polygon([[0, 0], [4, 0], [2, 0], [2, 4], [0, 0]]),
        polygon([[0, 0], [4, 4], [4, 0], [0, 4], [0, 0]]),
        polygon([[0, 0], [4, 0], [4, 4], [2, 0], [0, 4], [0, 0]]),
        polygon([[0, 0], [4, 0], [2, 2], [4, 4], [0, 4], [2, 2], [0, 0]]),
        polygon([[0, 0, 0], [4, 0, 0], [4, 4, 0], [0, 0, 0]]),
        polygon([[0, 0], [4, 0], [4, "4"], [0, 0]]),
        polygon([[0, 0], [4, 0], [4, True], [0, 0]]),
        polygon([[0, 0], [4, 0], [4, float("nan")], [0, 0]]),
        polygon([[0, 0], [181, 0], [4, 4], [0, 0]]),
        polygon([[0, 0], [4, 0], [4, 91], [0, 0]]),
        polygon([[0, 0], [4, 0], 4, [0, 0]]),
        polygon([[number, number**2 / 100] for number in range(MOST_CORNERS)] + [[0, 0]]),
    ],
)
def test_all_else_is_left_to_the_library(geometry: dict[str, Any]) -> None:
    assert not is_plain(geometry)


def test_the_library_is_not_loaded_for_the_shipped_areas() -> None:
    """It would take a check longer than reading ten definitions."""
    check = "import sys; from pathlib import Path; from fixline.catalog import check_paths; "
    check += f"check_paths([Path({str(PACKAGED_DEFINITIONS)!r})]); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
