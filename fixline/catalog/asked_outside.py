"""Checks the steps that wait for somebody else against the city and the answers.

Owns the rules FX310, FX311, FX313 and FX431. Must not import anything of Fixline but the parsed, the organisation and
the model.
"""

from __future__ import annotations

from fixline.catalog.organisation import Organisation
from fixline.catalog.parsed import ParsedDefinition
from fixline.catalog.reading import Scalar, Sequence
from fixline.catalog.shape import nearest
from fixline.domain.definition.vocabulary import SENDABLE
from fixline.domain.process.kinds.agency import AgencyStep
from fixline.domain.process.kinds.call import CallStep

_CONTACT = frozenset({"contact", "reporter", "name", "email", "phone"})


def check_outside(parsed: ParsedDefinition, organisation: Organisation) -> None:
    """Agencies and systems exist, and one that never answers has an end to the wait."""
    for name, step in parsed.steps.items():
        if isinstance(step, AgencyStep) and step.agency:
            _check_agency(parsed, name, step, organisation)
        elif isinstance(step, CallStep) and step.call and step.call not in organisation.systems:
            near = nearest(step.call, organisation.systems)
            message = f"there is no system '{step.call}' in organisation.yaml{near}"
            parsed.findings.add("FX311", parsed.place("steps", name, "call"), message)


def _check_agency(parsed: ParsedDefinition, name: str, step: AgencyStep, organisation: Organisation) -> None:
    agency = organisation.agencies.get(step.agency)
    if agency is None:
        near = nearest(step.agency, organisation.agencies)
        message = f"there is no agency '{step.agency}' in organisation.yaml{near}"
        parsed.findings.add("FX310", parsed.place("steps", name, "agency"), message)
    elif not agency.reports_back and parsed.node("steps", name, "reply_within") is None:
        message = f"'{step.agency}' does not report back: give 'reply_within', and 'no_reply' in 'then'"
        parsed.findings.add("FX431", parsed.key_place("steps", name, "agency"), message)


def check_sent(parsed: ParsedDefinition) -> None:
    """What is sent is a fact of the request or an answer that can be there."""
    names = [*SENDABLE, *parsed.fields]
    for step in parsed.steps:
        node = parsed.node("steps", step, "send")
        for item in node.items if isinstance(node, Sequence) else ():
            if not isinstance(item, Scalar) or not item.text.strip() or item.text in names:
                continue
            message = f"nothing is called '{item.text}'{nearest(item.text, names)}"
            if item.text in _CONTACT:
                message = f"'{item.text}' cannot be sent: how to reach whoever reported is never given away"
            parsed.findings.add("FX313", item.place, message)
