"""Reads the steps that wait for somebody else: agency, follow_on, call.

What they name in organisation.yaml and in the answers is checked in `fixline.catalog.asked_outside`, what a follow-on
is in `fixline.catalog.follow_ons`.
"""

from __future__ import annotations

from fixline.catalog.reading import Mapping
from fixline.catalog.shape import NAME, Section, check_name, place_of, text_of
from fixline.catalog.steps.kinds import ON_HOLD
from fixline.domain.deadlines.calendar import Span, Unit
from fixline.domain.definition.vocabulary import NO_REPLY, OTHERWISE, RESERVED_OUTCOMES, TIMEOUT
from fixline.domain.process.kinds.agency import AgencyStep
from fixline.domain.process.kinds.call import CallStep
from fixline.domain.process.kinds.follow_on import FollowOnStep


def read_agency(section: Section) -> AgencyStep:
    """A step that an outside party carries out."""
    agency = section.text("agency", required=True)
    step = AgencyStep(
        agency=agency.text if agency else "",
        send=_read_send(section),
        waiting_as=read_waiting_as(section),
        reply_within=section.span("reply_within"),
        then=read_outcomes(section, own=NO_REPLY) or {},
    )
    _check_no_reply(section, step)
    section.finish("an agency step")
    return step


def _check_no_reply(section: Section, step: AgencyStep) -> None:
    """no_reply is what comes of `reply_within`, and of nothing else."""
    if step.then and section.has("reply_within") and NO_REPLY not in step.then:
        message = f"'reply_within' leads to '{NO_REPLY}': name the step that follows it"
        section.findings.add("FX430", section.key_place("then"), message)
    then = section.tree.entries.get("then")
    if NO_REPLY in step.then and not section.has("reply_within") and then and isinstance(then.value, Mapping):
        message = f"'{NO_REPLY}' cannot happen without 'reply_within'"
        section.findings.add("FX430", then.value.entries[NO_REPLY].place, message)


def read_follow_on(section: Section) -> FollowOnStep:
    """A step that another department carries out, as a request of its own."""
    follow_on = section.text("follow_on", required=True)
    waiting_as = read_waiting_as(section)
    then = read_outcomes(section, own=OTHERWISE, alone=True)
    if then is not None and OTHERWISE not in then:
        message = f"'{OTHERWISE}' leads nowhere: a follow-on that cannot be opened, or ends another way, goes on there"
        section.findings.add("FX432", section.key_place("then"), message)
    section.finish("a follow_on step")
    return FollowOnStep(follow_on=follow_on.text if follow_on else "", waiting_as=waiting_as, then=then or {})


def read_call(section: Section) -> CallStep:
    """A step in which a department's own system is asked."""
    system = section.text("call", required=True)
    at_most = section.span("at_most", required=True)
    step = CallStep(
        call=system.text if system else "",
        send=_read_send(section),
        at_most=at_most or Span(count=1, unit=Unit.CALENDAR_HOURS),
        waiting_as=read_waiting_as(section),
        then=read_outcomes(section, own=TIMEOUT) or {},
    )
    if step.then and TIMEOUT not in step.then:
        message = f"'{TIMEOUT}' leads nowhere: name the step that follows it"
        section.findings.add("FX406", section.key_place("then"), message)
    section.finish("a call step")
    return step


def _read_send(section: Section) -> tuple[str, ...]:
    return tuple(name.text for name in section.texts("send"))


def read_waiting_as(section: Section) -> str | None:
    """The name of the state in which the request waits."""
    waiting_as = section.name("waiting_as")
    if waiting_as is None:
        return None
    if waiting_as.text == ON_HOLD:
        message = f"'{ON_HOLD}' is the state of a request on hold: use another name"
        section.findings.add("FX207", waiting_as.place, message)
    return waiting_as.text


def read_outcomes(section: Section, own: str, *, alone: bool = False) -> dict[str, str] | None:
    """Each outcome with its step; `own` is the reserved one that the step can have, `alone` whether it can be the only
    one. None: no way on is known.
    """
    body = section.section("then", required=True)
    if body is None:
        return None
    found: dict[str, str] = {}
    for entry in body.tree:
        if entry.key in RESERVED_OUTCOMES and entry.key != own:
            section.findings.add("FX405", entry.place, f"'{entry.key}' cannot happen here: use another name")
        else:
            check_name(entry.key, entry.place, NAME, section.findings)
        target = text_of(entry.value, f"the step after '{entry.key}'", section.findings)
        if target is not None:
            found[entry.key] = target.text
    if not alone and not [outcome for outcome in found if outcome != own]:
        section.findings.add("FX406", place_of(body.tree), f"'then' names no outcome but '{own}': name what can come")
    return found
