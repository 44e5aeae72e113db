"""Reads and checks the section `holds`: the codes under which requests are put on hold.

Owns rule FX609. A code names a state in which deadlines can pause, so no other state has its name. Must not import
anything of Fixline but the draft and the reading of sections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixline.catalog.shape import NAME, Section, check_name
from fixline.catalog.steps.kinds import ON_HOLD

if TYPE_CHECKING:
    from fixline.catalog.draft import Draft


def read_holds(section: Section | None) -> dict[str, str]:
    """The codes with their titles, in their order; empty when the section is left out."""
    if section is None:
        return {}
    titles = {entry.key: section.text(entry.key, required=True) for entry in section.tree}
    for entry in section.tree:
        check_name(entry.key, entry.place, NAME, section.findings)
    return {code: title.text if title else "" for code, title in titles.items()}


def check_holds(draft: Draft) -> None:
    """A code is not the name of another state."""
    states = {getattr(step, "waiting_as", None) for step in draft.steps.values()} | {ON_HOLD}
    for code in draft.holds:
        if code in states:
            whose = "any hold" if code == ON_HOLD else "a step that waits"
            message = f"'{code}' is the state of {whose}: use another code"
            draft.findings.add("FX609", draft.key_place("holds", code), message)
