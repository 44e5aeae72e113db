"""Reads the steps that wait: for a signal, for a span, until a date."""

from __future__ import annotations

from fixline.catalog.reading import Mapping, Scalar
from fixline.catalog.shape import Section, nearest, place_of, text_of
from fixline.catalog.steps.kinds import ON_HOLD
from fixline.domain.definition.vocabulary import RESERVED_OUTCOMES
from fixline.domain.process.kinds.wait import WaitStep


def read_wait(section: Section) -> WaitStep | None:
    """A step that waits."""
    body = section.section("wait", required=True)
    waiting_as = section.name("waiting_as")
    if waiting_as is not None and waiting_as.text == ON_HOLD:
        message = f"'{ON_HOLD}' is the state of a request on hold: use another name"
        section.findings.add("FX207", waiting_as.place, message)
    step = None if body is None else _read_wait_for(section, body)
    if step is not None and waiting_as is not None:
        step = step.model_copy(update={"waiting_as": waiting_as.text})
    section.has("then")
    section.finish("a wait step")
    return step


def _read_wait_for(section: Section, body: Section) -> WaitStep | None:
    signal, at_most, span = body.name("signal"), body.span("at_most"), body.span("span")
    until = body.name("until")
    if signal is not None and signal.text in RESERVED_OUTCOMES:
        body.findings.add("FX405", signal.place, f"'{signal.text}' is reserved: give the signal another name")
    exclusive = [key for key in ("signal", "span", "until") if body.has(key)]
    if len(exclusive) != 1:
        place = body.key_place(exclusive[1]) if exclusive else body.owner
        body.findings.add("FX216", place, "a wait has one of 'signal', 'span' and 'until'")
    elif exclusive != ["signal"] and body.has("at_most"):
        message = f"'at_most' limits the wait for a signal: '{exclusive[0]}' has its own end"
        body.findings.add("FX216", body.key_place("at_most"), message)
    body.finish("a wait")
    if len(exclusive) != 1:
        return None
    limited = exclusive != ["signal"] or body.has("at_most")
    outcomes = ([signal.text] if signal else []) + (["timeout"] if limited else [])
    then = read_outcomes_of(section, outcomes, "this wait", by_text=exclusive != ["signal"])
    if then is None:
        return None
    return WaitStep(
        signal=signal.text if signal else None,
        at_most=at_most,
        span=span,
        until=until.text if until else None,
        then=then,
    )


def read_outcomes_of(
    section: Section, outcomes: list[str], what: str, *, by_text: bool = False
) -> dict[str, str] | None:
    """The step after each of these outcomes, and no others; with `by_text` the step alone may be written.

    None after a finding that leaves no way on.
    """
    found = section.entry("then", required=True)
    if found is None:
        return None
    if by_text and isinstance(found.value, Scalar):
        target = text_of(found.value, "'then'", section.findings)
        return {outcomes[0]: target.text} if target else None
    if not isinstance(found.value, Mapping):
        shape = ", ".join(f"{outcome}: step" for outcome in outcomes)
        section.findings.add("FX203", place_of(found.value), f"'then' of {what} is {{{shape}}}")
        return None
    then: dict[str, str] = {}
    for entry in found.value:
        if entry.key not in outcomes:
            code = "FX405" if entry.key in RESERVED_OUTCOMES else "FX406"
            message = f"'{entry.key}' cannot happen in {what}{nearest(entry.key, outcomes)}"
            section.findings.add(code, entry.place, message)
            continue
        target = text_of(entry.value, f"the step after '{entry.key}'", section.findings)
        if target is not None:
            then[entry.key] = target.text
    for outcome in outcomes:
        if outcome not in found.value.entries:
            section.findings.add("FX406", found.place, f"'{outcome}' leads nowhere: name the step that follows it")
    return then
