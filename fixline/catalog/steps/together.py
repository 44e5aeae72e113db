"""Reads the steps that run branches side by side, and those that tell somebody: together, notify.

What the names in them stand for is checked in `fixline.catalog.branches` and `fixline.catalog.references`.
"""

from __future__ import annotations

from enum import StrEnum

from fixline.catalog.shape import NAME, Section, check_name
from fixline.catalog.steps.waiting import read_outcomes_of
from fixline.domain.definition.vocabulary import DONE
from fixline.domain.process.kinds.notify import NotifyStep
from fixline.domain.process.kinds.together import TogetherStep

FEWEST_BRANCHES = 2


class _Join(StrEnum):
    ALL = "all"
    FIRST = "first"


def read_together(section: Section) -> TogetherStep | None:
    """A step whose branches run side by side; None where a branch cannot be told."""
    branches = _read_branches(section)
    join = section.word("join", _Join) or _Join.ALL
    then = read_outcomes_of(section, [DONE], "a together step")
    section.finish("a together step")
    if branches is None or not then:
        return None
    return TogetherStep(branches=branches, join=join.value, then=then)


def _read_branches(section: Section) -> dict[str, tuple[str, ...]] | None:
    body = section.section("together", required=True)
    if body is None:
        return None
    found: dict[str, tuple[str, ...]] = {}
    for entry in body.tree:
        check_name(entry.key, entry.place, NAME, body.findings)
        steps = tuple(written.text for written in body.texts(entry.key))
        if not steps and body.items(entry.key) == ():
            body.findings.add("FX409", entry.place, f"branch '{entry.key}' has no steps: name them, the first first")
        found[entry.key] = steps
    if len(found) < FEWEST_BRANCHES:
        message = f"a together step has at least {FEWEST_BRANCHES} branches: write the steps of one alone"
        body.findings.add("FX409", section.key_place("together"), message)
        return None
    return found if all(found.values()) else None


def read_notify(section: Section) -> NotifyStep | None:
    """A step that tells somebody and goes on at once."""
    role, say = section.name("notify", required=True), section.text("say", required=True)
    then = section.text("then", required=True)
    section.finish("a notify step")
    if then is None:
        return None
    return NotifyStep(role=role.text if role else "", say=say.text if say else "", then=then.text)
