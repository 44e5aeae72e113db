"""The city's areas: layers of polygons, definitions/areas/<layer>.geojson, and in which of them a point lies. The
library for geometry is loaded when it is needed: by a lookup, and by an outline that is not plainly right."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fixline.catalog.findings import TOP, Findings, Place
from fixline.catalog.outlines import is_plain
from fixline.catalog.shape import KEY, check_name
from fixline.catalog.traps import place_in

if TYPE_CHECKING:
    from shapely import STRtree
    from shapely.geometry.base import BaseGeometry

_POLYGONS = {"Polygon", "MultiPolygon"}


@dataclass(frozen=True)
class Area:
    """One area of a layer; its outline is a valid polygon, as GeoJSON."""

    key: str
    title: str
    outline: str

    @cached_property
    def geometry(self) -> BaseGeometry:
        """Its geometry in degrees, x the longitude and y the latitude (WGS 84)."""
        import shapely

        return shapely.from_geojson(self.outline)


@dataclass(frozen=True)
class Layer:
    """The areas of one kind, ordered by key. Lookup is by an index that is built once."""

    name: str
    areas: tuple[Area, ...]

    @cached_property
    def _index(self) -> STRtree:
        import shapely

        shapely.prepare([area.geometry for area in self.areas])
        return shapely.STRtree([area.geometry for area in self.areas])

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the areas, in order."""
        return tuple(area.key for area in self.areas)

    def locate(self, latitude: float, longitude: float) -> str | None:
        """The key of the area that holds the point, its border included; the first by key of several."""
        import shapely

        found = self._index.query(shapely.Point(longitude, latitude), predicate="intersects")
        return self.areas[min(found)].key if len(found) else None


@dataclass(frozen=True)
class Areas:
    """All layers by name. `broken` names the files whose findings keep them from being a layer; `boundary` the layer
    whose areas are the city, if one is."""

    layers: Mapping[str, Layer] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    boundary: str | None = None

    def locate(self, latitude: float, longitude: float) -> dict[str, str]:
        """The area of each layer in which the point (degrees) lies, on a border the first by key; a layer without one
        is left out. Raises ValueError for a point that is not on earth."""
        if not (math.isfinite(latitude) and math.isfinite(longitude)) or abs(latitude) > 90 or abs(longitude) > 180:
            raise ValueError(f"no place on earth has latitude {latitude} and longitude {longitude}")
        names = sorted(self.layers, key=lambda name: name == self.boundary)  # what all of the city lies in comes last
        found = {name: self.layers[name].locate(latitude, longitude) for name in names}
        return {name: key for name, key in found.items() if key is not None}

    def prepare(self) -> None:
        """Load and index now what lookups need, so that the first one waits for nothing."""
        self.locate(0.0, 0.0)

    def outside(self, latitude: float, longitude: float) -> bool:
        """Whether the point (degrees) lies in no area of the boundary; never, where the city has none."""
        boundary = self.layers.get(self.boundary or "")
        return boundary is not None and boundary.locate(latitude, longitude) is None


def read_layer(source: bytes, name: str, findings: Findings) -> Layer | None:
    """The layer of the file called `name`, or None after its findings."""
    check_name(name, TOP, KEY, findings)
    try:
        text = source.decode("utf-8-sig")
        document = json.loads(text)
    except UnicodeDecodeError:
        findings.add("FX102", TOP, "the file is not UTF-8")
        return None
    except json.JSONDecodeError as problem:
        findings.add("FX707", Place(problem.lineno, problem.colno), f"not JSON: {problem.msg}")
        return None
    except (RecursionError, ValueError):
        findings.add("FX707", TOP, "not GeoJSON: it cannot be read")
        return None
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection" or not features:
        findings.add("FX707", TOP, "the file is no FeatureCollection with features")
        return None
    return _read_features(text, features, name, findings)


def _read_features(text: str, features: list[Any], name: str, findings: Findings) -> Layer | None:
    areas: dict[str, Area] = {}
    before = len(findings)
    for position, feature in enumerate(features):
        problem = _problem(feature, areas)
        area = None if problem else _read_area(feature)
        if problem or area is None:
            message = f"feature {position + 1}: {problem or 'its geometry is no valid polygon in degrees'}"
            findings.add("FX708", _feature_place(text, position), message)
            continue
        if check_name(area.key, _feature_place(text, position), KEY, findings):
            areas[area.key] = area
    if len(findings) > before:
        return None
    return Layer(name, tuple(areas[key] for key in sorted(areas)))


def _problem(feature: Any, known: Iterable[str]) -> str:
    """What keeps a feature from being an area, but for its geometry; empty when nothing does."""
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        return "it has no properties"
    for key in ("key", "title"):
        if not isinstance(properties.get(key), str) or not properties[key].strip():
            return f"its properties have no text '{key}'"
    return f"the key '{properties['key']}' is given twice" if properties["key"] in known else ""


def _read_area(feature: dict[str, Any]) -> Area | None:
    geometry = feature.get("geometry")
    if not isinstance(geometry, dict) or geometry.get("type") not in _POLYGONS:
        return None
    outline = json.dumps(geometry)
    if not is_plain(geometry) and not _is_valid(outline):
        return None
    return Area(feature["properties"]["key"], feature["properties"]["title"], outline)


def _is_valid(outline: str) -> bool:
    """Whether it is a valid polygon in degrees."""
    import shapely

    try:
        shape = shapely.from_geojson(outline)
    except (shapely.errors.ShapelyError, ValueError, TypeError):
        return False
    if shape.is_empty or not shape.is_valid:
        return False
    west, south, east, north = shape.bounds
    return bool(-180 <= west <= east <= 180 and -90 <= south <= north <= 90)


def _feature_place(text: str, position: int) -> Place:
    """Where the feature begins in the file: features are skipped one by one from the list's beginning."""
    decoder = json.JSONDecoder()
    index = text.find("[", text.find('"features"')) + 1
    try:
        for _ in range(position):
            _, index = decoder.raw_decode(text, _next_value(text, index))
    except json.JSONDecodeError:
        return TOP
    return place_in(text, _next_value(text, index))


def _next_value(text: str, index: int) -> int:
    while index < len(text) and text[index] in " \t\r\n,":
        index += 1
    return index
