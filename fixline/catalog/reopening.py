"""Reads and checks the section `reopen`.

Owns its keys and the rules FX450 to FX452. Must not import anything of Fixline but the draft, the reading of
sections and the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixline.catalog.reading import Scalar, Sequence
from fixline.catalog.shape import Section, nearest, word_of
from fixline.domain.calendar import Span
from fixline.domain.definition import NotifyEvent, Reopen, ReopenedBy
from fixline.domain.steps import CloseStep, TogetherStep

if TYPE_CHECKING:
    from fixline.catalog.draft import Draft

_PLACEHOLDER = Span.parse("1 calendar day")


def read_reopen(section: Section | None) -> Reopen | None:
    """The section; values that cannot be read are replaced after their finding."""
    if section is None:
        return None
    listed = section.items("by", required=True)
    words = [word_of(written, ReopenedBy, section.findings) for written in section.texts("by")] if listed else []
    if listed is not None and not listed:
        section.findings.add("FX451", section.key_place("by"), "'by' names nobody: write reporter, supervisor or both")
    within = section.span("within", required=True)
    at = section.text("at", required=True)
    section.finish("'reopen'")
    by = tuple(word for word in words if word is not None)
    return Reopen(by=by, within=within or _PLACEHOLDER, at=at.text if at else "")


def check_reopen(draft: Draft) -> None:
    """A reopened request goes on at a step where something happens, and nobody is promised to be told in vain."""
    if draft.reopen is not None and draft.reopen.at:
        _check_at(draft, draft.reopen.at)
    node = draft.node("notify", "reporter")
    for item in node.items if draft.node("reopen") is None and isinstance(node, Sequence) else ():
        if isinstance(item, Scalar) and item.text == NotifyEvent.REOPENED.value:
            draft.findings.add(
                "FX452", item.place, "no request of this type is reopened: add 'reopen', or leave it out"
            )


def _in_branches(draft: Draft) -> set[str]:
    together = [step for step in draft.steps.values() if isinstance(step, TogetherStep)]
    return {name for step in together for steps in step.branches.values() for name in steps}


def _check_at(draft: Draft, name: str) -> None:
    place = draft.place("reopen", "at")
    if name not in draft.steps:
        draft.findings.add("FX308", place, f"there is no step '{name}'{nearest(name, draft.steps)}")
    elif isinstance(draft.steps[name], CloseStep):
        message = f"step '{name}' closes the request: a reopened request goes on at a step where work is done"
        draft.findings.add("FX450", place, message)
    elif name in _in_branches(draft):
        message = f"step '{name}' runs within a branch: a reopened request goes on at a step of the main way"
        draft.findings.add("FX450", place, message)
