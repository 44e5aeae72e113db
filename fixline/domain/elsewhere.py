"""Steps that wait for somebody else: what is asked when one is entered.

Owns the effects that ask an outside party or a department's system, and what they carry. What they carry is fixed
with the decision: every try sends the same. Contact data is not part of a state, so none can be sent. The answers
are the business of `fixline.domain.replies`. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from fixline.domain.calendar import CalendarExhausted, Span
from fixline.domain.commands import ParentLeft
from fixline.domain.draft import Draft
from fixline.domain.effects import AskAgency, Call, OpenFollowOn
from fixline.domain.steps import (
    DESCRIPTION,
    NO_REPLY,
    PHOTOS,
    PLACE,
    TIMEOUT,
    AgencyStep,
    CallStep,
    FollowOnStep,
)


def ends_at(draft: Draft, span: Span | None) -> datetime | None:
    """When a wait of this length is over by itself; None when it has no limit, or one beyond what a calendar knows."""
    if span is None:
        return None
    try:
        return draft.calendar.add(draft.now, span)
    except CalendarExhausted:
        return None


def ask_agency(draft: Draft, name: str, step: AgencyStep, visit: int) -> None:
    """Cause the message to the outside party: number, type, place, and what the step sends."""
    outcomes, fields = [each for each in step.then if each != NO_REPLY], _fields(draft, (PLACE, *step.send))
    draft.cause(AskAgency(agency=step.agency, step=name, visit=visit, at=draft.now, outcomes=outcomes, fields=fields))


def call_system(draft: Draft, name: str, step: CallStep, visit: int) -> None:
    """Cause the call of the department's system, with what the step sends."""
    outcomes, fields = [each for each in step.then if each != TIMEOUT], _fields(draft, step.send)
    draft.cause(Call(system=step.call, step=name, visit=visit, at=draft.now, outcomes=outcomes, fields=fields))


def open_follow_on(draft: Draft, name: str, step: FollowOnStep, visit: int) -> None:
    """Cause the opening of the follow-on."""
    draft.cause(OpenFollowOn(type=step.follow_on, step=name, visit=visit, at=draft.now))


def tell_follow_ons(draft: Draft, name: str) -> None:
    """A step is left whose follow-on may still be open: it is told that nobody waits for it."""
    for child_id, child in draft.state.children.items():
        position = draft.state.position_of(name)
        if child.status == "open" and child.step == name and position and position.entered_at == child.entered_at:
            draft.tell(child_id, ParentLeft(parent=draft.request_id))


def _fields(draft: Draft, names: Iterable[str]) -> dict[str, Any]:
    """What is sent, by name; null for what the request does not have."""
    state = draft.state
    known = {
        PLACE: state.place.model_dump(exclude={"kind"}) if state.place else None,
        DESCRIPTION: state.description or None,
        PHOTOS: list(state.photos),
    }
    return {name: known[name] if name in known else state.answers.get(name) for name in names}
