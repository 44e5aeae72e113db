"""Steps at which nobody works: choose, wait, together, notify, close. What the names in them stand for is checked in
`fixline.catalog.flow` and `fixline.catalog.references`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fixline.catalog import grammar
from fixline.catalog.shape import NAME, Section, Written, check_name
from fixline.catalog.steps.kinds import STEP_NAME, WAITING_AS, fixed_shape, outcomes_shape, read_fixed
from fixline.catalog.tree import Mapping
from fixline.domain.definition.vocabulary import DONE, RESERVED_OUTCOMES, TIMEOUT, CloseOutcome
from fixline.domain.process.kinds import ChooseStep, CloseStep, NotifyStep, TogetherStep, WaitStep
from fixline.domain.process.kinds.choose import ChooseBranch

FEWEST_BRANCHES = 2


def _conditions(result: str, value: grammar.Shape, when: str, then: str) -> grammar.Shape:
    """A list of entries `{when, RESULT}` that ends with `{otherwise}`."""
    described = {"when": grammar.CONDITION.shown(when), result: grammar.described(value, then)}
    ruled = grammar.section_shape(described, ("when", result))
    fallback = grammar.described(value, "What holds when no condition does; stands last.")
    last = grammar.section_shape({"otherwise": fallback}, ("otherwise",))
    either = {"if": {"required": ["otherwise"]}, "then": last, "else": ruled}
    keys = {"when": {"description": when}, result: {"description": then}, "otherwise": fallback}
    return {"type": "array", "minItems": 1, "items": {"type": "object", "properties": keys, **either}}


def ending_otherwise(
    lines: grammar.Grammar[Any], what: str, result: str, value: grammar.Shape, when: str = ""
) -> grammar.Key:
    """A list of conditions, which ends with the entry that holds otherwise and has it only there. `what` calls an entry
    in findings; `when` is what editors show for a condition instead of the field's description."""
    entries = lines.listed(what)
    told = {info.alias or name: info.description or "" for name, info in lines.model.model_fields.items()}

    def read(section: Section, key: str) -> object:
        items = section.items(key)
        for position, item in enumerate(items or ()):
            if isinstance(item, Mapping):
                _check_otherwise(Section(item, section.findings), key, result, last=position == len(items or ()) - 1)
        if items == ():
            section.add("FX407", f"'{key}' ends with an entry 'otherwise'", key)
        return entries.read(section, key)

    shape = _conditions(result, value, when or told["when"], told[result])
    return replace(entries, read=read, shape=shape)


def _check_otherwise(body: Section, key: str, result: str, *, last: bool) -> None:
    if body.has("otherwise") and body.has(result):
        body.add("FX216", f"'otherwise' has its value itself: leave '{result}' out", result)
    if body.has("otherwise") and body.has("when"):
        body.add("FX216", "'when' and 'otherwise' exclude each other: give each its own entry", "otherwise")
    elif body.has("otherwise") and not last:
        body.add("FX407", "'otherwise' stands last: the entries after it would never be looked at", "otherwise")
    elif not body.has("when") and not body.has("otherwise"):
        body.add("FX202", "the key 'when' (or 'otherwise') is missing")
    elif last and not body.has("otherwise"):
        body.add("FX407", f"'{key}' ends with an entry 'otherwise'")


def _read_branch(body: Section, found: grammar.Values) -> None:
    """`otherwise` has the step itself."""
    otherwise = found.pop("otherwise", None)
    if "when" in found and "go" not in found:
        body.add("FX202", "the key 'go' is missing: the step that follows")
    if otherwise is not None:
        found["go"] = otherwise


_BRANCH = grammar.Grammar(
    ChooseBranch,
    "a branch of choose",
    {"go": replace(grammar.TEXT, required=False)},
    others={"otherwise": grammar.TEXT},
    needs={"go"},
    check=_read_branch,
)
CHOOSE = grammar.Grammar(
    ChooseStep,
    "a choose step",
    {"branches": replace(ending_otherwise(_BRANCH, "a branch", "go", grammar.name_shape()), name="choose")},
    needs={"branches"},
)


def _read_branches(body: Section, section: Section) -> dict[str, tuple[str, ...]] | None:
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


def _read_done(section: Section, _: str) -> dict[str, str] | None:
    return read_fixed(section, [DONE], "a together step") or None


_BRANCHES_SHAPE = grammar.mapped({**grammar.listed(grammar.name_shape()), "minItems": 1}, least=FEWEST_BRANCHES)
TOGETHER = grammar.Grammar(
    TogetherStep,
    "a together step",
    {
        "branches": replace(grammar.of_section(_read_branches, _BRANCHES_SHAPE), name="together"),
        "then": grammar.Key(_read_done, fixed_shape([DONE], [DONE])),
    },
    needs={"branches", "then"},
)
NOTIFY = grammar.Grammar(
    NotifyStep,
    "a notify step",
    {"role": replace(grammar.own_name(), name="notify"), "then": replace(grammar.TEXT, shape=STEP_NAME)},
    needs={"then"},
)
CLOSE = grammar.Grammar(CloseStep, "a close step", {"outcome": replace(grammar.word(CloseOutcome), name="close")})


_WAYS = ("signal", "span", "until")


def _read_signal(signal: Written, body: Section) -> str:
    check_name(signal.text, signal.place, NAME, body.findings)
    if signal.text in RESERVED_OUTCOMES:
        body.findings.add("FX405", signal.place, f"'{signal.text}' is reserved: give the signal another name")
    return signal.text


def _check_one_way(body: Section, _: grammar.Values) -> None:
    """There is one end to the wait; what has its own needs no other."""
    written = body.written(_WAYS)
    if len(written) != 1:
        place = body.key_place(written[1]) if written else body.owner
        body.findings.add("FX216", place, "a wait has one of 'signal', 'span' and 'until'")
    elif written != ["signal"] and body.has("at_most"):
        body.add("FX216", f"'at_most' limits the wait for a signal: '{written[0]}' has its own end", "at_most")


_WAIT_FOR = grammar.Grammar(
    WaitStep,
    "a wait",
    {
        "kind": None,
        "waiting_as": None,
        "then": None,
        "signal": grammar.of_text(_read_signal, {**grammar.name_shape(), "not": {"enum": sorted(RESERVED_OUTCOMES)}}),
        "until": grammar.own_name(),
    },
    check=_check_one_way,
)


def _wait_shape() -> dict[str, object]:
    exclusive = [{"required": [key]} for key in _WAYS]
    return {**_WAIT_FOR.keys(), "oneOf": exclusive, "dependencies": {"at_most": ["signal"]}}


def _read_later(_: Section, __: str) -> None:
    """`then` is read when it is known what is waited for."""


def _read_wait(section: Section, found: grammar.Values) -> None:
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


WAIT = grammar.Grammar(
    WaitStep,
    "a wait step",
    {
        **dict.fromkeys(("signal", "at_most", "span", "until")),
        "waiting_as": WAITING_AS,
        "then": grammar.Key(_read_later, {"anyOf": [STEP_NAME, outcomes_shape([TIMEOUT])]}),
    },
    others={"wait": grammar.Key(Section.section, _wait_shape, required=True)},
    needs={"then"},
    check=_read_wait,
)
