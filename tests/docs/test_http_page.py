"""docs/http.md knows every endpoint with its roles, every parameter, problem code and journal kind."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import get_args

import pytest

from fixline.domain.journal.entry import FACTS
from fixline.domain.process.kinds.base import WaitKind
from fixline.web.bulk import BulkIn
from fixline.web.commands import (
    AmendIn,
    AttachIn,
    CancelIn,
    CommentIn,
    DetachIn,
    HoldIn,
    PriorityIn,
    ReassignIn,
    RecategoriseIn,
    ReopenIn,
    ResumeIn,
    SendBackIn,
    SignalIn,
)
from fixline.web.problems import _CODES, _HTTP_CODES, _OF_A_FIELD
from fixline.web.reports import ReportQuery
from fixline.web.requests import JournalQuery, ReportIn, RequestQuery
from fixline.web.supervision import DormantQuery, DueSoonQuery, OverdueQuery, WaitingQuery
from fixline.web.tasks import ClaimIn, CompleteIn, DeclineIn, ReleaseIn, TaskQuery, TaskReassignIn
from fixline.web.versions import FilesIn, MoveIn
from tests.support.docs.endpoints import endpoints
from tests.support.docs.pages import ROOT, page, table_rows

PAGE = page("http.md")


def section(heading: str) -> str:
    """A section's text, without its subsections' neighbours."""
    level = heading.split(" ", 1)[0]
    return re.split(rf"^{level} ", PAGE.partition(f"\n{heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(heading: str) -> list[str]:
    """Every code word in the first column of a section's tables."""
    return [word for row in table_rows(section(heading))[1:] for word in re.findall(r"`([^`]+)`", row[0])]


def test_every_endpoint_has_its_row_with_its_roles() -> None:
    """The table of endpoints is the application's, role by role."""
    told = {row[0].strip("`"): row[1] for row in table_rows(section("## Endpoints"))[1:]}
    assert told == dict(endpoints())


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("## Requests", set(RequestQuery.model_fields) - {"limit", "cursor"}),
        ("## Requests", set(ReportIn.model_fields)),
        ("## Requests", set(JournalQuery.model_fields) - {"limit", "cursor"}),
        ("### One command for many requests", set(BulkIn.model_fields)),
        ("## Tasks", set(TaskQuery.model_fields) - {"limit", "cursor"}),
        ("## Definitions", set(MoveIn.model_fields)),
        ("## Definitions", set(FilesIn.model_fields)),
        ("## Overdue", set(OverdueQuery.model_fields) - {"limit", "cursor"}),
        ("## Overdue", set(DueSoonQuery.model_fields) - {"limit", "cursor"}),
        ("## Overdue", set(DormantQuery.model_fields) - {"limit", "cursor"}),
        ("## Overdue", {*WaitingQuery.model_fields, *get_args(WaitKind)} - {"limit", "cursor"}),
        ("## Reports", {"from" if name == "from_" else name for name in ReportQuery.model_fields}),
        ("## How every call works", {"limit", "cursor"}),
    ],
    ids=[
        "list",
        "effect_result",
        "journal",
        "bulk",
        "tasks",
        "move",
        "files",
        "overdue",
        "soon",
        "dormant",
        "waiting",
        "reports",
        "pages",
    ],
)
def test_every_field_is_in_its_section(heading: str, names: set[str]) -> None:
    """Fields of bodies and parameters of queries stand as code."""
    told = set(re.findall(r"`([^`\n]+)`", section(heading)))
    assert names - told == set()


@pytest.mark.parametrize(
    ("heading", "verb", "body"),
    [
        ("## Commands", "hold", HoldIn),
        ("## Commands", "resume", ResumeIn),
        ("## Commands", "cancel", CancelIn),
        ("## Commands", "reopen", ReopenIn),
        ("## Commands", "priority", PriorityIn),
        ("## Commands", "recategorise", RecategoriseIn),
        ("## Commands", "amend", AmendIn),
        ("## Commands", "send-back", SendBackIn),
        ("## Commands", "comment", CommentIn),
        ("## Commands", "reassign", ReassignIn),
        ("## Commands", "signal", SignalIn),
        ("## Commands", "attach", AttachIn),
        ("## Commands", "detach", DetachIn),
        ("## Tasks", "claim", ClaimIn),
        ("## Tasks", "release", ReleaseIn),
        ("## Tasks", "complete", CompleteIn),
        ("## Tasks", "decline", DeclineIn),
        ("## Tasks", "reassign", TaskReassignIn),
    ],
)
def test_every_commands_body_is_told(heading: str, verb: str, body: type) -> None:
    """A command's row names the fields of its body, and no other."""
    rows = {row[0].strip("`"): row[1] for row in table_rows(section(heading))[1:]}
    assert set(re.findall(r"`(\w+)`", rows[verb])) == set(body.model_fields)  # type: ignore[attr-defined]


def test_every_journal_kind_has_its_row() -> None:
    """The journal's kinds, in the order of the code."""
    assert sorted(first_cells("## The journal's kinds")) == sorted(FACTS)


def calls(folder: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call in the files below a folder, by the name of what is called."""
    for path in (ROOT / "fixline" / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                yield name, node


def texts(call: ast.Call, place: int, keyword: str = "code") -> Iterator[str]:
    """The constant texts that a call can be given at this place, or by this keyword."""
    given = [each.value for each in call.keywords if each.arg == keyword] or list(call.args[place : place + 1])
    for value in given:
        for node in ast.walk(value):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def codes_of(*wanted: tuple[str, int]) -> set[str]:
    """What these functions are called with as their code, in all rooms that answer callers."""
    places = dict(wanted)
    found: set[str] = set()
    for folder in ("domain", "store", "service", "web"):
        for name, call in calls(folder):
            if name in places:
                found.update(texts(call, places[name]))
    return {code for code in found if re.fullmatch(r"[a-z_]+", code)}


def test_every_problem_code_has_its_row() -> None:
    """Problems, refusals and the table of HTTP's own errors."""
    real = codes_of(("Problem", 1), ("Forbidden", 1), ("find", 1), ("refuse", 0), ("Refusal", 0))
    real |= set(_HTTP_CODES.values())
    assert set(first_cells("### Of a whole request")) | set(first_cells("### Refusals by the rules")) == real


def test_every_code_of_a_field_has_its_row() -> None:
    """What can stand in `errors`."""
    real = codes_of(("invalid", 1), ("_Wrong", 0), ("_wrong", 1), ("FieldProblem", 1), ("FieldError", 1))
    real |= set(_CODES.values()) | {"invalid", "not_a_number", "not_a_datetime"}
    told = set(first_cells("### Of one field, in `errors`"))
    elsewhere = set(first_cells("### Of a whole request")) | set(_OF_A_FIELD)
    assert told - real == set()
    assert real - told - elsewhere == set()
