"""The small part of CEL that a department may write as a condition on answers, checked once and evaluated often: no
arithmetic, indexing, clocks, patterns or conversions, for each of them can fail for some answer; what passes the check
cannot. Evaluation itself, with its short circuit, is the `cel` library's.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from fixline.domain.definition.condition_types import NOT_SUPPORTED, UNKNOWN_NAME, ConditionProblem, Term, Typing
from fixline.domain.definition.fields import FieldKind, FormField
from fixline.errors import FixlineError

if TYPE_CHECKING:
    from cel import Program

__all__ = ["UNKNOWN_NAME", "ConditionProblem", "check", "evaluate"]

SYNTAX = "FX501"
LONGEST = 1000
RESERVED_NAMES = frozenset(
    {"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop"}
    | {"namespace", "null", "package", "return", "size", "true", "var", "void", "while"}
)
"""Words that an answer's name cannot be, because the expression language keeps them for itself."""

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\f]+)
    |(?P<number>(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    |(?P<text>'(?:[^'\\\n\r]|\\['"\\])*'|"(?:[^"\\\n\r]|\\['"\\])*")
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*(?!['"]))
    |(?P<sign>&&|\|\||==|!=|<=|>=|[<>!()\[\],.-])""",
    re.VERBOSE,
)
_WHERE = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)")


def _loaded() -> ModuleType:
    """The compiled module within the `cel` package, under its own name; the package where it holds no such module.
    `import cel` also loads a shell, which costs every start of Fixline more than the rest of the rules together."""
    package = find_spec("cel")
    found = PathFinder.find_spec("cel.cel", package.submodule_search_locations) if package is not None else None
    if "cel.cel" in sys.modules or found is None or found.loader is None:
        return import_module("cel")
    module = sys.modules["cel.cel"] = module_from_spec(found)
    found.loader.exec_module(module)
    return module


compile_condition: Callable[[str], Program] = _loaded().compile
"""Compiles a condition's text; ValueError says what is wrong with it."""


class ConditionFault(FixlineError):
    """A condition that passed no check, or answers of other kinds than those it was checked for."""


class Verdict(NamedTuple):
    """What a condition comes to. `missing` names the unanswered questions that left it undecided (false)."""

    holds: bool
    missing: tuple[str, ...] = ()


def check(text: str, fields: Mapping[str, FormField]) -> list[ConditionProblem]:
    """What is wrong with a condition on answers to these fields; nothing when any answers decide it. Offsets count
    characters from the condition's beginning; codes are FX5xx of fixline.catalog.codes."""
    if len(text) > LONGEST:
        return [ConditionProblem(NOT_SUPPORTED, f"a condition has at most {LONGEST} characters", 0)]
    try:
        compile_condition(text)
    except ValueError as problem:
        return [_explained(text, str(problem))]
    typing = Typing(fields)
    try:
        result = _Parser(_tokens(text), typing).condition()
    except _Unsupported as refusal:
        return [*typing.problems, ConditionProblem(NOT_SUPPORTED, str(refusal), refusal.offset)]
    typing.require_decision(result)
    return sorted(typing.problems, key=lambda problem: problem.offset)


def evaluate(text: str, answers: Mapping[str, object]) -> Verdict:
    """Whether a checked condition holds for these answers; one that is absent, None or NaN is missing, and a condition
    that it leaves undecided does not hold. Raises ConditionFault where condition or answers were never checked."""
    program, names = _compiled(text)
    present = {name: answers[name] for name in names if _is_answered(answers.get(name))}
    missing = tuple(name for name in names if name not in present)
    try:
        result = program.execute(present)
    except (RuntimeError, TypeError, ValueError, ArithmeticError, LookupError) as problem:
        if missing:
            return Verdict(False, missing)
        raise ConditionFault(f"condition {text!r} cannot be evaluated: {problem}") from problem
    if not isinstance(result, bool):
        raise ConditionFault(f"condition {text!r} comes to {result!r}, which is neither yes nor no")
    return Verdict(result)


def _is_answered(value: object) -> bool:
    return value is not None and not (isinstance(value, float) and math.isnan(value))


@lru_cache(maxsize=4096)
def _compiled(text: str) -> tuple[Program, tuple[str, ...]]:
    try:
        program = compile_condition(text)
    except ValueError as problem:
        raise ConditionFault(f"condition {text!r} cannot be read: {problem}") from problem
    return program, tuple(program.variables())


def _explained(text: str, problem: str) -> ConditionProblem:
    """The library's complaint in words for the writer, at its place."""
    found = _WHERE.search(problem)
    offset = 0
    if found is not None:
        lines = text.splitlines(keepends=True) or [""]
        line = min(int(found[1]), len(lines)) - 1
        offset = min(sum(map(len, lines[:line])) + int(found[2]) - 1, len(text))
    return ConditionProblem(SYNTAX, _hint(text, offset), max(offset, 0))


def _hint(text: str, offset: int) -> str:
    if not text.strip():
        return "the condition is empty"
    rest = text[offset:]
    if rest.startswith("=") and not rest.startswith("=="):
        return "'=' compares nothing: write '=='"
    word = re.match(r"[A-Za-z_]+", rest)
    if word and word[0].lower() in {"and", "or"}:
        return f"write '{'&&' if word[0].lower() == 'and' else '||'}' instead of '{word[0]}'"
    if word and word[0] in RESERVED_NAMES:
        return f"'{word[0]}' is a word of the condition language and names no answer"
    if not rest.strip():
        return "the condition ends too early"
    return f"the condition cannot be read from {rest[:20]!r} on"


class _Unsupported(Exception):
    """Something that CEL can say and a condition may not."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class _Token(NamedTuple):
    kind: str
    text: str
    offset: int


def _tokens(text: str) -> list[_Token]:
    found, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _Unsupported(_unsupported_sign(text[position]), position)
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(_Token(kind, match[0], position))
        position = match.end()
    return [*found, _Token("end", "", len(text))]


def _unsupported_sign(sign: str) -> str:
    if sign in "+*/%":
        return f"conditions do not calculate ('{sign}'): compare an answer with a number"
    if sign in "?:":
        return "conditions have no '? :': use '&&' and '||'"
    return f"conditions cannot say {sign!r} here"


class _Parser:
    """Reads tokens into typed terms; reports what does not fit, raises _Unsupported for the rest of CEL."""

    def __init__(self, tokens: Sequence[_Token], typing: Typing) -> None:
        self._tokens = tokens
        self._typing = typing
        self._index = 0

    def condition(self) -> Term:
        term = self._disjunction()
        if self._next.kind != "end":
            raise self._refuse()
        return term

    @property
    def _next(self) -> _Token:
        return self._tokens[self._index]

    def _take(self, *signs: str) -> _Token | None:
        token = self._next
        if token.text in signs and token.kind in {"sign", "name"}:
            self._index += 1
            return token
        return None

    def _expect(self, sign: str) -> None:
        if self._take(sign) is None:
            raise self._refuse()

    def _refuse(self) -> _Unsupported:
        token = self._next
        return _Unsupported(f"conditions cannot say '{token.text or 'nothing'}' here", token.offset)

    def _disjunction(self) -> Term:
        return self._logical("||", self._conjunction)

    def _conjunction(self) -> Term:
        return self._logical("&&", self._relation)

    def _logical(self, sign: str, operand: Callable[[], Term]) -> Term:
        term = operand()
        while self._take(sign):
            other = operand()
            self._typing.require_decision(term)
            self._typing.require_decision(other)
            term = Term(FieldKind.YES_NO, term.offset)
        return term

    def _relation(self) -> Term:
        term = self._unary()
        while sign := self._take("==", "!=", "<=", ">=", "<", ">", "in"):
            term = self._typing.compared(term, sign.text, self._unary())
        return term

    def _unary(self) -> Term:
        if sign := self._take("!"):
            self._typing.require_decision(self._unary())
            return Term(FieldKind.YES_NO, sign.offset)
        if sign := self._take("-"):
            if self._next.kind != "number":
                raise _Unsupported("conditions do not calculate ('-'): compare an answer with a number", sign.offset)
            number = self._primary()
            return Term(number.kind, sign.offset, literal=f"-{number.literal}")
        return self._postfix()

    def _postfix(self) -> Term:
        term = self._primary()
        while self._take("."):
            name = self._next
            if name.kind != "name":
                raise self._refuse()
            self._index += 1
            term = self._typing.called(name.text, name.offset, [term, *self._arguments()])
        if self._next.text == "[":
            raise _Unsupported("conditions do not pick from a list by position: use 'in'", self._next.offset)
        return term

    def _arguments(self) -> list[Term]:
        self._expect("(")
        return self._items(")")

    def _items(self, closing: str) -> list[Term]:
        items: list[Term] = []
        while not self._take(closing):
            if items:
                self._expect(",")
                if self._take(closing):
                    break
            items.append(self._disjunction())
        return items

    def _primary(self) -> Term:
        token = self._next
        self._index += 1
        if token.text == "(" and token.kind == "sign":
            term = self._disjunction()
            self._expect(")")
            return term
        if token.text == "[" and token.kind == "sign":
            return Term("list", token.offset, items=tuple(self._items("]")))
        if token.kind == "number":
            return Term(FieldKind.NUMBER, token.offset, literal=token.text)
        if token.kind == "text":
            return Term(FieldKind.TEXT, token.offset, literal=re.sub(r"\\(.)", r"\1", token.text[1:-1]))
        if token.kind == "name":
            return self._named(token)
        self._index -= 1
        raise self._refuse()

    def _named(self, token: _Token) -> Term:
        if token.text in {"true", "false"}:
            return Term(FieldKind.YES_NO, token.offset)
        if self._next.text == "(":
            return self._typing.called(token.text, token.offset, self._arguments())
        if token.text == "null":
            raise _Unsupported("a missing answer makes a condition false by itself: leave 'null' out", token.offset)
        return self._typing.answer(token.text, token.offset)
