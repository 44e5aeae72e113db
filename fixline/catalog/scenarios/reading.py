"""Reads the scenario files beside the definitions: `<type>.scenarios.yaml`.

Owns the keys of a scenario file and of a scenario. A scenario with findings is not played. Must not import anything
of Fixline but the catalog's reading and the domain.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fixline.catalog.catalog import SCENARIOS, Catalog, read_bytes
from fixline.catalog.findings import Finding, Findings
from fixline.catalog.reading import read_tree
from fixline.catalog.scenarios.actions import ACTORS, VERSION, original_of
from fixline.catalog.scenarios.expectations import read_expectations
from fixline.catalog.scenarios.frame import Frame, check_areas, check_step, plain, read_answers
from fixline.catalog.scenarios.instants import first_monday
from fixline.catalog.scenarios.lines import read_line
from fixline.catalog.scenarios.model import Line, Scenario
from fixline.catalog.shape import NAME, Section, check_name, section_of
from fixline.domain.definition.model import Definition, WhenDuplicate
from fixline.domain.process.commands import Open, Role
from fixline.domain.process.kinds.human import HumanStep
from fixline.domain.relations.commands import Original

_PLACE = {"address": "1 Example Street"}
_OPENING = tuple(
    name
    for name in Open.model_fields
    if name not in {"kind", "type", "version", "opened_at", "backlog", "has_contact", "answers", "attach_to"}
)


def scenario_files(root: Path) -> list[Path]:
    """Every scenario file below a definitions folder, in order."""
    found = sorted(root.rglob(f"*{SCENARIOS}")) if root.is_dir() else []
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(root).parts)]


def read_scenarios(path: Path, catalog: Catalog) -> tuple[tuple[Scenario, ...], tuple[Finding, ...]]:
    """The scenarios of one file that can be played, and the file's findings. Never raises."""
    findings = Findings(str(path))
    source = read_bytes(path, findings)
    tree = read_tree(source, findings) if source is not None else None
    if tree is None:
        return (), findings.sorted()
    section = Section(tree, findings)
    definition = _definition(path, section, catalog)
    body = section.section("scenarios", required=True)
    section.finish("a scenario file")
    if body is not None and not body.tree.entries:
        findings.add("FX810", section.key_place("scenarios"), "there is no scenario in this file")
    found = []
    for entry in body.tree if body and definition else ():
        check_name(entry.key, entry.place, NAME, findings)
        scenario = section_of(entry.value, f"scenario '{entry.key}'", findings, entry.place)
        if scenario is not None and definition is not None:
            found.append(_read_scenario(entry.key, scenario, definition, catalog))
    return tuple(each for each in found if each is not None), findings.sorted()


def check_scenarios(root: Path, catalog: Catalog) -> tuple[Finding, ...]:
    """The findings of every scenario file below a definitions folder."""
    return tuple(found for path in scenario_files(root) for found in read_scenarios(path, catalog)[1])


def _definition(path: Path, section: Section, catalog: Catalog) -> Definition | None:
    """The definition beside the file; None, and perhaps a finding, when there is none that can be used."""
    named = section.text("type", required=True)
    stem = path.name.removesuffix(SCENARIOS)
    if named is not None and named.text != stem:
        message = f"the type is '{named.text}', the file '{path.name}': use one name for both"
        section.findings.add("FX801", named.place, message)
        return None
    if not path.with_name(f"{stem}.yaml").is_file():
        section.findings.add("FX801", section.key_place("type"), f"there is no definition {stem}.yaml beside this file")
        return None
    definition = catalog.definitions.get(stem)
    return definition if definition is not None and definition.department == path.parent.name else None


def _read_scenario(name: str, section: Section, definition: Definition, catalog: Catalog) -> Scenario | None:
    findings, before = section.findings, len(section.findings)
    monday = first_monday(definition.calendar)
    frame = Frame(definition, catalog.definitions, catalog.organisation, catalog.areas, findings, monday, monday)
    at = section.text("opened", required=True)
    opened_at = (frame.instant(at, monday) if at else None) or monday
    frame.opened_at = frame.now = opened_at
    refused = section.name("refused")
    opened = _read_opening(section, definition, catalog, frame, refused.text if refused else None)
    _, actor = frame.actor(section)
    section.text("about")
    sampled = _read_sampled(section, frame)
    lines = _read_lines(section, frame)
    section.finish(f"scenario '{name}'")
    expects = any(line.expect or line.refused for line in lines) or refused is not None
    if not expects and len(findings) == before:
        findings.add("FX810", section.owner, f"scenario '{name}' expects nothing: add 'expect', such as closed: fixed")
    if opened is None or len(findings) > before:
        return None
    return Scenario(
        file=findings.file,
        type=definition.type,
        name=name,
        place=section.owner,
        opened_at=opened_at,
        opened=opened,
        actor=actor or ACTORS[Role.SERVICE],
        refused=refused.text if refused else None,
        lines=lines,
        sampled=sampled,
    )


def _read_sampled(section: Section, frame: Frame) -> frozenset[str]:
    """The names of sampled inspections."""
    found = set()
    for name in section.texts("sampled"):
        if not check_step(name.text, name.place, frame):
            continue
        step = frame.definition.steps[name.text]
        if not isinstance(step, HumanStep) or step.sample is None:
            frame.findings.add("FX805", name.place, f"step '{name.text}' has no 'sample': it takes place every time")
        found.add(name.text)
    return frozenset(found)


def _read_lines(section: Section, frame: Frame) -> tuple[Line, ...]:
    """The lines of `then`, and the last look that `expect` takes when they are over."""
    read = [read_line(node, frame) for node in section.items("then") or ()]
    lines = [line for line in read if line is not None]
    expect = read_expectations(section.section("expect"), frame)
    if expect:
        last = Line(section.key_place("expect"), frame.now, expect=expect)
        return (*lines, last)
    return tuple(lines)


def _read_opening(
    section: Section, definition: Definition, catalog: Catalog, frame: Frame, refused: str | None
) -> Open | None:
    """The opening; it has a place of its own unless that is what it is refused for."""
    answers = section.section("answers")
    fields = definition.intake.questions
    body: dict[str, Any] = {"answers": read_answers(answers, fields, frame.findings, strict=refused is None)}
    for key in _OPENING:
        found = section.entry(key)
        if found is not None:
            body[key] = plain(found.value)
            if key == "areas":
                check_areas(found.value, frame)
    if refused != "location_missing" and definition.intake.location == "required":
        body.setdefault("place", _PLACE)
    if section.has("attached") and section.switch("attached"):
        body["attach_to"] = _original(section, definition, frame)
    body["has_contact"] = not section.has("contact") or section.switch("contact")
    try:
        opened = Open.model_validate({"type": definition.type, "version": VERSION, **body})
    except ValidationError as problem:
        for error in problem.errors():
            found = section.tree.entries.get(str(error["loc"][0])) if error["loc"] else None
            key, place = (found.key, found.value.place) if found else ("opened", section.owner)
            frame.findings.add("FX805", place, f"'{key}': {error['msg']}")
        return None
    return _located(opened, catalog)


def _original(section: Section, definition: Definition, frame: Frame) -> Original:
    """The older request to which the report is attached; a finding where the definition attaches none."""
    rules = definition.intake.duplicates
    if rules is None or rules.then is not WhenDuplicate.ATTACH:
        message = "this type attaches no report: that is 'duplicates' with 'then: attach'"
        frame.findings.add("FX805", section.key_place("attached"), message)
    return original_of(frame.opened_at)


def _located(opened: Open, catalog: Catalog) -> Open:
    """The opening with the areas that its point lies in, unless areas are given."""
    at = opened.place
    if opened.areas or at is None or at.latitude is None or at.longitude is None:
        return opened
    return opened.model_copy(update={"areas": catalog.areas.locate(at.latitude, at.longitude)})
