"""Steps that wait for somebody else: agency, follow_on, call. What they name in organisation.yaml and in the answers is
checked in `fixline.catalog.references`, what a follow-on is in `fixline.catalog.follow_ons`."""

from __future__ import annotations

from fixline.catalog.grammar import Grammar, Values, name_shape, reference, texts
from fixline.catalog.shape import KEY, Section
from fixline.catalog.steps.kinds import WAITING_AS, answers, fixed_shape, outcomes_shape
from fixline.catalog.tree import Mapping
from fixline.domain.definition.vocabulary import NO_REPLY, OTHERWISE, TIMEOUT, CloseOutcome
from fixline.domain.process.kinds import AgencyStep, CallStep, FollowOnStep

_SEND = texts(name_shape())
_REPLIED = {
    "allOf": [
        {
            "if": {"not": {"required": ["reply_within"]}},
            "else": {"properties": {"then": {"required": [NO_REPLY], "minProperties": 2}}},
        },
        {"if": {"required": ["reply_within"]}, "else": {"properties": {"then": {"not": {"required": [NO_REPLY]}}}}},
    ]
}


def _check_no_reply(section: Section, found: Values) -> None:
    """no_reply is an outcome exactly when there is `reply_within`."""
    outcomes = found.get("then", {})
    if outcomes and section.has("reply_within") and NO_REPLY not in outcomes:
        section.add("FX430", f"'reply_within' leads to '{NO_REPLY}': name the step that follows it", "then")
    then = section.tree.entries.get("then")
    if NO_REPLY in outcomes and not section.has("reply_within") and then and isinstance(then.value, Mapping):
        message = f"'{NO_REPLY}' cannot happen without 'reply_within'"
        section.findings.add("FX430", then.value.entries[NO_REPLY].place, message)


def _check_otherwise(section: Section, found: Values) -> None:
    if OTHERWISE not in found.get("then", {OTHERWISE}):
        message = f"'{OTHERWISE}' leads nowhere: a follow-on that cannot be opened, or ends another way, goes on there"
        section.add("FX432", message, "then")


def _check_timeout(section: Section, found: Values) -> None:
    if TIMEOUT not in (found.get("then") or {TIMEOUT}):
        section.add("FX406", f"'{TIMEOUT}' leads nowhere: name the step that follows it", "then")


AGENCY = Grammar(
    AgencyStep,
    "an agency step",
    {
        "waiting_as": WAITING_AS,
        "agency": reference(KEY),
        "send": _SEND,
        "then": answers(NO_REPLY, outcomes_shape([NO_REPLY])),
    },
    check=_check_no_reply,
    beside=_REPLIED,
)
FOLLOW_ON = Grammar(
    FollowOnStep,
    "a follow_on step",
    {
        "waiting_as": WAITING_AS,
        "follow_on": reference(KEY),
        "then": answers(OTHERWISE, fixed_shape([*CloseOutcome, OTHERWISE], [OTHERWISE]), alone=True),
    },
    check=_check_otherwise,
)
CALL = Grammar(
    CallStep,
    "a call step",
    {
        "waiting_as": WAITING_AS,
        "call": reference(KEY),
        "send": _SEND,
        "then": answers(TIMEOUT, {**outcomes_shape([TIMEOUT]), "required": [TIMEOUT], "minProperties": 2}),
    },
    check=_check_timeout,
)
