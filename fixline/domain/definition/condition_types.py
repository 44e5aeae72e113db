"""Which answers a condition may compare with what: the kinds of its terms, and the rules by which they fit."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fixline.domain.definition.fields import FieldKind, FormField
from fixline.errors import did_you_mean

UNKNOWN_NAME = "FX502"
NO_SUCH_OPTION = "FX503"
CANNOT_COMPARE = "FX504"
NOT_A_DECISION = "FX505"
NOT_SUPPORTED = "FX506"

_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_YES_NO = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}
_TEXT_FUNCTIONS = ("startsWith", "endsWith", "contains")
_WORDS: dict[str, str] = {FieldKind.CHOICES: "a list of choices", FieldKind.YES_NO: "a yes or no"}


class ConditionProblem(NamedTuple):
    """Something wrong in a condition: a code, plain words, and the character at which it is."""

    code: str
    message: str
    offset: int


class Term(NamedTuple):
    """A part of a condition and what it stands for; `unknown` after a problem that was already reported."""

    kind: str
    offset: int
    name: str | None = None
    literal: str | None = None
    options: tuple[str, ...] = ()
    items: tuple[Term, ...] = ()

    @property
    def words(self) -> str:
        """The term as a reader would call it: the answer's name, or its kind."""
        kind = _WORDS.get(self.kind, f"a {self.kind}")
        return f"'{self.name}' ({kind})" if self.name else kind


class Typing:
    """Collects what does not fit while a condition is read."""

    def __init__(self, fields: Mapping[str, FormField]) -> None:
        self._fields = fields
        self.problems: list[ConditionProblem] = []

    def report(self, code: str, message: str, offset: int) -> Term:
        """Keep a problem; the term that stands for it is of no known kind."""
        self.problems.append(ConditionProblem(code, message, offset))
        return Term("unknown", offset)

    def answer(self, name: str, offset: int) -> Term:
        """The answer of that name."""
        field = self._fields.get(name)
        if field is None:
            return self.report(UNKNOWN_NAME, f"no answer is called '{name}'{self._meant(name)}", offset)
        if field.kind in {FieldKind.PHOTO, FieldKind.DATETIME}:
            message = f"'{name}' is a {field.kind.value}, which a condition cannot compare"
            return self.report(CANNOT_COMPARE, message, offset)
        return Term(field.kind, offset, name=name, options=tuple(field.options))

    def _meant(self, name: str) -> str:
        """What a name that no answer has was probably meant to be."""
        if name.lower() in _YES_NO:
            return f": write {_YES_NO[name.lower()]}"
        if any(name in field.options for field in self._fields.values()):
            return f": write '{name}' in single quotes if it is an option"
        return did_you_mean(name, self._fields)

    def require_decision(self, term: Term) -> None:
        """A term that stands where only yes or no can."""
        if term.kind in {FieldKind.YES_NO, "unknown"}:
            return
        self.report(NOT_A_DECISION, f"{term.words} is neither yes nor no: compare it with something", term.offset)

    def called(self, function: str, offset: int, terms: Sequence[Term]) -> Term:
        """A function of the few that conditions have, called on these terms."""
        if function == "size":
            if len(terms) != 1 or terms[0].kind not in {FieldKind.CHOICES, "unknown"}:
                return self.report(CANNOT_COMPARE, "size() counts the entries of one answer of kind choices", offset)
            return Term(FieldKind.NUMBER, offset)
        if function in _TEXT_FUNCTIONS:
            if len(terms) != 2 or any(term.kind not in {FieldKind.TEXT, "unknown"} for term in terms):
                return self.report(CANNOT_COMPARE, f"{function}() is asked of a text, about one text", offset)
            return Term(FieldKind.YES_NO, offset)
        known = ", ".join(("size", *_TEXT_FUNCTIONS))
        near = did_you_mean(function, ("size", *_TEXT_FUNCTIONS))
        return self.report(NOT_SUPPORTED, f"conditions have no '{function}'{near}; there are {known}", offset)

    def compared(self, left: Term, sign: str, right: Term) -> Term:
        """The result of a comparison: yes or no."""
        if "unknown" not in {left.kind, right.kind}:
            if sign == "in":
                self._contained(left, right)
            elif sign in {"==", "!="}:
                self._equal(left, right)
            else:
                self._ordered(left, sign, right)
        return Term(FieldKind.YES_NO, left.offset)

    def _contained(self, item: Term, container: Term) -> None:
        if container.kind == FieldKind.CHOICES and item.kind in {FieldKind.TEXT, FieldKind.CHOICE}:
            self._require_option(container, item)
        elif container.kind == "list" and container.items:
            for member in container.items:
                if "unknown" not in {item.kind, member.kind}:
                    self._equal(item, member)
        elif container.kind == "list":
            self.report(CANNOT_COMPARE, "the list is empty: nothing is in it", container.offset)
        else:
            message = f"'in' needs a list like ['a', 'b'] or an answer of kind choices, not {container.words}"
            self.report(CANNOT_COMPARE, message, container.offset)

    def _equal(self, left: Term, right: Term) -> None:
        kinds = {left.kind, right.kind}
        if kinds & {"list", FieldKind.CHOICES}:
            message = f"{left.words} and {right.words} are not compared whole: write 'option in answer'"
            self.report(CANNOT_COMPARE, message, left.offset)
        elif kinds <= {FieldKind.TEXT, FieldKind.CHOICE}:
            self._require_option(left, right)
            self._require_option(right, left)
        elif not self._fit(left, right):
            remedy = ": compare it with true or false" if FieldKind.YES_NO in kinds else ""
            self.report(CANNOT_COMPARE, f"{left.words} cannot equal {right.words}{remedy}", left.offset)

    def _ordered(self, left: Term, sign: str, right: Term) -> None:
        if left.kind == FieldKind.YES_NO and FieldKind.NUMBER in {left.kind, right.kind}:
            message = f"one comparison at a time: join two with '&&' instead of a second '{sign}'"
            self.report(CANNOT_COMPARE, message, left.offset)
        elif not (self._fit(left, right) and left.kind != FieldKind.YES_NO):
            message = f"{left.words} and {right.words} have no order: '{sign}' compares numbers or dates"
            self.report(CANNOT_COMPARE, message, left.offset)

    def _fit(self, left: Term, right: Term) -> bool:
        """Whether two terms are both numbers, both yes or no, or both dates (also written as text)."""
        kinds = {left.kind, right.kind}
        if FieldKind.DATE in kinds:
            return all(self._is_date(term) for term in (left, right))
        return len(kinds) == 1 and kinds <= {FieldKind.NUMBER, FieldKind.YES_NO}

    def _is_date(self, term: Term) -> bool:
        if term.kind == FieldKind.DATE:
            return True
        if term.kind != FieldKind.TEXT or term.literal is None:
            return False
        try:
            dt.date.fromisoformat(term.literal)
        except ValueError:
            return False
        return _ISO_DATE.fullmatch(term.literal) is not None

    def _require_option(self, choice: Term, other: Term) -> None:
        """An answer that has options is compared with one of them."""
        if not choice.options:
            return
        if other.literal is not None and other.literal not in choice.options:
            near = did_you_mean(other.literal, choice.options) or f"; its options are {', '.join(choice.options)}"
            self.report(NO_SUCH_OPTION, f"'{other.literal}' is no option of '{choice.name}'{near}", other.offset)
        if other.options and not set(other.options) & set(choice.options) and choice.offset <= other.offset:
            message = f"{choice.words} and {other.words} have no option in common"
            self.report(CANNOT_COMPARE, message, choice.offset)
