"""The definitions of a city, read and checked as one: the only way from files to definitions.

Owns the walk over a definitions folder, the check of one file against the rest, and the version of a
definition. Must not import anything of Fixline but this package and the domain; keeps nothing between
calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from fixline.catalog.answers import check_conditions, check_dates, check_fields, check_promises, check_warnings
from fixline.catalog.areas import Areas, Layer, read_layer
from fixline.catalog.asked_outside import check_outside, check_sent
from fixline.catalog.branches import check_branches
from fixline.catalog.calendars import read_calendar
from fixline.catalog.findings import TOP, Finding, Findings
from fixline.catalog.flow import check_flow
from fixline.catalog.follow_ons import Offer, check_follow_ons, offer_of
from fixline.catalog.interruptions import check_holds, check_reopen
from fixline.catalog.organisation import FILE_NAME, Organisation, read_organisation
from fixline.catalog.parsed import ParsedDefinition, read_draft
from fixline.catalog.reading import read_tree
from fixline.catalog.references import check_boundary, check_department, check_roles, check_teams
from fixline.catalog.shape import nearest
from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.definition.model import NO_HOURS, Definition

CALENDARS, AREAS = "calendars", "areas"
SCENARIOS = ".scenarios.yaml"


@dataclass(frozen=True)
class Catalog:
    """Definitions by type, with what they refer to.

    A definition with findings is not in it. `organisation` is None when its file cannot be read, and
    nothing is then checked against it; `broken_calendars` names the calendar files that have findings. `offers` has
    every type that the folder has, also those with findings, as other types may open it.
    """

    definitions: dict[str, Definition] = field(default_factory=dict)
    organisation: Organisation | None = None
    areas: Areas = field(default_factory=Areas)
    calendars: dict[str, WorkingCalendar] = field(default_factory=dict)
    broken_calendars: frozenset[str] = frozenset()
    offers: dict[str, Offer | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """A catalog as far as it could be read, and everything found wrong, in the order of files and lines."""

    catalog: Catalog
    findings: tuple[Finding, ...]


def read_catalog(root: Path) -> Reading:
    """Read and check the whole definitions folder. Never raises; a missing folder is a finding."""
    found: list[Finding] = []
    shared = _read_shared(root, found)
    definitions: dict[str, Definition] = {}
    read = [
        (path, findings := Findings(str(path)), _read_file(path, findings)) for path in _definition_files(root, found)
    ]
    catalog = replace(shared, definitions=definitions, offers=_offers(read))
    for path, findings, parsed in read:
        definition = _checked(parsed, path, catalog) if parsed else None
        if definition is not None:
            definitions[definition.type] = definition
        found.extend(findings.sorted())
    return Reading(catalog, tuple(sorted(set(found))))


def _offers(read: Iterable[tuple[Path, Findings, ParsedDefinition | None]]) -> dict[str, Offer | None]:
    """What each type offers; a finding for one that is defined a second time."""
    offers: dict[str, Offer | None] = {}
    files: dict[str, str] = {}
    for path, findings, parsed in read:
        if parsed is None or parsed.type is None:
            continue
        if parsed.type in files:
            message = f"the type '{parsed.type}' is defined in {files[parsed.type]} already"
            findings.add("FX211", parsed.place("type"), message)
        else:
            files[parsed.type] = str(path)
            offers[parsed.type] = offer_of(parsed)
    return offers


def check_text(text: str, filename: str, catalog: Catalog) -> tuple[Definition | None, tuple[Finding, ...]]:
    """Check one definition's text as if it stood in that file (`<department>/<type>.yaml` or the name).

    The definition is None exactly when there are findings. A type that the catalog has already is no finding.
    """
    findings = Findings(filename)
    parsed = _read(text, findings)
    definition = _checked(parsed, PurePath(filename), catalog) if parsed else None
    return definition, findings.sorted()


def with_offers(files: Mapping[str, str], catalog: Catalog) -> Catalog:
    """The catalog with what the types of these texts, by path, offer: so that each may name the others."""
    found = [_read(text, Findings(path)) for path, text in files.items()]
    offered = {parsed.type: offer_of(parsed) for parsed in found if parsed is not None and parsed.type is not None}
    return replace(catalog, offers={**catalog.offers, **offered})


def read_bytes(path: Path, findings: Findings) -> bytes | None:
    """A file's bytes; a finding when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as problem:
        findings.add("FX101", TOP, f"the file cannot be read: {problem.strerror or problem}")
        return None


def _read_file(path: Path, findings: Findings) -> ParsedDefinition | None:
    source = read_bytes(path, findings)
    return _read(source, findings) if source is not None else None


def _read(source: bytes | str, findings: Findings) -> ParsedDefinition | None:
    tree = read_tree(source, findings)
    return read_draft(tree, findings) if tree is not None else None


def _listed(folder: Path, suffix: str) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix == suffix and not path.name.startswith("."))


def _read_shared(root: Path, found: list[Finding]) -> Catalog:
    """The organisation, areas and calendars, without any definition."""
    calendars: dict[str, WorkingCalendar] = {}
    broken: set[str] = set()
    for path in _listed(root / CALENDARS, ".yaml"):
        calendar = _read_calendar_file(path, found)
        if calendar is None:
            broken.add(path.stem)
        else:
            calendars[path.stem] = calendar
    areas = _read_areas(root / AREAS, found)
    organisation = _read_organisation_file(root / FILE_NAME, areas, found)
    if organisation is not None:
        areas = replace(areas, boundary=organisation.city.boundary)
    return Catalog({}, organisation, areas, calendars, frozenset(broken))


def _read_calendar_file(path: Path, found: list[Finding]) -> WorkingCalendar | None:
    findings = Findings(str(path))
    source = read_bytes(path, findings)
    tree = read_tree(source, findings) if source is not None else None
    calendar = read_calendar(tree, path.stem, findings) if tree is not None else None
    found.extend(findings.sorted())
    return calendar


def _read_organisation_file(path: Path, areas: Areas, found: list[Finding]) -> Organisation | None:
    findings = Findings(str(path))
    organisation = None
    if not path.is_file():
        findings.add("FX701", TOP, f"there is no {FILE_NAME}: definitions are checked against it")
    else:
        source = read_bytes(path, findings)
        tree = read_tree(source, findings) if source is not None else None
        organisation = read_organisation(tree, findings, areas) if tree is not None else None
    found.extend(findings.sorted())
    return organisation


def _read_areas(folder: Path, found: list[Finding]) -> Areas:
    layers: dict[str, Layer] = {}
    broken: set[str] = set()
    for path in _listed(folder, ".geojson"):
        findings = Findings(str(path))
        source = read_bytes(path, findings)
        layer = read_layer(source, path.stem, findings) if source is not None else None
        if layer is None or len(findings):
            broken.add(path.stem)
        else:
            layers[path.stem] = layer
        found.extend(findings.sorted())
    return Areas(layers, frozenset(broken))


def _definition_files(root: Path, found: list[Finding]) -> list[Path]:
    """Every definition's file in order; YAML files in places where nothing reads them are findings."""
    files: list[Path] = []
    for path in sorted(root.rglob("*.y*ml")) if root.is_dir() else ():
        parts = path.relative_to(root).parts
        if any(part.startswith(".") for part in parts) or path.name.endswith(SCENARIOS):
            continue
        if parts == (FILE_NAME,) or (parts[0] == CALENDARS and len(parts) == 2 and path.suffix == ".yaml"):
            continue
        if len(parts) == 2 and path.suffix == ".yaml" and parts[0] not in {CALENDARS, AREAS}:
            files.append(path)
        else:
            message = "nothing reads this file: a definition is <department>/<type>.yaml"
            found.append(Finding(str(path), 1, 1, "FX210", message))
    return files


def _checked(parsed: ParsedDefinition, path: PurePath, catalog: Catalog) -> Definition | None:
    """Hold a parsed definition against all rules; the definition when there is no finding."""
    _check_file_name(parsed, path)
    check_fields(parsed)
    check_conditions(parsed)
    check_dates(parsed)
    reached = check_flow(parsed)
    check_branches(parsed)
    check_promises(parsed, reached)
    check_holds(parsed)
    check_reopen(parsed)
    check_sent(parsed)
    check_follow_ons(parsed, catalog.offers)
    calendar = NO_HOURS if parsed.redirect else _find_calendar(parsed, catalog)
    if calendar is not None:
        check_warnings(parsed, calendar)
    if catalog.organisation is not None:
        check_department(parsed, catalog.organisation)
        check_teams(parsed, catalog.organisation, catalog.areas)
        check_roles(parsed, catalog.organisation, catalog.areas)
        check_outside(parsed, catalog.organisation)
        check_boundary(parsed, catalog.organisation)
    if len(parsed.findings) or calendar is None:
        return None
    return parsed.finished(calendar)


def _check_file_name(parsed: ParsedDefinition, path: PurePath) -> None:
    if parsed.type is not None and path.stem != parsed.type:
        message = f"the type is '{parsed.type}', its file '{path.name}': use one name for both"
        parsed.findings.add("FX210", parsed.place("type"), message)
    folder = path.parent.name
    if parsed.department is not None and folder and folder != parsed.department:
        message = f"the department is '{parsed.department}', its folder '{folder}': use one name for both"
        parsed.findings.add("FX210", parsed.place("department"), message)


def _find_calendar(parsed: ParsedDefinition, catalog: Catalog) -> WorkingCalendar | None:
    if parsed.calendar is None or parsed.calendar in catalog.calendars:
        return catalog.calendars.get(parsed.calendar or "")
    if parsed.calendar in catalog.broken_calendars:
        message = f"the calendar '{parsed.calendar}' has findings of its own"
    else:
        near = nearest(parsed.calendar, catalog.calendars)
        message = f"there is no calendar '{parsed.calendar}' in definitions/calendars{near}"
    parsed.findings.add("FX302", parsed.place("calendar"), message)
    return None
