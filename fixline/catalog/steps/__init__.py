"""Reads the steps of a definition, a module for each family of kinds.

Owns which kinds there are, and the outcomes that each can have. What needs other steps or other files is
checked later (`flow`, `references`). Must not import anything of Fixline but the reading of sections and
the model.
"""

from __future__ import annotations

from collections.abc import Callable

from fixline.catalog.shape import NAME, Section, check_name, section_of
from fixline.catalog.steps.automatic import read_choose, read_close
from fixline.catalog.steps.human import read_human
from fixline.catalog.steps.kinds import HUMAN_KINDS, KINDS, RESERVED_STEPS, SHARED_KEYS
from fixline.catalog.steps.outside import read_agency, read_call, read_follow_on
from fixline.catalog.steps.together import read_notify, read_together
from fixline.catalog.steps.waiting import read_wait
from fixline.domain.hints import did_you_mean
from fixline.domain.process.kinds import AnyStep

_READERS: dict[str, Callable[[Section], AnyStep | None]] = {
    **dict.fromkeys(HUMAN_KINDS, read_human),
    "choose": read_choose,
    "wait": read_wait,
    "agency": read_agency,
    "follow_on": read_follow_on,
    "call": read_call,
    "together": read_together,
    "notify": read_notify,
    "close": read_close,
}


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
    return _READERS[kind](section)


def _kind(section: Section) -> str | None:
    written = [entry for entry in section.tree if entry.key in KINDS]
    if len(written) == 1:
        return written[0].key
    if written:
        message = f"a step is one thing: '{written[0].key}' and '{written[1].key}' exclude each other"
        section.findings.add("FX216", written[1].place, message)
        return None
    for entry in section.tree:
        near = "" if entry.key in SHARED_KEYS else did_you_mean(entry.key, KINDS)
        if near:
            section.findings.add("FX201", entry.place, f"a step has no key '{entry.key}'{near}")
            return None
    section.findings.add("FX216", section.owner, f"the step does not say what it is: give one of {', '.join(KINDS)}")
    return None
