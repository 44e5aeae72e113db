"""Steps that wait: for a signal, for a span, until a date."""

from __future__ import annotations

from fixline.catalog.grammar import Grammar, Key, Values, name_shape, of_text, own_name
from fixline.catalog.shape import NAME, Section, Written, check_name
from fixline.catalog.steps.kinds import KIND_WORDS, STEP_NAME, WAITING_AS, outcomes_shape, read_fixed
from fixline.domain.definition.vocabulary import RESERVED_OUTCOMES, TIMEOUT
from fixline.domain.process.kinds.wait import WaitStep

_WAYS = ("signal", "span", "until")


def _read_signal(signal: Written, body: Section) -> str:
    check_name(signal.text, signal.place, NAME, body.findings)
    if signal.text in RESERVED_OUTCOMES:
        body.findings.add("FX405", signal.place, f"'{signal.text}' is reserved: give the signal another name")
    return signal.text


def _check_one_way(body: Section, _: Values) -> None:
    """There is one end to the wait; what has its own needs no other."""
    written = body.written(_WAYS)
    if len(written) != 1:
        place = body.key_place(written[1]) if written else body.owner
        body.findings.add("FX216", place, "a wait has one of 'signal', 'span' and 'until'")
    elif written != ["signal"] and body.has("at_most"):
        message = f"'at_most' limits the wait for a signal: '{written[0]}' has its own end"
        body.findings.add("FX216", body.key_place("at_most"), message)


_WAIT_FOR = Grammar(
    WaitStep,
    "a wait",
    {
        "kind": None,
        "waiting_as": None,
        "then": None,
        "signal": of_text(_read_signal, {**name_shape(), "not": {"enum": sorted(RESERVED_OUTCOMES)}}),
        "until": own_name(),
    },
    check=_check_one_way,
)


def _wait_shape() -> dict[str, object]:
    exclusive = [{"required": [key]} for key in _WAYS]
    return {**_WAIT_FOR.keys(), "oneOf": exclusive, "dependencies": {"at_most": ["signal"]}}


def _read_later(_: Section, __: str) -> None:
    """`then` is read when it is known what is waited for."""


def _read_wait(section: Section, found: Values) -> None:
    """What is waited for, and the step that follows each outcome."""
    body: Section | None = found.pop("wait", None)
    if body is None:
        return
    found |= _WAIT_FOR.values(body)
    written = body.written(_WAYS)
    if len(written) != 1:
        return
    limited = written != ["signal"] or body.has("at_most")
    outcomes = ([found["signal"]] if "signal" in found else []) + ([TIMEOUT] if limited else [])
    then = read_fixed(section, outcomes, "this wait", by_text=written != ["signal"])
    if then is not None:
        found["then"] = then


WAIT = Grammar(
    WaitStep,
    "a wait step",
    {
        **dict.fromkeys(("kind", "signal", "at_most", "span", "until")),
        "waiting_as": WAITING_AS,
        "then": Key(_read_later, {"anyOf": [STEP_NAME, outcomes_shape([TIMEOUT])]}),
    },
    others={"wait": Key(Section.section, _wait_shape, told=KIND_WORDS["wait"], required=True)},
    needs={"then"},
    check=_read_wait,
)
