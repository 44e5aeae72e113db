"""Errors as RFC 9457 problems, each with a stable `code`; the one table from domain errors to statuses.

Owns every error answer of the service. A problem never repeats what the caller sent: that may be contact data.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

from fixline.domain.process.decision import FieldProblem, Refusal, Refused
from fixline.service.submissions import KeyReused, RequestUnknown
from fixline.store.store import StoreAway, StoreBusy

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5


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


def invalid(field: str, code: str, message: str) -> Problem:
    """A 422 for one field."""
    return Problem(422, "invalid", f"{field}: {message}", errors=[FieldError(field=field, code=code, message=message)])


# -- refusals by the rules -------------------------------------------------------------------------------------------

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
    errors = [
        FieldError(field=f"{_OF_MANY_FIELDS.get(refusal.code, '')}.{each.field}".strip("."), **_rest(each))
        for each in refusal.fields
    ]
    if refusal.code in _OF_A_FIELD:
        errors = [FieldError(field=_OF_A_FIELD[refusal.code], code=refusal.code, message=refusal.message)]
    status = 422 if errors or refusal.code in _OF_MANY_FIELDS else 403 if refusal.code in _FORBIDDEN else 409
    return Problem(status, refusal.code, refusal.message, errors=errors, data=refusal.data)


def _rest(problem: FieldProblem) -> dict[str, str]:
    return {"code": problem.code, "message": problem.message}


# -- validation ------------------------------------------------------------------------------------------------------

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


def of_validation(errors: Iterable[Mapping[str, Any]]) -> Problem:
    """Pydantic's errors as one 422 that names every field."""
    found = [_field_error(error) for error in errors]
    return Problem(422, "invalid", "; ".join(f"{each.field}: {each.message}" for each in found[:3]), errors=found)


def _field_error(error: Mapping[str, Any]) -> FieldError:
    place = [str(part) for part in error["loc"]]
    if len(place) > 1 and place[0] in ("body", "query", "path", "header"):
        place = place[1:]
    kind = str(error["type"])
    code = _CODES.get(kind) or ("not_a_number" if kind.startswith(("int_", "float_", "finite")) else None)
    code = code or ("not_a_datetime" if kind.startswith(("datetime", "date_")) else "invalid")
    message = "there is no such field" if code == "unknown_field" else str(error["msg"])
    return FieldError(field=".".join(place), code=code, message=message.removeprefix("Value error, "))


# -- answers ---------------------------------------------------------------------------------------------------------


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


def away() -> Problem:
    """The database cannot be reached; nothing was accepted."""
    text = "the database cannot be reached; nothing was accepted, please try again"
    return Problem(503, "store_away", text, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def busy() -> Problem:
    """More is being written than the database takes; nothing was accepted."""
    text = "too much is being written just now; nothing was accepted, please try again"
    return Problem(503, "store_busy", text, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


_HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}
_HTTP_DETAILS = {404: "there is nothing at this address", 405: "this address does not take that method"}


def _of_http(error: StarletteHTTPException) -> Problem:
    if isinstance(error, Problem):
        return error
    status = error.status_code
    code = _HTTP_CODES.get(status, HTTPStatus(status).phrase.lower().replace(" ", "_"))
    return Problem(status, code, _HTTP_DETAILS.get(status, str(error.detail)), headers=error.headers)


def _of_reuse(_error: KeyReused) -> Problem:
    return Problem(409, "idempotency_key_reused", "this Idempotency-Key was used for another request of yours")


def _of_fault(_error: Exception) -> Problem:
    return Problem(500, "fault", "a fault of ours; it has been logged")  # by the server, which gets it too


_TABLE: dict[type[Exception], Callable[[Any], Problem]] = {
    StarletteHTTPException: _of_http,
    RequestValidationError: lambda error: of_validation(error.errors()),
    StoreBusy: lambda _error: busy(),
    StoreAway: lambda _error: away(),
    KeyReused: _of_reuse,
    RequestUnknown: lambda _error: Problem(404, "request_unknown", "there is no such request"),
    Refused: lambda error: of_refusal(error.refusal),
    ClientDisconnect: lambda _error: Problem(400, "disconnected", "the body did not arrive"),
    Exception: _of_fault,
}
"""What each error that gets out of a route is answered with."""


def install(app: FastAPI) -> None:
    """Let the app answer every error with a problem."""
    for kind, make in _TABLE.items():
        app.add_exception_handler(kind, _handler(make))


def _handler(make: Callable[[Any], Problem]) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
    async def handle(_request: Request, error: Exception) -> JSONResponse:
        return response(make(error))

    return handle


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
