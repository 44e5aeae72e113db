"""The definitions of a city, read and checked as one: the only way from files to definitions. Nothing is kept
between calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import TypeVar

from fixline.catalog.answers import check_answers, check_promises, check_warnings
from fixline.catalog.areas import Areas, Layer, read_layer
from fixline.catalog.calendars import read_calendar
from fixline.catalog.definition import read_draft
from fixline.catalog.findings import TOP, Finding, Findings
from fixline.catalog.flow import check_branches, check_flow, check_reopen
from fixline.catalog.follow_ons import Offer, check_follow_ons, offer_of
from fixline.catalog.organisation import FILE_NAME, Organisation, read_organisation
from fixline.catalog.parsed import ParsedDefinition
from fixline.catalog.reading import read_tree
from fixline.catalog.references import check_city, check_sent
from fixline.catalog.tree import Mapping as Tree
from fixline.catalog.tree import Scalar
from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.definition.model import NO_HOURS, Definition

CALENDARS, AREAS = "calendars", "areas"
SCENARIOS = ".scenarios.yaml"
UNNAMED = "definition.yaml"
_Read = TypeVar("_Read", WorkingCalendar, Layer)


@dataclass(frozen=True)
class Catalog:
    """Definitions by type, with what they refer to; a definition with findings is not in it. `organisation` is None
    when its file cannot be read, and nothing is then checked against it; `broken_calendars` names the calendar files
    that have findings. `offers` has every type that the folder has, also those with findings, as other types may open
    it."""

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
    files = _definition_files(root, found)
    read = [(path, findings := Findings(str(path)), _read(path, findings)) for path in files]
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
    """Check one definition's text as if it stood in that file (`<department>/<type>.yaml` or the name). The definition
    is None exactly when there are findings. A type that the catalog has already is no finding."""
    findings = Findings(filename)
    parsed = _read(text, findings)
    definition = _checked(parsed, PurePath(filename), catalog) if parsed else None
    return definition, findings.sorted()


def with_offers(files: Mapping[str, str], catalog: Catalog) -> Catalog:
    """The catalog with what the types of these texts, by path, offer: so that each may name the others."""
    found = [_read(text, Findings(path)) for path, text in files.items()]
    offered = {parsed.type: offer_of(parsed) for parsed in found if parsed is not None and parsed.type is not None}
    return replace(catalog, offers={**catalog.offers, **offered})


def check_files(files: Mapping[str, str], catalog: Catalog) -> Reading:
    """Check definitions, given as the text of each file by its path (`<department>/<type>.yaml`).

    Calendars, areas and the organisation are those of the catalog given: they are not published this way. The reading's
    catalog has those definitions that are right. Nothing is to be published unless there are no findings.
    """
    found: list[Finding] = []
    sent: dict[str, Definition] = {}
    named: dict[str, str] = {}
    together = with_offers(files, catalog)
    for path, text in files.items():
        definition, findings = check_text(text, path, together)
        found.extend(findings)
        if definition is None:
            continue
        if definition.type in named:
            message = f"the type '{definition.type}' is defined in {named[definition.type]} already"
            found.append(Finding(path, 1, 1, "FX211", message))
        named.setdefault(definition.type, path)
        sent[definition.type] = definition
    return Reading(replace(catalog, definitions=sent), tuple(sorted(set(found))))


def name_of(text: str) -> str:
    """The path at which a definition's text belongs, by its own department and type; a plain name where it has none."""
    tree = read_tree(text, Findings(UNNAMED))
    said = {entry.key: entry.value.text for entry in tree or () if isinstance(entry.value, Scalar)}
    if not said.get("type"):
        return UNNAMED
    return "/".join(part for part in (said.get("department"), f"{said['type']}.yaml") if part)


def read_bytes(path: Path, findings: Findings) -> bytes | None:
    """A file's bytes; a finding when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as problem:
        findings.add("FX101", TOP, f"the file cannot be read: {problem.strerror or problem}")
        return None


def read_file(path: Path, findings: Findings) -> Tree | None:
    """A file's tree; findings when there is none to read."""
    source = read_bytes(path, findings)
    return None if source is None else read_tree(source, findings)


def _read(source: Path | str, findings: Findings) -> ParsedDefinition | None:
    tree = read_file(source, findings) if isinstance(source, Path) else read_tree(source, findings)
    return None if tree is None else read_draft(tree, findings)


def _read_shared(root: Path, found: list[Finding]) -> Catalog:
    """The organisation, areas and calendars, without any definition."""
    calendars, broken = _read_folder(root / CALENDARS, ".yaml", _read_calendar_file, found)
    layers, wrong = _read_folder(root / AREAS, ".geojson", _read_area_file, found)
    areas = Areas(layers, wrong)
    findings = Findings(str(root / FILE_NAME))
    organisation = _read_organisation_file(root / FILE_NAME, areas, findings)
    found.extend(findings.sorted())
    if organisation is not None:
        areas = replace(areas, boundary=organisation.city.boundary)
    return Catalog({}, organisation, areas, calendars, broken)


def _read_folder(
    folder: Path, suffix: str, read: Callable[[Path, Findings], _Read | None], found: list[Finding]
) -> tuple[dict[str, _Read], frozenset[str]]:
    """What is read of each file of a folder, by its name; and the names of those that cannot be used."""
    everything: dict[str, _Read | None] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix == suffix and not path.name.startswith("."):
            findings = Findings(str(path))
            everything[path.stem] = read(path, findings)
            found.extend(findings.sorted())
    known = {name: each for name, each in everything.items() if each is not None}
    return known, frozenset(everything.keys() - known.keys())


def _read_calendar_file(path: Path, findings: Findings) -> WorkingCalendar | None:
    tree = read_file(path, findings)
    return None if tree is None else read_calendar(tree, path.stem, findings)


def _read_area_file(path: Path, findings: Findings) -> Layer | None:
    source = read_bytes(path, findings)
    layer = None if source is None else read_layer(source, path.stem, findings)
    return None if len(findings) else layer


def _read_organisation_file(path: Path, areas: Areas, findings: Findings) -> Organisation | None:
    if not path.is_file():
        findings.add("FX701", TOP, f"there is no {FILE_NAME}: definitions are checked against it")
        return None
    tree = read_file(path, findings)
    return None if tree is None else read_organisation(tree, findings, areas)


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
    check_answers(parsed)
    reached = check_flow(parsed)
    check_branches(parsed)
    check_promises(parsed, reached)
    check_reopen(parsed)
    check_sent(parsed)
    check_follow_ons(parsed, catalog.offers)
    calendar = NO_HOURS if parsed.redirect else _find_calendar(parsed, catalog)
    if calendar is not None:
        check_warnings(parsed, calendar)
    if catalog.organisation is not None:
        check_city(parsed, catalog.organisation, catalog.areas)
    if len(parsed.findings) or calendar is None:
        return None
    return parsed.finished(calendar)


def _check_file_name(parsed: ParsedDefinition, path: PurePath) -> None:
    if parsed.type is not None and path.stem != parsed.type:
        parsed.add("FX210", f"the type is '{parsed.type}', its file '{path.name}': use one name for both", "type")
    folder = path.parent.name
    if parsed.department is not None and folder and folder != parsed.department:
        message = f"the department is '{parsed.department}', its folder '{folder}': use one name for both"
        parsed.add("FX210", message, "department")


def _find_calendar(parsed: ParsedDefinition, catalog: Catalog) -> WorkingCalendar | None:
    name = parsed.calendar
    if name is None:
        return None
    if name in catalog.broken_calendars:
        parsed.add("FX302", f"the calendar '{name}' has findings of its own", "calendar")
    elif parsed.has("FX302", "calendar", name, catalog.calendars, "calendar", where=" in definitions/calendars"):
        return catalog.calendars[name]
    return None
