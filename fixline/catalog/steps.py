"""Reads the steps of a definition.

Owns the keys of each kind of step and the outcomes that each kind can have. What needs other steps or other
files is checked later (`flow`, `references`). Must not import anything of Fixline but the reading of
sections and the model.
"""

from __future__ import annotations

from typing import Literal, cast

from fixline.catalog.findings import did_you_mean
from fixline.catalog.forms import read_fields
from fixline.catalog.reading import Mapping, Scalar
from fixline.catalog.shape import NAME, Section, check_name, nearest, place_of, section_of, text_of
from fixline.domain.definition import (
    ChooseBranch,
    ChooseStep,
    CloseOutcome,
    CloseStep,
    HumanStep,
    TeamByArea,
    TeamChoice,
    WaitStep,
)

RESERVED_OUTCOMES = frozenset({"timeout", "no_reply", "not_sampled", "otherwise"})
RESERVED_STEPS = frozenset({"closed", "always", "never", "opened"})
ON_HOLD = "on_hold"
HUMAN_KINDS = ("dispatch", "inspection", "task")
KINDS = (*HUMAN_KINDS, "choose", "wait", "close")
LATER_KINDS = ("agency", "follow_on", "together", "call", "notify")
_LATER_KEYS = (*LATER_KINDS, "sample", "warn_after", "reply_within", "join", "send", "at_most")

_SHARED_KEYS = ("team", "claim_within", "due", "form", "then", "waiting_as", "say")

AnyStep = HumanStep | ChooseStep | WaitStep | CloseStep


def read_steps(section: Section | None) -> dict[str, AnyStep | None]:
    """The steps by name, in order; None stands for a step whose kind cannot be told.

    A human or waiting step without any outcome was refused: its way on is unknown.
    """
    found: dict[str, AnyStep | None] = {}
    if section is None:
        return found
    for entry in section.tree:
        check_name(entry.key, entry.place, NAME, section.findings, RESERVED_STEPS)
        body = section_of(entry.value, f"step '{entry.key}'", section.findings, entry.place)
        found[entry.key] = None if body is None else _read_step(body)
    return found


def _read_step(section: Section) -> AnyStep | None:
    kind = _kind(section)
    if kind is None:
        return None
    if kind == "choose":
        return _read_choose(section)
    if kind == "wait":
        return _read_wait(section)
    if kind == "close":
        return _read_close(section)
    return _read_human(section, kind)


def _kind(section: Section) -> str | None:
    written = [entry for entry in section.tree if entry.key in KINDS]
    if len(written) == 1:
        return written[0].key
    if written:
        message = f"a step is one thing: '{written[0].key}' and '{written[1].key}' exclude each other"
        section.findings.add("FX216", written[1].place, message)
        return None
    for entry in section.tree:
        if entry.key in LATER_KINDS:
            message = f"'{entry.key}' steps are not supported by this release"
            section.findings.add("FX201", entry.place, message)
            return None
    for entry in section.tree:
        near = "" if entry.key in _SHARED_KEYS else did_you_mean(entry.key, KINDS)
        if near:
            section.findings.add("FX201", entry.place, f"a step has no key '{entry.key}'{near}")
            return None
    section.findings.add("FX216", section.owner, f"the step does not say what it is: give one of {', '.join(KINDS)}")
    return None


def _read_human(section: Section, kind: str) -> HumanStep:
    title = section.text(kind, required=True)
    then = _read_then(section)
    step = HumanStep(
        kind=cast(Literal["dispatch", "inspection", "task"], kind),
        title=title.text if title else "",
        team=_read_team(section) or "",
        claim_within=section.span("claim_within"),
        due=section.span("due"),
        form=read_fields(section.section("form"), outcomes=frozenset(then or {})),
        then=then or {},
    )
    section.finish(f"a step of kind {kind}", _LATER_KEYS)
    return step


def _read_then(section: Section) -> dict[str, str] | None:
    """Each outcome with its step; None after a finding that leaves no way on."""
    body = section.section("then", required=True)
    if body is None:
        return None
    if not body.tree.entries:
        section.findings.add("FX406", section.key_place("then"), "'then' is empty: name each outcome and its step")
    found: dict[str, str] = {}
    for entry in body.tree:
        if entry.key in RESERVED_OUTCOMES:
            message = f"'{entry.key}' is no outcome that people can give here: use another name"
            section.findings.add("FX405", entry.place, message)
        else:
            check_name(entry.key, entry.place, NAME, section.findings)
        target = text_of(entry.value, f"the step after '{entry.key}'", section.findings)
        if target is not None:
            found[entry.key] = target.text
    return found


def _read_team(section: Section) -> TeamChoice | None:
    found = section.entry("team", required=True)
    if found is None:
        return None
    if isinstance(found.value, Scalar):
        name = text_of(found.value, "'team'", section.findings)
        return name.text if name else None
    body = section_of(found.value, "'team'", section.findings, found.place)
    if body is None:
        return None
    layer, pattern = body.text("by", required=True), body.text("as", required=True)
    elsewhere = body.text("elsewhere", required=True)
    body.finish("a team chosen by area")
    if layer is None or pattern is None or elsewhere is None:
        return None
    return TeamByArea.model_validate({"by": layer.text, "as": pattern.text, "elsewhere": elsewhere.text})


def _read_choose(section: Section) -> ChooseStep | None:
    branches: list[ChooseBranch] = []
    items = section.items("choose", required=True)
    entries = [section_of(item, "a branch", section.findings) for item in items or ()]
    check_otherwise(section, "choose", "go", entries)
    for body in entries:
        if body is None:
            continue
        when, go = body.text("when"), body.text("go")
        otherwise = body.text("otherwise")
        body.finish("a branch of choose")
        target = otherwise or go
        if when is not None and go is None:
            body.findings.add("FX202", body.owner, "the key 'go' is missing: the step that follows")
        if target is not None:
            branches.append(ChooseBranch(when=when.text if when else None, go=target.text))
    section.finish("a choose step", _LATER_KEYS)
    return ChooseStep(branches=tuple(branches)) if branches else None


def check_otherwise(section: Section, key: str, result: str, entries: list[Section | None]) -> None:
    """A list of conditions ends with the entry that holds otherwise, and only there."""
    for position, body in enumerate(entries):
        if body is None:
            continue
        last = position == len(entries) - 1
        if body.has("otherwise") and body.has(result):
            message = f"'otherwise' has its value itself: leave '{result}' out"
            body.findings.add("FX216", body.key_place(result), message)
        if body.has("otherwise") and body.has("when"):
            message = "'when' and 'otherwise' exclude each other: give each its own entry"
            body.findings.add("FX216", body.key_place("otherwise"), message)
        elif body.has("otherwise") and not last:
            message = "'otherwise' stands last: the entries after it would never be looked at"
            body.findings.add("FX407", body.key_place("otherwise"), message)
        elif not body.has("when") and not body.has("otherwise"):
            body.findings.add("FX202", body.owner, "the key 'when' (or 'otherwise') is missing")
        elif last and not body.has("otherwise"):
            body.findings.add("FX407", body.owner, f"'{key}' ends with an entry 'otherwise'")
    if not entries and section.has(key) and section.items(key) is not None:
        section.findings.add("FX407", section.key_place(key), f"'{key}' ends with an entry 'otherwise'")


def _read_wait(section: Section) -> WaitStep | None:
    body = section.section("wait", required=True)
    waiting_as = section.name("waiting_as")
    if waiting_as is not None and waiting_as.text == ON_HOLD:
        message = f"'{ON_HOLD}' is the state of a request on hold: use another name"
        section.findings.add("FX207", waiting_as.place, message)
    step = None if body is None else _read_wait_for(section, body)
    if step is not None and waiting_as is not None:
        step = step.model_copy(update={"waiting_as": waiting_as.text})
    section.has("then")
    section.finish("a wait step", _LATER_KEYS)
    return step


def _read_wait_for(section: Section, body: Section) -> WaitStep | None:
    signal, at_most, span = body.name("signal"), body.span("at_most"), body.span("span")
    if signal is not None and signal.text in RESERVED_OUTCOMES:
        body.findings.add("FX405", signal.place, f"'{signal.text}' is reserved: give the signal another name")
    exclusive = [key for key in ("signal", "span") if body.has(key)]
    if len(exclusive) != 1:
        place = body.key_place("span") if exclusive else body.owner
        body.findings.add("FX216", place, "a wait has either 'signal' or 'span'")
    elif exclusive == ["span"] and body.has("at_most"):
        message = "'at_most' limits the wait for a signal: a span has its own end"
        body.findings.add("FX216", body.key_place("at_most"), message)
    body.finish("a wait", ("until", "dry"))
    if len(exclusive) != 1:
        return None
    limited = body.has("span") or body.has("at_most")
    outcomes = ([signal.text] if signal else []) + (["timeout"] if limited else [])
    then = _read_wait_then(section, outcomes, by_text=exclusive == ["span"])
    if then is None:
        return None
    return WaitStep(signal=signal.text if signal else None, at_most=at_most, span=span, then=then)


def _read_wait_then(section: Section, outcomes: list[str], *, by_text: bool) -> dict[str, str] | None:
    found = section.entry("then", required=True)
    if found is None:
        return None
    if by_text and isinstance(found.value, Scalar):
        target = text_of(found.value, "'then'", section.findings)
        return {"timeout": target.text} if target else None
    if not isinstance(found.value, Mapping):
        shape = ", ".join(f"{outcome}: step" for outcome in outcomes)
        section.findings.add("FX203", place_of(found.value), f"'then' of this wait is {{{shape}}}")
        return None
    then: dict[str, str] = {}
    for entry in found.value:
        if entry.key not in outcomes:
            code = "FX405" if entry.key in RESERVED_OUTCOMES else "FX406"
            message = f"'{entry.key}' cannot happen in this wait{nearest(entry.key, outcomes)}"
            section.findings.add(code, entry.place, message)
            continue
        target = text_of(entry.value, f"the step after '{entry.key}'", section.findings)
        if target is not None:
            then[entry.key] = target.text
    for outcome in outcomes:
        if outcome not in found.value.entries:
            section.findings.add("FX406", found.place, f"'{outcome}' leads nowhere: name the step that follows it")
    return then


def _read_close(section: Section) -> CloseStep:
    outcome = section.word("close", CloseOutcome, required=True)
    say = section.text("say")
    section.finish("a close step", _LATER_KEYS)
    return CloseStep(outcome=outcome or CloseOutcome.FIXED, say=say.text if say else "")
