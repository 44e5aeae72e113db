"""Steps as they are written: one section for each kind, told apart by the key that names the kind.

Owns the written form of steps and of the fields of their forms. Must not import anything of Fixline but the
shapes, the words of steps and the model.
"""

from __future__ import annotations

from typing import Any

from fixline.catalog.editor.shapes import (
    CONDITION,
    SPAN,
    TEXT,
    Shape,
    Written,
    described,
    fields_of,
    listed,
    mapped,
    name,
    of_model,
    section,
    words,
)
from fixline.catalog.shape import KEY, NAME
from fixline.catalog.steps.kinds import HUMAN_KINDS, ON_HOLD
from fixline.domain.conditions.evaluation import RESERVED_NAMES
from fixline.domain.definition.fields import FieldKind, FormField
from fixline.domain.definition.vocabulary import (
    DONE,
    NO_REPLY,
    NOT_SAMPLED,
    OTHERWISE,
    RESERVED_OUTCOMES,
    TIMEOUT,
    CloseOutcome,
)
from fixline.domain.process.kinds.agency import AgencyStep
from fixline.domain.process.kinds.base import StepPart
from fixline.domain.process.kinds.call import CallStep
from fixline.domain.process.kinds.choose import ChooseBranch, ChooseStep
from fixline.domain.process.kinds.close import CloseStep
from fixline.domain.process.kinds.follow_on import FollowOnStep
from fixline.domain.process.kinds.human import HumanStep, TeamByArea
from fixline.domain.process.kinds.notify import NotifyStep
from fixline.domain.process.kinds.together import TogetherStep
from fixline.domain.process.kinds.wait import WaitStep

STEP_NAME = described(name(), "The step that follows.")
PERCENT: Shape = {"type": "string", "pattern": r"^[1-9]\d?%$", "examples": ["10%", "75%"]}
_VISITS: Shape = {"type": "string", "pattern": r"^([2-9]|[1-9]\d|100) visits$", "examples": ["3 visits"]}
_WITH_SAMPLE = "Each outcome and the step that follows; not_sampled exactly when there is a sample."
_SAMPLED: Shape = {
    "if": {"required": ["sample"]},
    "then": {"properties": {"then": {"description": _WITH_SAMPLE, "required": [NOT_SAMPLED], "minProperties": 2}}},
    "else": {"properties": {"then": {"description": _WITH_SAMPLE, "not": {"required": [NOT_SAMPLED]}}}},
}
_WAITING_AS: Shape = {**name(), "not": {"const": ON_HOLD}}
_WITH_OPTIONS = [FieldKind.CHOICE.value, FieldKind.CHOICES.value]

_REPLIED: Shape = {
    "allOf": [
        {
            "if": {"not": {"required": ["reply_within"]}},
            "else": {"properties": {"then": {"required": [NO_REPLY], "minProperties": 2}}},
        },
        {
            "if": {"required": ["reply_within"]},
            "else": {"properties": {"then": {"not": {"required": [NO_REPLY]}}}},
        },
    ]
}
"""no_reply is an outcome exactly when there is reply_within."""

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


def step_schema() -> Shape:
    """A step: exactly one of the kinds, with that kind's keys and no others."""
    kinds = _kinds()
    return {
        "description": "A step: the key that names its kind says what it is.",
        "type": "object",
        "properties": {kind: {"description": KIND_WORDS[kind]} for kind in kinds},
        "oneOf": [{"required": [kind]} for kind in kinds],
        "allOf": [{"if": {"required": [kind]}, "then": shape} for kind, shape in kinds.items()],
    }


def field_schema(*, of_a_step: bool) -> Shape:
    """A question of the intake, or a field of a step's form, which may be required for some outcomes only."""
    written: dict[str, Written] = {"options": mapped(TEXT, KEY, least=1)}
    if not of_a_step:
        written["required_for"] = None
    else:
        written["required_for"] = listed(name())
    shape = of_model(FormField, written)
    choosing = {"properties": {"kind": {"enum": _WITH_OPTIONS}}, "required": ["kind"]}
    numbers = {"properties": {"kind": {"const": FieldKind.NUMBER.value}}}
    return {
        **shape,
        "allOf": [
            {"if": choosing, "then": {"required": ["options"]}, "else": {"not": {"required": ["options"]}}},
            {"if": numbers, "else": {"not": {"anyOf": [{"required": ["min"]}, {"required": ["max"]}]}}},
        ],
    }


def form_schema(*, of_a_step: bool) -> Shape:
    """The fields by name."""
    return mapped(field_schema(of_a_step=of_a_step), NAME, reserved=RESERVED_NAMES)


def conditions(result: str, value: Shape, when: str, then: str) -> Shape:
    """A list of entries `{when, RESULT}` that ends with `{otherwise}`."""
    ruled = section({"when": described(CONDITION, when), result: described(value, then)}, ("when", result))
    last = section({"otherwise": described(value, "What holds when no condition does; stands last.")}, ("otherwise",))
    either = {"if": {"required": ["otherwise"]}, "then": last, "else": ruled}
    keys = {"when": {"description": when}, result: {"description": then}, "otherwise": last["properties"]["otherwise"]}
    return {"type": "array", "minItems": 1, "items": {"type": "object", "properties": keys, **either}}


def _kinds() -> dict[str, Shape]:
    found = {kind: _human(kind) for kind in HUMAN_KINDS}
    found["choose"] = _choose()
    found["wait"] = _wait()
    waiting: dict[str, Written] = {"waiting_as": _WAITING_AS, "then": _then()}
    replies = {**waiting, "then": _then(RESERVED_OUTCOMES - {NO_REPLY})}
    found["agency"] = _kind(AgencyStep, {**replies, "agency": name(KEY), "send": listed(name())}) | _REPLIED
    closing = section(dict.fromkeys([*CloseOutcome, OTHERWISE], STEP_NAME), [OTHERWISE])
    found["follow_on"] = _kind(FollowOnStep, {**waiting, "follow_on": name(KEY), "then": closing})
    together: dict[str, Written] = {"branches": None, "then": _then(allowed=[DONE])}
    found["together"] = _kind(TogetherStep, together, together=_branches())
    late = {"required": [TIMEOUT], "minProperties": 2}
    answers = {**waiting, "then": {**_then(RESERVED_OUTCOMES - {TIMEOUT}), **late}}
    found["call"] = _kind(CallStep, {**answers, "call": name(KEY), "send": listed(name())})
    found["notify"] = _kind(NotifyStep, {"role": None, "then": STEP_NAME}, notify=name())
    outcome = words(CloseOutcome)
    found["close"] = _kind(CloseStep, {"outcome": None}, close=outcome)
    return found


def _kind(step: type[StepPart], written: dict[str, Written], **main: Shape) -> Shape:
    """The section of a kind; `main` is the key that names the kind where the model calls its value otherwise."""
    kind = str(step.model_fields["kind"].default)
    shape = of_model(step, {"kind": None, **written}, required=(kind,))
    properties = {each: described(value, KIND_WORDS[each]) for each, value in main.items()} | shape["properties"]
    properties[kind] = {**properties[kind], "description": KIND_WORDS[kind]}
    return {**shape, "properties": properties, "required": sorted({*shape.get("required", ()), kind})}


def _human(kind: str) -> Shape:
    inspection = kind == "inspection"
    written: dict[str, Written] = {
        "kind": None,
        "title": None,
        "team": _team(),
        "form": form_schema(of_a_step=True),
        "sample": PERCENT if inspection else None,
        "warn_after": _VISITS,
        "then": _then(reserved=RESERVED_OUTCOMES - ({NOT_SAMPLED} if inspection else set())),
    }
    shape = of_model(HumanStep, written)
    properties = {kind: described(TEXT, KIND_WORDS[kind]), **shape["properties"]}
    found = {**shape, "properties": properties, "required": sorted({*shape["required"], kind} - {"title"})}
    return found | _SAMPLED if inspection else found


def _team() -> Shape:
    by_area = of_model(TeamByArea, {"by": name(KEY), "as_": {"type": "string", "pattern": r"\{[a-z0-9_-]+\}"}})
    return {"anyOf": [name(KEY), by_area]}


def _then(reserved: Any = (), allowed: list[str] | None = None) -> Shape:
    if allowed is not None:
        return section(dict.fromkeys(allowed, STEP_NAME), allowed)
    return mapped(STEP_NAME, NAME, reserved=reserved, least=1)


def _branches() -> Shape:
    return mapped({**listed(name()), "minItems": 1}, NAME, least=2)


def _choose() -> Shape:
    told = fields_of(ChooseBranch, {})
    branches = conditions("go", name(), told["when"]["description"], told["go"]["description"])
    return _kind(ChooseStep, {"branches": None}, choose=branches)


def _wait() -> Shape:
    written: dict[str, Written] = {"signal": {**name(), "not": {"enum": sorted(RESERVED_OUTCOMES)}}, "until": name()}
    keys = fields_of(WaitStep, {"kind": None, "waiting_as": None, "then": None, **written})
    main = section(keys)
    main["oneOf"] = [{"required": [key]} for key in ("signal", "span", "until")]
    main["dependencies"] = {"at_most": ["signal"]}
    then = {"anyOf": [STEP_NAME, _then(reserved=RESERVED_OUTCOMES - {TIMEOUT})]}
    named: dict[str, Written] = {"signal": None, "at_most": None, "span": None, "until": None}
    return _kind(WaitStep, {**named, "waiting_as": _WAITING_AS, "then": then}, wait=main)


__all__ = ["CONDITION", "PERCENT", "SPAN", "STEP_NAME", "conditions", "field_schema", "form_schema", "step_schema"]
