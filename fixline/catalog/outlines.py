"""Outlines of areas that are plainly right, told without a library for geometry, which takes longer to load than ten
definitions to check. Whatever is not plain (more rings, many corners, sides that come near each other) is for the
library to judge, and so is where a point lies."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

MOST_CORNERS = 32
"""With more of them, to compare each side with each other one takes as long as loading the library."""
_NEAR = 1e-9
"""Square degrees: what is nearer to a line is not plainly beside it. A hundred times what rounding can come to."""

Point = tuple[float, float]
Side = tuple[Point, Point]


def is_plain(geometry: dict[str, Any]) -> bool:
    """Whether a GeoJSON geometry is surely a valid polygon in degrees; one that is not plain may be valid, too."""
    coordinates = geometry.get("coordinates")
    if geometry.get("type") != "Polygon" or not isinstance(coordinates, list) or len(coordinates) != 1:
        return False
    ring = coordinates[0]
    if not isinstance(ring, list) or not 4 <= len(ring) <= MOST_CORNERS or not all(map(_is_point, ring)):
        return False
    corners: list[Point] = [(x, y) for x, y in ring]
    return corners[0] == corners[-1] and not any(_may_meet(*two) for two in combinations(pairwise(corners), 2))


def _is_point(position: Any) -> bool:
    if not isinstance(position, list) or [type(each) in (int, float) for each in position] != [True, True]:
        return False
    return bool(abs(position[0]) <= 180 and abs(position[1]) <= 90)


def _may_meet(side: Side, other: Side) -> bool:
    """Whether two sides may have more in common than a corner in which one follows the other."""
    if side[1] == other[0]:
        return _distance(side, other[1]) == 0
    if other[1] == side[0]:
        return _distance(other, side[1]) == 0
    return not (_is_beside(side, other) or _is_beside(other, side))


def _is_beside(side: Side, other: Side) -> bool:
    """Whether the whole other side is plainly on one hand of the line through this one."""
    return _distance(side, other[0]) * _distance(side, other[1]) > 0


def _distance(side: Side, point: Point) -> float:
    """How far the point is to the left of the line through the side, times its length; 0 when that is not plain."""
    (from_x, from_y), (to_x, to_y) = side
    found = (to_x - from_x) * (point[1] - from_y) - (to_y - from_y) * (point[0] - from_x)
    return found if abs(found) > _NEAR else 0.0
