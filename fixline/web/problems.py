"""Errors as RFC 9457 problems, each with a stable `code`; the one table from domain errors to statuses.

A problem never repeats what the caller sent: that may be contact data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

from fixline.domain.process.decision import Refusal, Refused
from fixline.service.submissions import KeyReused, NotAllowed, RequestUnknown
from fixline.store.store import StoreAway, StoreBusy

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5
M = TypeVar("M", bound=BaseModel)


class FieldError(BaseModel):
    """One field that is wrong."""

    field: str = Field(description="The field's path, such as location.latitude.")
    code: str = Field(description="A stable code, such as missing or unknown_option.")
    message: str = Field(description="What is wrong, in plain words.")


class ProblemOut(BaseModel):
    """An error (RFC 9457, application/problem+json)."""

    type: str = Field("about:blank", description="A URI for the kind of problem.")
    title: str = Field(description="The HTTP status in words.")
    status: int
    code: str = Field(description="A stable code that programs may rely on.")
    detail: str = Field(description="What is wrong, in plain words.")
    errors: list[FieldError] | None = Field(None, description="Every field that is wrong (422 only).")
    data: dict[str, Any] | None = Field(None, description="Facts behind a refusal, such as state and assignee.")
    findings: list[dict[str, Any]] | None = Field(None, description="What is wrong in definitions that were sent.")

    model_config = {
        "json_schema_extra": {
            "example": {
                "type": "urn:fixline:problem:task_state",
                "title": "Conflict",
                "status": 409,
                "code": "task_state",
                "detail": "task SR26-00000001-T1 is completed by anneke-vos and cannot be changed",
                "data": {"task": "SR26-00000001-T1", "state": "completed", "assignee": "anneke-vos"},
            }
        }
    }


class Problem(HTTPException):
    """An error answer to raise."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Iterable[FieldError] = (),
        data: Mapping[str, Any] | None = None,
        findings: Iterable[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers) if headers else None)
        self.code = code
        self.errors = list(errors)
        self.data = dict(data) if data else None
        self.findings = [dict(each) for each in findings]


class Forbidden(Problem, NotAllowed):
    """An error answer to who may not do this, or not to this request."""


def invalid(field: str, code: str, message: str) -> Problem:
    """A 422 for one field."""
    return Problem(422, "invalid", f"{field}: {message}", errors=[FieldError(field=field, code=code, message=message)])


_OF_A_FIELD = {
    "too_many_photos": "photos",
    "location_missing": "location",
    "outside_city": "location",
    "unknown_outcome": "outcome",
    "unknown_step": "step",
}
_OF_MANY_FIELDS = {"answers_invalid": "answers", "form_invalid": "form"}
_FORBIDDEN = {"wrong_team", "not_allowed"}


def of_refusal(refusal: Refusal) -> Problem:
    """A refusal as a problem: 422 when what was sent is wrong, 403 for whose it is, else 409."""
    of = _OF_MANY_FIELDS.get(refusal.code, "")
    errors = [
        FieldError(field=f"{of}.{each.field}".strip("."), code=each.code, message=each.message)
        for each in refusal.fields
    ]
    if refusal.code in _OF_A_FIELD:
        errors = [FieldError(field=_OF_A_FIELD[refusal.code], code=refusal.code, message=refusal.message)]
    status = 422 if errors or refusal.code in _OF_MANY_FIELDS else 403 if refusal.code in _FORBIDDEN else 409
    return Problem(status, refusal.code, refusal.message, errors=errors, data=refusal.data)


_CODES = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "string_too_short": "too_short",
    "too_short": "too_short",
    "literal_error": "unknown_option",
    "enum": "unknown_option",
    "greater_than_equal": "too_small",
    "greater_than": "too_small",
    "less_than_equal": "too_large",
    "less_than": "too_large",
    "string_type": "not_text",
    "string_pattern_mismatch": "wrong_pattern",
    "bool_type": "not_yes_no",
    "bool_parsing": "not_yes_no",
    "list_type": "not_a_list",
    "dict_type": "not_an_object",
    "model_attributes_type": "not_an_object",
    "model_type": "not_an_object",
    "timezone_aware": "no_zone",
}


def well_formed(model: type[M], said: Mapping[str, Any], *within: str) -> M:
    """A model of what was said; what it refuses is the caller's 422, at its place `within` the body."""
    try:
        return model.model_validate(said)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise _of_validation([{**each, "loc": (*within, *each["loc"])} for each in found]) from None


def of_fields(errors: list[FieldError]) -> Problem:
    """One 422 that names every field."""
    return Problem(422, "invalid", "; ".join(f"{each.field}: {each.message}" for each in errors[:3]), errors=errors)


def _of_validation(errors: Iterable[Mapping[str, Any]]) -> Problem:
    """Pydantic's errors as one."""
    return of_fields([_field_error(error) for error in errors])


def _field_error(error: Mapping[str, Any]) -> FieldError:
    place = [str(part) for part in error["loc"]]
    if len(place) > 1 and place[0] in ("body", "query", "path", "header"):
        place = place[1:]
    kind = str(error["type"])
    code = _CODES.get(kind) or ("not_a_number" if kind.startswith(("int_", "float_", "finite")) else None)
    code = code or ("not_a_datetime" if kind.startswith(("datetime", "date_")) else "invalid")
    message = "there is no such field" if code == "unknown_field" else str(error["msg"])
    return FieldError(field=".".join(place), code=code, message=message.removeprefix("Value error, "))


def response(problem: Problem) -> JSONResponse:
    """The problem as an answer."""
    body = ProblemOut(
        type=f"urn:fixline:problem:{problem.code}",
        title=HTTPStatus(problem.status_code).phrase,
        status=problem.status_code,
        code=problem.code,
        detail=str(problem.detail),
        errors=problem.errors or None,
        data=problem.data,
        findings=problem.findings or None,
    )
    content = body.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, problem.status_code, problem.headers, media_type=MEDIA_TYPE)


_HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}
_HTTP_DETAILS = {404: "there is nothing at this address", 405: "this address does not take that method"}


def _of_http(error: StarletteHTTPException) -> Problem:
    if isinstance(error, Problem):
        return error
    status = error.status_code
    code = _HTTP_CODES.get(status, HTTPStatus(status).phrase.lower().replace(" ", "_"))
    return Problem(status, code, _HTTP_DETAILS.get(status, str(error.detail)), headers=error.headers)


_LATER = {"Retry-After": str(RETRY_AFTER_SECONDS)}
_AWAY = "the database cannot be reached; nothing was accepted, please try again"
_BUSY = "too much is being written just now; nothing was accepted, please try again"
_FAULT = "a fault of ours; it has been logged"  # by the server, which gets it too
_REUSED = "this Idempotency-Key was used for another request of yours"
_TABLE: dict[type[Exception], Callable[[Any], Problem]] = {
    StarletteHTTPException: _of_http,
    RequestValidationError: lambda error: _of_validation(error.errors()),
    StoreBusy: lambda _error: Problem(503, "store_busy", _BUSY, headers=_LATER),
    StoreAway: lambda _error: Problem(503, "store_away", _AWAY, headers=_LATER),
    KeyReused: lambda _error: Problem(409, "idempotency_key_reused", _REUSED),
    RequestUnknown: lambda _error: Problem(404, "request_unknown", "there is no such request"),
    Refused: lambda error: of_refusal(error.refusal),
    ClientDisconnect: lambda _error: Problem(400, "disconnected", "the body did not arrive"),
    Exception: lambda _error: Problem(500, "fault", _FAULT),
}
"""What each error that gets out of a route is answered with."""


def install(app: FastAPI) -> None:
    """Let the app answer every error with a problem."""
    for kind, make in _TABLE.items():
        app.add_exception_handler(kind, partial(_answer, make))


async def _answer(make: Callable[[Any], Problem], _request: Request, error: Exception) -> JSONResponse:
    return response(make(error))


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer with, for OpenAPI."""
    texts = {
        401: "No key, or one that does not work",
        403: "The key's role, teams or department do not allow it",
        404: "There is no such thing",
        409: "Refused by the rules, or an Idempotency-Key used for another body",
        413: "The body is too large",
        415: "The body is not JSON",
        422: "What was sent is wrong; every field is listed",
        503: "The database cannot be reached, or is too busy; nothing was accepted",
    }
    schema = {"$ref": "#/components/schemas/ProblemOut"}
    return {status: {"description": texts[status], "content": {MEDIA_TYPE: {"schema": schema}}} for status in statuses}
