"""Checks the steps that wait for somebody else against the city and the answers.

Owns the rules FX310, FX311, FX313 and FX431. Must not import anything of Fixline but the draft, the organisation and
the model.
"""

from __future__ import annotations

from fixline.catalog.draft import Draft
from fixline.catalog.organisation import Organisation
from fixline.catalog.reading import Scalar, Sequence
from fixline.catalog.shape import nearest
from fixline.domain.steps import SENDABLE, AgencyStep, CallStep

_CONTACT = frozenset({"contact", "reporter", "name", "email", "phone"})


def check_outside(draft: Draft, organisation: Organisation) -> None:
    """Agencies and systems exist, and one that never answers has an end to the wait."""
    for name, step in draft.steps.items():
        if isinstance(step, AgencyStep) and step.agency:
            _check_agency(draft, name, step, organisation)
        elif isinstance(step, CallStep) and step.call and step.call not in organisation.systems:
            near = nearest(step.call, organisation.systems)
            message = f"there is no system '{step.call}' in organisation.yaml{near}"
            draft.findings.add("FX311", draft.place("steps", name, "call"), message)


def _check_agency(draft: Draft, name: str, step: AgencyStep, organisation: Organisation) -> None:
    agency = organisation.agencies.get(step.agency)
    if agency is None:
        near = nearest(step.agency, organisation.agencies)
        message = f"there is no agency '{step.agency}' in organisation.yaml{near}"
        draft.findings.add("FX310", draft.place("steps", name, "agency"), message)
    elif not agency.reports_back and draft.node("steps", name, "reply_within") is None:
        message = f"'{step.agency}' does not report back: give 'reply_within', and 'no_reply' in 'then'"
        draft.findings.add("FX431", draft.key_place("steps", name, "agency"), message)


def check_sent(draft: Draft) -> None:
    """What is sent is a fact of the request or an answer that can be there."""
    names = [*SENDABLE, *draft.fields]
    for step in draft.steps:
        node = draft.node("steps", step, "send")
        for item in node.items if isinstance(node, Sequence) else ():
            if not isinstance(item, Scalar) or not item.text.strip() or item.text in names:
                continue
            message = f"nothing is called '{item.text}'{nearest(item.text, names)}"
            if item.text in _CONTACT:
                message = f"'{item.text}' cannot be sent: how to reach whoever reported is never given away"
            draft.findings.add("FX313", item.place, message)
