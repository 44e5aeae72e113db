"""Answers of every kind: what fits, what does not and how that is said.

Owns the cases of `fixline.domain.definition.forms`.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixline.domain.definition.fields import FormField
from fixline.domain.definition.forms import MAX_TEXT, read_answers

LANES = {"bike": "Bike lane", "curb": "Curb lane"}
FIELDS: dict[str, dict[str, Any]] = {
    "text": {"kind": "text"},
    "number": {"kind": "number", "min": 0, "max": 100},
    "any_number": {"kind": "number"},
    "choice": {"kind": "choice", "options": LANES},
    "choices": {"kind": "choices", "options": LANES},
    "yes_no": {"kind": "yes_no"},
    "date": {"kind": "date"},
    "datetime": {"kind": "datetime"},
    "photo": {"kind": "photo"},
}
ALL = {name: FormField.model_validate(field) for name, field in FIELDS.items()}

GOOD: list[tuple[str, Any, Any]] = [
    ("text", "by the tree", "by the tree"),
    ("text", "x" * MAX_TEXT, "x" * MAX_TEXT),
    ("number", 0, 0),
    ("number", 100, 100),
    ("number", 2.5, 2.5),
    ("any_number", -1e300, -1e300),
    ("choice", "bike", "bike"),
    ("choices", ["curb", "bike", "curb"], ["curb", "bike"]),
    ("yes_no", True, True),
    ("yes_no", False, False),
    ("date", "2026-11-22", "2026-11-22"),
    ("datetime", "2026-11-22T16:00:00Z", "2026-11-22T16:00:00+00:00"),
    ("datetime", "2026-11-22T16:00:00-06:00", "2026-11-22T16:00:00-06:00"),
    ("photo", "photos/1.jpg", "photos/1.jpg"),
]
BAD: list[tuple[str, Any, str]] = [
    ("text", "", "not_text"),
    ("text", "  \n", "not_text"),
    ("text", 7, "not_text"),
    ("text", ["a"], "not_text"),
    ("text", "x" * (MAX_TEXT + 1), "too_long"),
    ("number", "7", "not_a_number"),
    ("number", True, "not_a_number"),
    ("number", float("nan"), "not_a_number"),
    ("number", float("inf"), "not_a_number"),
    ("any_number", 10**400, "not_a_number"),
    ("number", -0.1, "too_small"),
    ("number", 100.5, "too_large"),
    ("choice", "bikes", "unknown_option"),
    ("choice", 7, "unknown_option"),
    ("choice", ["bike"], "unknown_option"),
    ("choices", "bike", "not_a_list"),
    ("choices", [], "not_a_list"),
    ("choices", ["bike", "sea"], "unknown_option"),
    ("choices", [{}], "unknown_option"),
    ("yes_no", "yes", "not_yes_no"),
    ("yes_no", 1, "not_yes_no"),
    ("date", "22.11.2026", "not_a_date"),
    ("date", "2026-02-30", "not_a_date"),
    ("date", 20261122, "not_a_date"),
    ("datetime", "tomorrow", "not_a_datetime"),
    ("datetime", None, ""),
    ("datetime", 5, "not_a_datetime"),
    ("datetime", "2026-11-22T16:00:00", "no_zone"),
    ("photo", "", "not_a_photo"),
    ("photo", 1, "not_a_photo"),
    ("photo", "x" * (MAX_TEXT + 1), "not_a_photo"),
]


@pytest.mark.parametrize(("name", "value", "read"), GOOD)
def test_good(name: str, value: Any, read: Any) -> None:
    """An answer that fits is kept in one canonical form."""
    assert read_answers(ALL, {name: value}) == ({name: read}, ())


@pytest.mark.parametrize(("name", "value", "code"), BAD)
def test_bad(name: str, value: Any, code: str) -> None:
    """An answer that does not fit is a problem with a code and words; none at all is no problem."""
    clean, problems = read_answers(ALL, {name: value})
    assert clean == {}
    assert [(problem.field, problem.code) for problem in problems] == ([(name, code)] if code else [])
    assert all(problem.message for problem in problems)


def test_a_number_too_long_to_write_out() -> None:
    """A whole number with thousands of digits is a wrong option like any other."""
    assert read_answers(ALL, {"choice": 10**5000})[1][0].code == "unknown_option"


def test_every_kind_has_both() -> None:
    """No kind of field is left out above."""
    kinds = {field.kind for field in ALL.values()}
    assert {ALL[name].kind for name, *_ in GOOD} == {ALL[name].kind for name, *_ in BAD} == kinds


def test_did_you_mean() -> None:
    """A near miss is offered, among options and among names."""
    _, problems = read_answers(ALL, {"choice": "bice", "tex": "x"})
    option, name = (problem.message for problem in problems)
    assert option.endswith("; did you mean 'bike'?")
    assert name == "no such question, did you mean 'text'?"


def test_unknown_without_near_names() -> None:
    """A name that is nothing like any other is told what there is; a form without fields has nothing to tell."""
    _, problems = read_answers({"lane": ALL["choice"]}, {"zzz": 1})
    assert problems[0].code == "unknown_field"
    assert problems[0].message.endswith("there is lane")
    assert read_answers({}, {"zzz": 1})[1][0].message == "no such question"


def test_required() -> None:
    """Required for all outcomes, required for some, and None counts as not given."""
    fields = {
        "photo": FormField.model_validate({"kind": "photo", "required": True}),
        "filled": FormField.model_validate({"kind": "number", "required_for": ["done"]}),
    }

    def missing(**how: Any) -> list[str]:
        return [p.field for p in read_answers(fields, {"photo": None}, **how)[1] if p.code == "missing"]

    assert missing() == ["photo"]
    assert missing(outcome="done") == ["photo", "filled"]
    assert missing(outcome="too_wet") == ["photo"]
    assert missing(partial=True) == []


def test_order_of_problems() -> None:
    """Problems come in the order of the fields, unknown names last."""
    _, problems = read_answers(ALL, {"nope": 1, "number": "x", "text": ""})
    assert [problem.field for problem in problems] == ["text", "number", "nope"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@given(answers=st.dictionaries(st.sampled_from([*ALL, "other"]), json_values), partial=st.booleans())
@settings(max_examples=300, deadline=None)
def test_anything_is_read_or_a_problem(answers: dict[str, Any], partial: bool) -> None:
    """Whatever is given: each answer is either kept or a problem, reading again changes nothing, nothing raises."""
    clean, problems = read_answers(ALL, answers, partial=partial)
    wrong = {problem.field for problem in problems}
    assert not wrong & set(clean)
    assert {name for name, value in answers.items() if value is not None or name not in ALL} == wrong | set(clean)
    assert read_answers(ALL, clean) == (clean, ())
