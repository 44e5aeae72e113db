"""The schema for editors accepts what is right, refuses what a schema can refuse, and explains every key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft7Validator

from fixline.catalog.definition import definition_schema
from fixline.catalog.findings import Findings
from fixline.catalog.reading import read_tree
from fixline.catalog.steps.kinds import HUMAN_KINDS
from fixline.catalog.tree import Mapping, Node, Scalar, Sequence
from fixline.domain.definition import deadlines, fields
from fixline.domain.definition import model as definition
from fixline.domain.definition.fields import Part
from fixline.domain.process.kinds import AnyStep, choose, human
from fixline.settings import PACKAGED_DEFINITIONS

FIXTURES = Path(__file__).parents[2] / "fixtures"
KINDS = get_args(AnyStep)
SCHEMA = definition_schema()
VALIDATOR = Draft7Validator(SCHEMA)
SHIPPED = sorted(
    path
    for path in PACKAGED_DEFINITIONS.glob("*/*.yaml")
    if path.parent.name not in {"calendars", "areas"} and not path.name.endswith(".scenarios.yaml")
)
BROKEN = sorted((FIXTURES / "broken").glob("*.yaml"))
CODE = re.compile(r"^# expect: \d+:\d+ (FX\d{3})$", re.MULTILINE)
HEAD = "# yaml-language-server: $schema=../.schema/definition.json"
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
"""As YAML's core schema has it, which editors follow."""

NOT_FOR_A_SCHEMA = {
    "FX1": "what YAML itself refuses never comes before a schema",
    "FX222": "whether the city has a boundary stands in another file",
    "FX210": "a schema does not know the file's name",
    "FX3": "departments, calendars, teams, areas and roles are other files', and steps are names",
    "FX401": "which step leads where is no matter of one value",
    "FX402": "which step leads where is no matter of one value",
    "FX403": "which step leads where is no matter of one value",
    "FX404": "which step leads where is no matter of one value",
    "FX410": "which steps stand in which branch is no matter of one value",
    "FX411": "which steps stand in which branch is no matter of one value",
    "FX412": "which steps stand in which branch is no matter of one value",
    "FX413": "which steps stand in which branch is no matter of one value",
    "FX414": "which steps stand in which branch is no matter of one value",
    "FX415": "which steps stand in which branch is no matter of one value",
    "FX419": "what a name stands for is another value",
    "FX431": "whether an agency reports back stands in another file",
    "FX450": "whether a step closes is another value",
    "FX5": "a condition is a text to a schema",
    "FX601": "what meets a deadline is a step",
    "FX608": "how long a working day is, and what measure a budget has",
    "FX602": "states are the names that steps give",
    "FX603": "in which order rungs stand",
    "FX214": "a schema cannot compare two fields",
    "FX215": "a schema cannot compare outcomes with then",
}
"""Findings by code, or by the family's first digits, that a schema cannot give, and why."""


def as_editors_read(node: Node) -> Any:
    """The JSON value that an editor makes of a tree."""
    if isinstance(node, Mapping):
        return {entry.key: as_editors_read(entry.value) for entry in node}
    if isinstance(node, Sequence):
        return [as_editors_read(item) for item in node.items]
    assert isinstance(node, Scalar)
    if not node.plain:
        return node.text
    if node.text in {"true", "false"}:
        return node.text == "true"
    if node.text in {"", "~", "null"}:
        return None
    return json.loads(node.text) if NUMBER.fullmatch(node.text) else node.text


def problems(text: str) -> list[str] | None:
    """What the schema has against a file; None when it is no YAML to begin with."""
    findings = Findings("x.yaml")
    tree = read_tree(text, findings)
    if tree is None or len(findings):
        return None
    return [error.message for error in VALIDATOR.iter_errors(as_editors_read(tree))]


def every_property(shape: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each property of the schema, however deep, with its path."""
    if isinstance(shape, list):
        for position, each in enumerate(shape):
            yield from every_property(each, f"{where}/{position}")
    elif isinstance(shape, dict):
        for name, each in shape.items():
            if name == "properties":
                yield from ((f"{where}/{key}", value) for key, value in each.items())
                for key, value in each.items():
                    yield from every_property(value, f"{where}/{key}")
            elif name not in {"const", "enum", "examples"}:
                yield from every_property(each, f"{where}/{name}")


def conditional(where: str) -> bool:
    """Whether the path lies in a test of a value, which no editor shows."""
    return bool({"if", "not", "else"} & set(where.split("/")))


def test_the_schema_is_one() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_every_property_is_described() -> None:
    silent = [where for where, each in every_property(SCHEMA) if not conditional(where) and not each.get("description")]
    assert silent == []
    assert sum(1 for _ in every_property(SCHEMA)) > 100


def test_every_field_of_the_model_can_be_written() -> None:
    """Each field of every part of a definition is a key of the schema, or is written otherwise."""
    otherwise = {
        *("schema_", "kind", "title", "branches", "role", "outcome"),  # of steps: the key that names the kind
        *("by_priority", "at_percent", "at_due"),
        *("within_m", "accept"),  # of the intake: within, and the word accept
    }
    keys = {where.rsplit("/", 1)[-1] for where, _ in every_property(SCHEMA)}
    parts = {
        each
        for module in (definition, deadlines, fields, choose, human)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Part) and each.__module__ == module.__name__
    }
    parts |= set(KINDS)
    written = {info.alias or field for part in parts for field, info in part.model_fields.items()}
    assert written - keys - otherwise - {"schema"} == set()


def test_every_kind_of_step_has_its_own_keys() -> None:
    step = SCHEMA["properties"]["steps"]["additionalProperties"]
    fields_ = [each.model_fields["kind"] for each in KINDS]
    kinds = {info.default for info in fields_ if not info.is_required()}
    assert set(step["properties"]) == kinds | set(HUMAN_KINDS)
    for branch in step["allOf"]:
        assert branch["then"]["additionalProperties"] is False
        assert set(branch["if"]["required"]) <= set(branch["then"]["required"])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_definitions_are_accepted(path: Path) -> None:
    assert problems(path.read_text(encoding="utf-8")) == []


def test_the_fixture_is_accepted() -> None:
    assert problems((FIXTURES / "city/transportation/pothole.yaml").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_definitions_name_the_schema(path: Path) -> None:
    head = path.read_text(encoding="utf-8").partition("\n")[0]
    assert head == HEAD
    assert (path.parent / head.partition("$schema=")[2]).resolve().is_file()


def test_the_shipped_schema_is_the_models() -> None:
    """When this fails: fixline schema --out definitions/.schema/definition.json"""
    shipped = PACKAGED_DEFINITIONS / ".schema" / "definition.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == SCHEMA


def beyond_a_schema(code: str) -> bool:
    return any(code.startswith(family) for family in NOT_FOR_A_SCHEMA)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_broken_definitions_are_refused(path: Path) -> None:
    """Each broken file whose findings a schema can give is refused; those that it cannot are of the families named."""
    text = path.read_bytes().decode("utf-8", "replace")
    codes = set(CODE.findall(text))
    assert codes
    found = problems(text)
    if found is not None:
        assert bool(found) == any(not beyond_a_schema(code) for code in codes), found


def test_excuses_are_needed() -> None:
    """Each family that is beyond a schema has a file, and of those that a schema can judge it refuses most."""
    codes = {code for path in BROKEN for code in CODE.findall(path.read_bytes().decode("utf-8", "replace"))}
    assert [family for family in NOT_FOR_A_SCHEMA if not any(code.startswith(family) for code in codes)] == []
    judged = [problems(path.read_bytes().decode("utf-8", "replace")) for path in BROKEN]
    assert sum(1 for found in judged if found) >= 50


STEP = {"close": "fixed"}


def a_step(**keys: Any) -> list[str]:
    step = SCHEMA["properties"]["steps"]["additionalProperties"]
    return [error.message for error in Draft7Validator(step).iter_errors(keys)]


@pytest.mark.parametrize(
    "keys",
    [
        {"dispatch": "Do it", "team": "crew", "then": {"done": "fixed"}, "warn_after": "3 visits"},
        {"inspection": "Look", "team": "crew", "sample": "10%", "then": {"ok": "fixed", "not_sampled": "fixed"}},
        {"task": 311, "team": {"by": "district", "as": "crew-{district}", "elsewhere": "crew"}, "then": {"ok": "x"}},
        {"choose": [{"when": "depth > 3", "go": "a"}, {"otherwise": "b"}]},
        {"wait": {"signal": "dry", "at_most": "5 calendar days"}, "then": {"dry": "a", "timeout": "b"}},
        {"wait": {"span": "5 calendar days"}, "waiting_as": "curing", "then": "a"},
        {"wait": {"until": "court_date"}, "then": "a"},
        {"agency": "gas-company", "reply_within": "5 working days", "then": {"repaired": "a", "no_reply": "b"}},
        {"follow_on": "sewer-cave-in", "waiting_as": "with_water", "then": {"fixed": "a", "otherwise": "b"}},
        {"together": {"sign": ["place_signs"], "permit": ["lane_permit"]}, "join": "all", "then": {"done": "a"}},
        {"call": "permits-office", "send": ["place"], "at_most": "1 calendar day", "then": {"ok": "a", "timeout": "b"}},
        {"notify": "alderman", "say": "A cave-in was reported.", "then": "a"},
        {"close": "fixed", "say": "Done."},
    ],
    ids=lambda keys: next(iter(keys)),
)
def test_every_kind_is_accepted(keys: dict[str, Any]) -> None:
    assert a_step(**keys) == []


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"close": "fixed", "task": "x", "team": "crew", "then": {"a": "b"}},
        {"close": "mended"},
        {"agency": "gas", "then": {"done": "a", "no_reply": "b"}},
        {"agency": "gas", "reply_within": "1 working day", "then": {"done": "a"}},
        {"agency": "gas", "reply_within": "1 working day", "then": {"no_reply": "b"}},
        {"call": "office", "at_most": "1 working day", "then": {"done": "a"}},
        {"inspection": "x", "team": "crew", "sample": "10%", "then": {"not_sampled": "b"}},
        {"agency": "gas", "then": {"done": "a"}, "warn_after": "3 visits"},
        {"close": "fixed", "team": "crew"},
        {"dispatch": "x", "then": {"a": "b"}},
        {"dispatch": "x", "team": "crew", "sample": "10%", "then": {"a": "b"}},
        {"inspection": "x", "team": "crew", "sample": "100%", "then": {"a": "b"}},
        {"task": "x", "team": "crew", "due": "2 days", "then": {"a": "b"}},
        {"task": "x", "team": "crew", "then": {"timeout": "b"}},
        {"task": "x", "team": "crew", "then": {}},
        {"wait": {"span": "1 calendar day", "signal": "x"}, "then": {"x": "a"}},
        {"wait": {"span": "1 calendar day", "at_most": "1 calendar day"}, "then": "a"},
        {"wait": {"signal": "x"}, "waiting_as": "on_hold", "then": {"x": "a"}},
        {"together": {"one": ["a"]}, "then": {"done": "a"}},
        {"together": {"one": ["a"], "two": ["b"]}, "then": {"over": "a"}},
        {"notify": "alderman", "then": "a"},
        {"choose": [{"otherwise": "b", "go": "c"}]},
    ],
    ids=repr,
)
def test_wrong_steps_are_refused(keys: dict[str, Any]) -> None:
    assert a_step(**keys)
