"""A condition that passes the check can be decided for any answers; a missing answer leaves it undecided."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixline.domain.definition.conditions import ConditionFault, Verdict, check, evaluate
from fixline.domain.definition.fields import FieldKind, FormField

OPTIONS = {"bike": "Bike lane", "curb": "Curb lane"}
FIELDS = {
    "depth": FormField(kind=FieldKind.NUMBER),
    "width": FormField(kind=FieldKind.NUMBER),
    "lane": FormField(kind=FieldKind.CHOICE, options=OPTIONS),
    "places": FormField(kind=FieldKind.CHOICES, options=OPTIONS),
    "note": FormField(kind=FieldKind.TEXT),
    "seen": FormField(kind=FieldKind.DATE),
    "wet": FormField(kind=FieldKind.YES_NO),
    "photo": FormField(kind=FieldKind.PHOTO),
    "at": FormField(kind=FieldKind.DATETIME),
}


@pytest.mark.parametrize(
    "text",
    [
        "depth >= 10 || lane == 'bike'",
        "depth in [1, 2.5] && !wet",
        "'bike' in places",
        "lane in places",
        "lane in ['bike', \"curb\"]",
        "size(places) > 1 || places.size() == 0",
        "seen < '2026-03-31'",
        "note.startsWith('a') || note.contains(note) || note == 'it\\'s'",
        "depth > -1.5 && depth < width",
        "wet",
        "(wet == true) != false",
    ],
)
def test_accepted(text: str) -> None:
    """What the condition language offers passes the check."""
    assert check(text, FIELDS) == []


@pytest.mark.parametrize(
    ("text", "code", "offset"),
    [
        ("", "FX501", 0),
        ("depth = 1", "FX501", 6),
        ("depth > 1 and wet", "FX501", 10),
        ("((depth > 1)", "FX501", 12),
        ("if", "FX501", 0),
        ("depht > 1", "FX502", 0),
        ("wet && lane == 'bik'", "FX503", 15),
        ("lane in ['bike', 'kerb']", "FX503", 17),
        ("'kerb' in places", "FX503", 0),
        ("depth == '1'", "FX504", 0),
        ("lane < 'bike'", "FX504", 0),
        ("wet > false", "FX504", 0),
        ("1 < depth < 5", "FX504", 0),
        ("seen == '31.3.2026'", "FX504", 0),
        ("places == ['bike']", "FX504", 0),
        ("lane == places", "FX504", 0),
        ("depth in 5", "FX504", 9),
        ("depth in []", "FX504", 9),
        ("photo == 'x'", "FX504", 0),
        ("at > '2026-01-01T00:00:00Z'", "FX504", 0),
        ("size(note) > 1", "FX504", 0),
        ("lane.contains('b')", "FX504", 5),
        ("depth", "FX505", 0),
        ("wet || note", "FX505", 7),
        ("!depth", "FX505", 1),
        ("depth + 1 > 2", "FX506", 6),
        ("-depth > 2", "FX506", 0),
        ("wet ? wet : wet", "FX506", 4),
        ("places[0] == 'bike'", "FX506", 6),
        ("note.matches('a+')", "FX506", 5),
        ("now() > 1", "FX506", 0),
        ("depth == null", "FX506", 9),
        ("timestamp('2026-01-01T00:00:00Z') > timestamp('2026-01-01T00:00:00Z')", "FX506", 0),
        ("places.all(x, x == 'bike')", "FX506", 7),
        ("depth == 10u", "FX506", 9),
        ("wet || " * 200 + "wet", "FX506", 0),
    ],
)
def test_refused(text: str, code: str, offset: int) -> None:
    """Whatever could fail for some answer is refused at its place."""
    problems = check(text, FIELDS)
    assert [(problem.code, problem.offset) for problem in problems[:1]] == [(code, offset)]


def test_did_you_mean() -> None:
    """A near name or option is offered."""
    assert "did you mean 'depth'?" in check("depht > 1", FIELDS)[0].message
    assert "did you mean 'bike'?" in check("lane == 'bik'", FIELDS)[0].message


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("wet == yes", "no answer is called 'yes': write true"),
        ("wet == No", "no answer is called 'No': write false"),
        ("lane == bike", "no answer is called 'bike': write 'bike' in single quotes if it is an option"),
        ("wet == 'yes'", "'wet' (a yes or no) cannot equal a text: compare it with true or false"),
        ("depth == '1'", "'depth' (a number) cannot equal a text"),
    ],
)
def test_what_was_meant(text: str, remedy: str) -> None:
    """A yes, a no or an option that is not written as conditions have it is told how."""
    assert [problem.message for problem in check(text, FIELDS)] == [remedy]


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ({"lane": "bike"}, Verdict(True)),
        ({"lane": "bike", "depth": None}, Verdict(True)),
        ({"lane": "curb", "depth": 10}, Verdict(True)),
        ({"lane": "curb", "depth": 9.5}, Verdict(False)),
        ({"depth": 10.0}, Verdict(True)),
        ({"lane": "curb"}, Verdict(False, ("depth",))),
        ({"lane": "curb", "depth": None}, Verdict(False, ("depth",))),
        ({"lane": "curb", "depth": float("nan")}, Verdict(False, ("depth",))),
        ({"depth": 3}, Verdict(False, ("lane",))),
        ({}, Verdict(False, ("depth", "lane"))),
    ],
)
def test_missing_answers(answers: Mapping[str, object], verdict: Verdict) -> None:
    """A missing answer matters only where the others do not decide."""
    assert evaluate("depth >= 10 || lane == 'bike'", answers) == verdict


def test_negation_of_a_missing_answer() -> None:
    """What is not known is not denied either."""
    assert evaluate("!(depth > 10)", {}) == Verdict(False, ("depth",))


@pytest.mark.parametrize(
    ("text", "answers"), [("depth >", {}), ("depth > 1", {"depth": "deep"}), ("depth", {"depth": 1})]
)
def test_unchecked_conditions_fault(text: str, answers: Mapping[str, object]) -> None:
    """A condition that the check would refuse faults instead of coming to false."""
    with pytest.raises(ConditionFault):
        evaluate(text, answers)


_NUMBERS = st.one_of(st.integers(-(10**20), 10**20), st.floats(allow_nan=False))
_ANSWERS = st.fixed_dictionaries(
    {
        "depth": _NUMBERS,
        "width": _NUMBERS,
        "lane": st.sampled_from(list(OPTIONS)),
        "places": st.lists(st.sampled_from(list(OPTIONS)), unique=True),
        "note": st.text(max_size=8),
        "seen": st.dates().map(str),
        "wet": st.booleans(),
    }
)
_LEAVES = st.sampled_from(
    [*FIELDS, "'bike'", "'x'", "''", "1", "-2.5", "1e3", "true", "'2026-03-31'", "['bike', 'curb']", "[1, 2.5]", "null"]
)
_EXPRESSIONS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["==", "!=", "<", ">=", "in", "&&", "||", "+", "/"]), inner).map(
            lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
        ),
        inner.map(lambda part: f"!{part}"),
        inner.map(lambda part: f"-{part}"),
        inner.map(lambda part: f"size({part})"),
        st.tuples(inner, st.sampled_from(["startsWith", "contains", "matches"]), inner).map(
            lambda parts: f"{parts[0]}.{parts[1]}({parts[2]})"
        ),
        st.tuples(inner, inner).map(lambda parts: f"{parts[0]}[{parts[1]}]"),
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(text=_EXPRESSIONS, answers=_ANSWERS)
def test_checked_conditions_never_fail(text: str, answers: dict[str, object]) -> None:
    """After the check there is no answer for which evaluation raises or stays undecided."""
    if not check(text, FIELDS):
        assert evaluate(text, answers).missing == ()


@settings(deadline=None)
@given(answers=_ANSWERS, left=_LEAVES, sign=st.sampled_from(["==", "!=", "<", "<=", ">", "in"]), right=_LEAVES)
def test_checked_comparisons_never_fail(answers: dict[str, object], left: str, sign: str, right: str) -> None:
    """The same for single comparisons, of which more pass the check."""
    text = f"{left} {sign} {right}"
    if not check(text, FIELDS):
        assert evaluate(text, answers).missing == ()


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_can_be_checked(text: str) -> None:
    """The check itself never raises."""
    for problem in check(text, FIELDS):
        assert 0 <= problem.offset <= len(text)
