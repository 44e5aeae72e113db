"""Distance and nearness in plain SQL arithmetic.

The databases' own trigonometry is not needed: the cosine of the latitude half-way is written as its series around the
centre, which errs by less than a metre at 50 km.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, and_

EARTH_RADIUS_M = 6_371_008.8
METRES_PER_DEGREE = math.radians(1.0) * EARTH_RADIUS_M
LARGEST_RADIUS_M = 50_000.0


def haversine_m(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """The distance of two points in degrees, in metres, on the sphere."""
    here, there = math.radians(latitude), math.radians(to_latitude)
    across = math.radians(to_longitude - longitude)
    half = math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(across / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


@dataclass(frozen=True)
class Box:
    """West, south, east and north in degrees; west <= east and south <= north."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, latitude: Column[Any], longitude: Column[Any]) -> ColumnElement[bool]:
        """Whether a row lies in the box."""
        return and_(latitude.between(self.south, self.north), longitude.between(self.west, self.east))


@dataclass(frozen=True)
class Circle:
    """A centre in degrees and a radius in metres, at most LARGEST_RADIUS_M."""

    latitude: float
    longitude: float
    radius_m: float

    @property
    def box(self) -> Box:
        """The smallest box around the circle, a little larger."""
        north = math.degrees(self.radius_m / EARTH_RADIUS_M) * 1.001
        narrow = math.cos(math.radians(min(89.9, abs(self.latitude) + north)))
        east = min(360.0, north / narrow)
        return Box(self.longitude - east, self.latitude - north, self.longitude + east, self.latitude + north)

    def square_of_distance(self, latitude: Column[Any], longitude: Column[Any]) -> ColumnElement[float]:
        """The square of a row's distance from the centre, in square metres."""
        up = latitude - self.latitude
        across = longitude - self.longitude
        half = up * math.radians(0.5)
        cosine, sine = math.cos(math.radians(self.latitude)), math.sin(math.radians(self.latitude))
        width = cosine - half * sine - half * half * (cosine / 2)
        east = across * width
        return (up * up + east * east) * (METRES_PER_DEGREE**2)
