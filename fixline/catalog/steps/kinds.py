"""What the kinds of steps share: their words, reserved names, and how `then` and `waiting_as` are written."""

from __future__ import annotations

from collections.abc import Collection
from typing import get_args

from fixline.catalog.grammar import Key, Shape, described, mapped, name_shape, of_section, of_text, section_shape
from fixline.catalog.shape import NAME, Section, Written, check_name, text_of
from fixline.catalog.tree import Mapping, Scalar
from fixline.domain.definition.vocabulary import JOINED, RESERVED_OUTCOMES
from fixline.domain.process.kinds import AnyStep

RESERVED_STEPS = frozenset({"closed", "always", "never", "opened", JOINED})
ON_HOLD = "on_hold"
HUMAN_KINDS = ("dispatch", "inspection", "task")
KINDS = tuple(kind for each in get_args(AnyStep) for kind in get_args(each.model_fields["kind"].annotation))
"""Every kind, in the order in which people are told of them."""
SHARED_KEYS = ("team", "claim_within", "due", "form", "then", "waiting_as", "say")
KIND_WORDS = {
    "dispatch": "Field work, in plain words: the work order goes to a team.",
    "inspection": "Somebody looks, in plain words: a team is given the inspection.",
    "task": "Desk work, in plain words: a call, a decision, a form.",
    "choose": "An automatic step: the first branch whose condition holds is taken at once.",
    "wait": "A step that waits: for a signal, for a span, or until a date that has been answered.",
    "agency": "The outside party that does it, from organisation.yaml; the request waits for its reply.",
    "follow_on": "The type of the request that another department works on; this one waits until that one closes.",
    "together": "Branches that run side by side: each branch with the names of its steps.",
    "call": "The department's own system that is called over HTTP, from organisation.yaml; its answer is the outcome.",
    "notify": "Who is told: a role of organisation.yaml, or reporter; the request goes on at once.",
    "close": "What the request came to: the step closes it.",
}
"""What an editor says of each kind's key."""
STEP_NAME = described(name_shape(), "The step that follows.")


def outcomes_shape(allowed: Collection[str] = ()) -> Shape:
    """Outcomes of one's own with their steps, and of the reserved ones those allowed."""
    return mapped(STEP_NAME, reserved=RESERVED_OUTCOMES - set(allowed), least=1)


def fixed_shape(outcomes: Collection[str], required: Collection[str]) -> Shape:
    """These outcomes with their steps, and no others."""
    return section_shape(dict.fromkeys(outcomes, STEP_NAME), required)


def read_outcomes(body: Section, allowed: Collection[str], refusal: str) -> dict[str, str]:
    """Each outcome with its step; the `refusal` says why a reserved one that is not allowed is none."""
    found: dict[str, str] = {}
    for entry in body.tree:
        if entry.key in RESERVED_OUTCOMES and entry.key not in allowed:
            body.findings.add("FX405", entry.place, f"'{entry.key}' {refusal}: use another name")
        else:
            check_name(entry.key, entry.place, NAME, body.findings)
        target = text_of(entry.value, f"the step after '{entry.key}'", body.findings)
        if target is not None:
            found[entry.key] = target.text
    return found


def answers(own: str, shape: Shape, *, alone: bool = False) -> Key:
    """What others answer, each with its step; `own` is the reserved outcome, `alone` whether it can be the only one."""

    def read(body: Section, section: Section) -> dict[str, str]:
        found = read_outcomes(body, [own], "cannot happen here")
        if not alone and not found.keys() - {own}:
            section.findings.add("FX406", body.tree.place, f"'then' names no outcome but '{own}': name what can come")
        return found

    return of_section(read, shape, {})


def read_fixed(section: Section, outcomes: list[str], what: str, *, by_text: bool = False) -> dict[str, str] | None:
    """The step after each of these outcomes, and no others; with `by_text` the step alone may be written. None after a
    finding that leaves no way on."""
    found = section.entry("then", required=True)
    if found is None:
        return None
    if by_text and isinstance(found.value, Scalar):
        target = text_of(found.value, "'then'", section.findings)
        return {outcomes[0]: target.text} if target else None
    if not isinstance(found.value, Mapping):
        shape = ", ".join(f"{outcome}: step" for outcome in outcomes)
        section.findings.add("FX203", found.value.place, f"'then' of {what} is {{{shape}}}")
        return None
    then: dict[str, str] = {}
    for entry in found.value:
        code = "FX405" if entry.key in RESERVED_OUTCOMES else "FX406"
        message = f"'{entry.key}' cannot happen in {what}"
        if not section.findings.known(code, entry.place, entry.key, outcomes, message):
            continue
        target = text_of(entry.value, f"the step after '{entry.key}'", section.findings)
        if target is not None:
            then[entry.key] = target.text
    for outcome in outcomes:
        if outcome not in found.value.entries:
            section.findings.add("FX406", found.place, f"'{outcome}' leads nowhere: name the step that follows it")
    return then


def _read_waiting_as(written: Written, section: Section) -> str:
    check_name(written.text, written.place, NAME, section.findings)
    if written.text == ON_HOLD:
        section.findings.add("FX207", written.place, f"'{ON_HOLD}' is the state of a request on hold: use another name")
    return written.text


WAITING_AS = of_text(_read_waiting_as, {**name_shape(), "not": {"const": ON_HOLD}})
"""The name of the state in which the request waits."""
