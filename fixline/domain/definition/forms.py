"""Whether answers fit the questions that ask for them, wherever they come from. Answers are JSON values; dates are ISO
texts, date-times ISO texts with a zone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from fixline.domain.definition.fields import FieldKind, FormField
from fixline.domain.process.decision import FieldProblem
from fixline.errors import did_you_mean

MAX_TEXT = 4000


class _Wrong(Exception):
    """An answer that does not fit; carries code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _text(_field: FormField, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Wrong("not_text", "must be a text that is not empty")
    if len(value) > MAX_TEXT:
        raise _Wrong("too_long", f"must have at most {MAX_TEXT} characters")
    return value


def _number(field: FormField, value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
        raise _Wrong("not_a_number", "must be a number")
    if field.min is not None and value < field.min:
        raise _Wrong("too_small", f"must be at least {field.min:g}")
    if field.max is not None and value > field.max:
        raise _Wrong("too_large", f"must be at most {field.max:g}")
    return value


def _finite(number: float) -> bool:
    """Whether it is a number that a float can hold: JSON has whole numbers of any length."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _option(field: FormField, value: Any) -> str:
    if isinstance(value, str) and value in field.options:
        return value
    hint = did_you_mean(value, field.options, ";") if isinstance(value, str) else ""
    raise _Wrong("unknown_option", f"must be one of {', '.join(field.options)}{hint}")


def _options(field: FormField, value: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise _Wrong("not_a_list", f"must be a list of {', '.join(field.options)}")
    return list(dict.fromkeys(_option(field, item) for item in value))


def _yes_no(_field: FormField, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("not_yes_no", "must be true or false")
    return value


def _date(_field: FormField, value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise _Wrong("not_a_date", "must be a date such as 2026-11-22") from None


def _datetime(_field: FormField, value: Any) -> str:
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _Wrong("not_a_datetime", "must be a date and time with zone such as 2026-11-22T16:00:00Z") from None
    if instant.tzinfo is None:
        raise _Wrong("no_zone", "must say its zone, such as 2026-11-22T16:00:00Z")
    return instant.isoformat()


def _photo(_field: FormField, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        raise _Wrong("not_a_photo", "must be the reference of a photo")
    return value


_READ = {
    FieldKind.TEXT: _text,
    FieldKind.NUMBER: _number,
    FieldKind.CHOICE: _option,
    FieldKind.CHOICES: _options,
    FieldKind.YES_NO: _yes_no,
    FieldKind.DATE: _date,
    FieldKind.DATETIME: _datetime,
    FieldKind.PHOTO: _photo,
}


def read_answers(
    fields: Mapping[str, FormField],
    answers: Mapping[str, Any],
    *,
    outcome: str | None = None,
    partial: bool = False,
) -> tuple[dict[str, Any], tuple[FieldProblem, ...]]:
    """The answers that fit and the problems of those that do not, in the order of the fields; None counts as not given.
    `outcome` says for which outcome a step's form is filled in; `partial` asks for no required answers, as when single
    answers are amended."""
    clean: dict[str, Any] = {}
    problems: list[FieldProblem] = []
    for name, field in fields.items():
        value = answers.get(name)
        if value is None:
            if not partial and (field.required or (outcome is not None and outcome in field.required_for)):
                why = f"required for outcome {outcome!r}" if outcome in field.required_for else "required"
                problems.append(FieldProblem(field=name, code="missing", message=f"an answer is {why}"))
            continue
        try:
            clean[name] = _READ[field.kind](field, value)
        except _Wrong as wrong:
            problems.append(FieldProblem(field=name, code=wrong.code, message=str(wrong)))
    problems += [_unknown(name, fields) for name in answers if name not in fields]
    return clean, tuple(problems)


def _unknown(name: str, fields: Mapping[str, FormField]) -> FieldProblem:
    hint = did_you_mean(name, fields) or (f"; there is {', '.join(fields)}" if fields else "")
    return FieldProblem(field=name, code="unknown_field", message=f"no such question{hint}")
