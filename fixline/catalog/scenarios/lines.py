"""Reads the lines of a scenario: when, what is done, whether it is refused, what is expected after it.

Owns a line's keys and the making of commands from them. Must not import anything of Fixline but the reading of
sections and the domain.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from fixline.catalog.findings import Place, one_of
from fixline.catalog.scenarios.actions import LINE_KEYS, SUPERVISOR, TASK, VERBS, VERSION, Verb
from fixline.catalog.scenarios.expectations import read_expectations
from fixline.catalog.scenarios.frame import Frame, check_areas, check_step, plain, read_answers
from fixline.catalog.scenarios.model import Action, Line
from fixline.catalog.shape import Section, nearest, section_of
from fixline.catalog.tree import Node
from fixline.domain.definition.model import Definition
from fixline.domain.process.commands import Recategorise
from fixline.domain.process.kinds.human import HumanStep

_UNSAID = "not said"
_ANSWERS = ("answers", "form")


def read_line(node: Node, frame: Frame) -> Line | None:
    """One line; None with findings when it cannot be read."""
    section = section_of(node, "a line of 'then'", frame.findings)
    if section is None:
        return None
    written = [VERBS[name] for name in section.written(VERBS)]
    at = section.text("at")
    moment = frame.instant(at, frame.now) if at else frame.now
    if moment is not None and at is not None and moment < frame.now:
        frame.findings.add("FX803", at.place, "this is before the line above: lines stand in the order of time")
    frame.now = max(moment or frame.now, frame.now)
    refused = section.name("refused")
    expect = read_expectations(section.section("expect"), frame)
    action = _read_action(section, written[0], frame, strict=refused is None) if written else None
    if not written:  # a misspelt action is one finding; what stands beside it is none
        _ = [section.has(key) for verb in VERBS.values() for key in verb.others]
    section.finish("a line of a scenario")
    if len(written) > 1:
        named = one_of([verb.name for verb in written])
        frame.findings.add("FX804", section.owner, f"{named}: a line has one action; write the other in a line below")
    elif not written and LINE_KEYS - {"expect"} >= section.tree.entries.keys():
        frame.findings.add("FX804", section.owner, f"nothing happens here: write an action ({', '.join(VERBS)})")
    if refused and not action:
        frame.findings.add("FX804", refused.place, "only what somebody does can be refused: write the action")
    return Line(node.place, frame.now, action, refused.text if refused else None, expect)


def _read_action(section: Section, verb: Verb, frame: Frame, *, strict: bool) -> Action | None:
    before = len(frame.findings)
    value = section.entry(verb.name)
    _, actor = named = frame.actor(section)
    body: dict[str, Any] = {} if value is None else {verb.value: plain(value.value)}
    for key in verb.others:
        found = section.entry(key)
        if found is not None:
            body[key] = plain(found.value)
            if key == "areas":
                check_areas(found.value, frame)
    task_step = _task_step(section, verb, body, frame, strict=strict)
    target = _target(section, verb, body, frame, strict=strict)
    for key in _ANSWERS:
        if key in body:
            fields = target.intake.questions if target else _fields(task_step, frame)
            body[key] = read_answers(section.section(key), fields, frame.findings, strict=strict)
    if strict:
        _check_outcome(section, task_step, body, frame)
    if not named[0] and not verb.by_crew:
        actor = SUPERVISOR
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
    found = frame.definitions.get(str(body.get(verb.value)))
    if found is None and strict and verb.value in body:
        message = f"there is no type '{body[verb.value]}'{nearest(str(body[verb.value]), frame.definitions)}"
        frame.findings.add("FX805", _place(section, verb.value, verb), message)
    return found


def _task_step(section: Section, verb: Verb, body: dict[str, Any], frame: Frame, *, strict: bool) -> str | None:
    """The step whose task is meant; a finding when no task is ever made for it."""
    if verb.value != TASK or not isinstance(body.get(TASK), str):
        if strict and "step" in body and isinstance(body["step"], str):
            check_step(body["step"], _place(section, "step", verb), frame)
        return None
    step = str(body[TASK])
    if check_step(step, _place(section, TASK, verb), frame):
        if isinstance(frame.definition.steps[step], HumanStep):
            return step
        humans = [name for name, each in frame.definition.steps.items() if isinstance(each, HumanStep)]
        message = f"people do not do step '{step}': there is no task of it{nearest(step, humans)}"
        frame.findings.add("FX805", _place(section, TASK, verb), message)
    return None


def _fields(step: str | None, frame: Frame) -> Any:
    found = frame.definition.steps.get(step or "")
    return found.form if isinstance(found, HumanStep) else frame.definition.fields


def _check_outcome(section: Section, step: str | None, body: dict[str, Any], frame: Frame) -> None:
    found = frame.definition.steps.get(step or "")
    outcome = section.text("outcome") if "outcome" in body else None
    if isinstance(found, HumanStep) and outcome and outcome.text not in found.outcomes:
        message = f"step '{step}' has no outcome '{outcome.text}'{nearest(outcome.text, found.outcomes)}"
        frame.findings.add("FX807", outcome.place, message)


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
