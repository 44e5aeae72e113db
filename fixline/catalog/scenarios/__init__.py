"""Scenario files beside the definitions (`<type>.scenarios.yaml`): stories of one request, with what is expected. The
keys of a file, of a scenario and of its lines, and the making of commands. A scenario with findings is not played."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from fixline.catalog.catalog import SCENARIOS, Catalog, read_file
from fixline.catalog.findings import Finding, Findings, Place, one_of
from fixline.catalog.scenarios import model
from fixline.catalog.scenarios.expectations import read_expectations
from fixline.catalog.scenarios.frame import Frame, check_step, read_answers, read_values
from fixline.catalog.scenarios.instants import first_monday
from fixline.catalog.scenarios.model import TASK, VERBS, VERSION, Action, Line, Scenario, Verb
from fixline.catalog.shape import NAME, Section, check_name, section_of
from fixline.catalog.tree import Node
from fixline.domain.definition.model import Definition, WhenDuplicate
from fixline.domain.process.commands import Open, Recategorise, Role
from fixline.domain.process.kinds.human import HumanStep

_PLACE = {"address": "1 Example Street"}
_UNSAID = "not said"
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
    tree = read_file(path, findings)
    if tree is None:
        return (), findings.sorted()
    section = Section(tree, findings)
    definition = _definition(path, section, catalog)
    body = section.section("scenarios", required=True)
    section.finish("a scenario file")
    if body is not None and not body.tree.entries:
        section.add("FX810", "there is no scenario in this file", "scenarios")
    found = []
    if body is not None and definition is not None:
        found = [_read_scenario(name, each, definition, catalog) for name, each in body.named("scenario '{}'")]
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
        section.add("FX801", f"there is no definition {stem}.yaml beside this file", "type")
        return None
    definition = catalog.definitions.get(stem)
    return definition if definition is not None and definition.department == path.parent.name else None


def _read_scenario(name: str, section: Section, definition: Definition, catalog: Catalog) -> Scenario | None:
    findings, before = section.findings, len(section.findings)
    monday = first_monday(definition.calendar)
    frame = Frame(definition, catalog, findings, monday, monday)
    at = section.text("opened", required=True)
    opened_at = (frame.instant(at, monday) if at else None) or monday
    frame.opened_at = frame.now = opened_at
    refused = _refused(section)
    opened = _read_opening(section, frame, refused)
    actor = frame.actor(section, None) or model.ACTORS[Role.SERVICE]
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
        actor=actor,
        refused=refused,
        lines=lines,
        sampled=sampled,
    )


def _refused(section: Section) -> str | None:
    found = section.text("refused")
    if found is None:
        return None
    check_name(found.text, found.place, NAME, section.findings)
    return found.text


def _read_opening(section: Section, frame: Frame, refused: str | None) -> Open | None:
    """The opening; it has a place of its own unless that is what it is refused for, and the areas that its point lies
    in unless areas are given."""
    intake = frame.definition.intake
    answers = read_answers(section.section("answers"), intake.questions, frame, strict=refused is None)
    body = {"answers": answers, **read_values(section, _OPENING, frame)}
    if refused != "location_missing" and intake.location == "required":
        body.setdefault("place", _PLACE)
    if section.has("attached") and section.switch("attached"):
        if intake.duplicates is None or intake.duplicates.then is not WhenDuplicate.ATTACH:
            message = "this type attaches no report: that is 'duplicates' with 'then: attach'"
            section.add("FX805", message, "attached")
        body["attach_to"] = model.original_of(frame.opened_at)
    body["has_contact"] = not section.has("contact") or section.switch("contact")
    try:
        opened = Open.model_validate({"type": frame.definition.type, "version": VERSION, **body})
    except ValidationError as problem:
        for error in problem.errors():
            found = section.tree.entries.get(str(error["loc"][0])) if error["loc"] else None
            key, place = (found.key, found.value.place) if found else ("opened", section.owner)
            frame.findings.add("FX805", place, f"'{key}': {error['msg']}")
        return None
    at = opened.place
    if opened.areas or at is None or at.latitude is None or at.longitude is None:
        return opened
    return opened.model_copy(update={"areas": frame.catalog.areas.locate(at.latitude, at.longitude)})


def _read_sampled(section: Section, frame: Frame) -> frozenset[str]:
    names = section.texts("sampled")
    for name in names:
        step = frame.definition.steps.get(name.text)
        if check_step(name.text, name.place, frame) and (not isinstance(step, HumanStep) or step.sample is None):
            frame.findings.add("FX805", name.place, f"step '{name.text}' has no 'sample': it takes place every time")
    return frozenset(name.text for name in names)


def _read_lines(section: Section, frame: Frame) -> tuple[Line, ...]:
    """The lines of `then`, and the last look that `expect` takes when they are over."""
    read = [_read_line(node, frame) for node in section.items("then") or ()]
    expect = read_expectations(section.section("expect"), frame)
    last = Line(section.key_place("expect"), frame.now, expect=expect) if expect else None
    return tuple(line for line in (*read, last) if line is not None)


def _read_line(node: Node, frame: Frame) -> Line | None:
    """One line; None with findings when it cannot be read."""
    section = section_of(node, "a line of 'then'", frame.findings)
    if section is None:
        return None
    written = [VERBS[name] for name in section.written(VERBS)]
    at = section.text("at")
    moment = (frame.instant(at, frame.now) if at else None) or frame.now
    if at is not None and moment < frame.now:
        frame.findings.add("FX803", at.place, "this is before the line above: lines stand in the order of time")
    frame.now = max(moment, frame.now)
    refused = _refused(section)
    expect = read_expectations(section.section("expect"), frame)
    action = _read_action(section, written[0], frame, strict=refused is None) if written else None
    if not written:  # a misspelt action is one finding; what stands beside it is none
        _ = [section.has(key) for verb in VERBS.values() for key in verb.others]
    section.finish("a line of a scenario")
    if len(written) > 1:
        named = one_of([verb.name for verb in written])
        section.add("FX804", f"{named}: a line has one action; write the other in a line below")
    elif not written and model.LINE_KEYS - {"expect"} >= section.tree.entries.keys():
        section.add("FX804", f"nothing happens here: write an action ({', '.join(VERBS)})")
    if refused and not action:
        place = section.tree.entries["refused"].value.place
        frame.findings.add("FX804", place, "only what somebody does can be refused: write the action")
    return Line(node.place, frame.now, action, refused, expect)


def _read_action(section: Section, verb: Verb, frame: Frame, *, strict: bool) -> Action | None:
    before = len(frame.findings)
    by_crew = verb.value == TASK and verb.command.model_fields[TASK].is_required()  # whoever has the task does it
    actor = frame.actor(section, None if by_crew else model.SUPERVISOR)
    body = read_values(section, (verb.name, *verb.others), frame)
    if verb.name in body:
        body[verb.value] = body.pop(verb.name)
    task_step = _task_step(section, verb, body, frame, strict=strict)
    target = _target(section, verb, body, frame, strict=strict)
    step = frame.definition.steps.get(task_step or "")
    for key in ("answers", "form"):
        if key in body:
            fields = step.form if isinstance(step, HumanStep) else frame.definition.fields
            asked = target.intake.questions if target else fields
            body[key] = read_answers(section.section(key), asked, frame, strict=strict)
    outcome = section.text("outcome") if strict and "outcome" in body else None
    if isinstance(step, HumanStep) and outcome:
        message = f"step '{task_step}' has no outcome '{outcome.text}'"
        frame.findings.known("FX807", outcome.place, outcome.text, step.outcomes, message)
    command = _command(section, verb, body, frame)
    if command is None or len(frame.findings) > before:
        return None
    if target is not None and strict:
        frame.definition = target
    return Action(command, actor, task_step, _text(verb, body), target)  # type: ignore[arg-type]


def _target(section: Section, verb: Verb, body: dict[str, Any], frame: Frame, *, strict: bool) -> Definition | None:
    """The definition of the type to which the request is recategorised; a finding when there is none."""
    if verb.command is not Recategorise:
        return None
    body["version"] = VERSION
    name, types = str(body.get(verb.value)), frame.catalog.definitions
    if strict and verb.value in body:
        frame.findings.known("FX805", _place(section, verb.value, verb), name, types, f"there is no type '{name}'")
    return types.get(name)


def _task_step(section: Section, verb: Verb, body: dict[str, Any], frame: Frame, *, strict: bool) -> str | None:
    """The step whose task is meant; a finding when no task is ever made for it."""
    if verb.value != TASK or not isinstance(body.get(TASK), str):
        if strict and isinstance(body.get("step"), str):
            check_step(body["step"], _place(section, "step", verb), frame)
        return None
    step, place = str(body[TASK]), _place(section, TASK, verb)
    humans = [name for name, each in frame.definition.steps.items() if isinstance(each, HumanStep)]
    message = f"people do not do step '{step}': there is no task of it"
    if check_step(step, place, frame) and frame.findings.known("FX805", place, step, humans, message):
        return step
    return None


def _command(section: Section, verb: Verb, body: dict[str, Any], frame: Frame) -> BaseModel | None:
    """The command; its text fields are read from what is written, a reason that is not given is said to be so."""
    reason = verb.command.model_fields.get("reason")
    if reason is not None and reason.is_required():
        body.setdefault("reason", _UNSAID)
    try:
        return verb.command.model_validate(body)
    except ValidationError as problem:
        for error in problem.errors():
            key = str(error["loc"][0]) if error["loc"] else verb.value
            shown = verb.name if key == verb.value else key
            what = f"'{verb.name}' needs '{key}'" if error["type"] == "missing" else f"'{shown}': {error['msg']}"
            frame.findings.add("FX805", _place(section, key, verb), what)
    return None


def _place(section: Section, key: str, verb: Verb) -> Place:
    found = section.tree.entries.get(verb.name if key == verb.value else key)
    return found.value.place if found else section.key_place(verb.name)


def _text(verb: Verb, body: dict[str, Any]) -> str:
    """The action in few words: 'complete inspect: pothole'."""
    value = body.get(verb.value)
    outcome = f": {body['outcome']}" if "outcome" in body and verb.value != "outcome" else ""
    said = f" {value}" if isinstance(value, str) and value != _UNSAID else ""
    return f"{verb.name.replace('_', ' ')}{said}{outcome}"
