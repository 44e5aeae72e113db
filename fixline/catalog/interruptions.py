"""Checks the sections about what interrupts a request's way: `holds` and `reopen`.

Owns the rules FX450 to FX452, and FX609: a hold's code names a state in which deadlines can pause, so no other state
has its name.
"""

from __future__ import annotations

from fixline.catalog.parsed import ParsedDefinition
from fixline.catalog.reading import Scalar, Sequence
from fixline.catalog.shape import nearest
from fixline.catalog.steps.kinds import ON_HOLD
from fixline.domain.definition.vocabulary import NotifyEvent
from fixline.domain.process.kinds.close import CloseStep
from fixline.domain.process.kinds.together import TogetherStep


def check_reopen(parsed: ParsedDefinition) -> None:
    """A reopened request goes on at a step where something happens, and nobody is promised to be told in vain."""
    if parsed.reopen is not None and parsed.reopen.at:
        _check_at(parsed, parsed.reopen.at)
    node = parsed.node("notify", "reporter")
    for item in node.items if parsed.node("reopen") is None and isinstance(node, Sequence) else ():
        if isinstance(item, Scalar) and item.text == NotifyEvent.REOPENED.value:
            parsed.findings.add(
                "FX452", item.place, "no request of this type is reopened: add 'reopen', or leave it out"
            )


def _in_branches(parsed: ParsedDefinition) -> set[str]:
    together = [step for step in parsed.steps.values() if isinstance(step, TogetherStep)]
    return {name for step in together for steps in step.branches.values() for name in steps}


def _check_at(parsed: ParsedDefinition, name: str) -> None:
    place = parsed.place("reopen", "at")
    if name not in parsed.steps:
        parsed.findings.add("FX308", place, f"there is no step '{name}'{nearest(name, parsed.steps)}")
    elif isinstance(parsed.steps[name], CloseStep):
        message = f"step '{name}' closes the request: a reopened request goes on at a step where work is done"
        parsed.findings.add("FX450", place, message)
    elif name in _in_branches(parsed):
        message = f"step '{name}' runs within a branch: a reopened request goes on at a step of the main way"
        parsed.findings.add("FX450", place, message)


def check_holds(parsed: ParsedDefinition) -> None:
    """A code is not the name of another state."""
    states = {getattr(step, "waiting_as", None) for step in parsed.steps.values()} | {ON_HOLD}
    for code in parsed.holds:
        if code in states:
            whose = "any hold" if code == ON_HOLD else "a step that waits"
            message = f"'{code}' is the state of {whose}: use another code"
            parsed.findings.add("FX609", parsed.key_place("holds", code), message)
