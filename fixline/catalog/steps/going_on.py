"""Steps at which nobody works: choose, together, notify, close.

What the names in them stand for is checked in `fixline.catalog.flow` and `fixline.catalog.references`.
"""

from __future__ import annotations

from dataclasses import replace

from fixline.catalog import grammar
from fixline.catalog.reading import Mapping
from fixline.catalog.shape import NAME, Section, check_name
from fixline.catalog.steps.kinds import KIND_WORDS, STEP_NAME, fixed_shape, read_fixed
from fixline.domain.definition.vocabulary import DONE, CloseOutcome
from fixline.domain.process.kinds.choose import ChooseBranch, ChooseStep
from fixline.domain.process.kinds.close import CloseStep
from fixline.domain.process.kinds.notify import NotifyStep
from fixline.domain.process.kinds.together import TogetherStep

FEWEST_BRANCHES = 2


def conditions(result: str, value: grammar.Shape, when: str, then: str) -> grammar.Shape:
    """A list of entries `{when, RESULT}` that ends with `{otherwise}`."""
    described = {"when": grammar.CONDITION.shown(when), result: grammar.described(value, then)}
    ruled = grammar.section_shape(described, ("when", result))
    fallback = grammar.described(value, "What holds when no condition does; stands last.")
    last = grammar.section_shape({"otherwise": fallback}, ("otherwise",))
    either = {"if": {"required": ["otherwise"]}, "then": last, "else": ruled}
    keys = {"when": {"description": when}, result: {"description": then}, "otherwise": fallback}
    return {"type": "array", "minItems": 1, "items": {"type": "object", "properties": keys, **either}}


def ending_otherwise(entries: grammar.Key, result: str, shape: grammar.Shape) -> grammar.Key:
    """A list of conditions, which ends with the entry that holds otherwise and has it only there."""

    def read(section: Section, key: str) -> object:
        items = section.items(key)
        for position, item in enumerate(items or ()):
            if isinstance(item, Mapping):
                _check_otherwise(Section(item, section.findings), key, result, last=position == len(items or ()) - 1)
        if items == ():
            section.findings.add("FX407", section.key_place(key), f"'{key}' ends with an entry 'otherwise'")
        return entries.read(section, key)

    return replace(entries, read=read, shape=shape)


def _check_otherwise(body: Section, key: str, result: str, *, last: bool) -> None:
    if body.has("otherwise") and body.has(result):
        message = f"'otherwise' has its value itself: leave '{result}' out"
        body.findings.add("FX216", body.key_place(result), message)
    if body.has("otherwise") and body.has("when"):
        message = "'when' and 'otherwise' exclude each other: give each its own entry"
        body.findings.add("FX216", body.key_place("otherwise"), message)
    elif body.has("otherwise") and not last:
        message = "'otherwise' stands last: the entries after it would never be looked at"
        body.findings.add("FX407", body.key_place("otherwise"), message)
    elif not body.has("when") and not body.has("otherwise"):
        body.findings.add("FX202", body.owner, "the key 'when' (or 'otherwise') is missing")
    elif last and not body.has("otherwise"):
        body.findings.add("FX407", body.owner, f"'{key}' ends with an entry 'otherwise'")


def _read_branch(body: Section, found: grammar.Values) -> None:
    """`otherwise` has the step itself."""
    otherwise = found.pop("otherwise", None)
    if "when" in found and "go" not in found:
        body.findings.add("FX202", body.owner, "the key 'go' is missing: the step that follows")
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
_TOLD = {name: info.description or "" for name, info in ChooseBranch.model_fields.items()}
CHOOSE = grammar.Grammar(
    ChooseStep,
    "a choose step",
    {
        "kind": None,
        "branches": replace(
            ending_otherwise(
                _BRANCH.listed("a branch"), "go", conditions("go", grammar.name_shape(), _TOLD["when"], _TOLD["go"])
            ),
            name="choose",
            told=KIND_WORDS["choose"],
        ),
    },
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
        "kind": None,
        "branches": replace(
            grammar.of_section(_read_branches, _BRANCHES_SHAPE), name="together", told=KIND_WORDS["together"]
        ),
        "then": grammar.Key(_read_done, fixed_shape([DONE], [DONE])),
    },
    needs={"branches", "then"},
)
NOTIFY = grammar.Grammar(
    NotifyStep,
    "a notify step",
    {
        "kind": None,
        "role": replace(grammar.own_name(), name="notify", told=KIND_WORDS["notify"]),
        "then": replace(grammar.TEXT, shape=STEP_NAME),
    },
    needs={"then"},
)
CLOSE = grammar.Grammar(
    CloseStep,
    "a close step",
    {"kind": None, "outcome": replace(grammar.word(CloseOutcome), name="close", told=KIND_WORDS["close"])},
)
