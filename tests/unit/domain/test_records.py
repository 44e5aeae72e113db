"""Records as JSON and back, and what keeps a mistyped one from being written."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import ValidationError
from msgspec.json import Decoder
from pydantic_core import to_jsonable_python

from fixline.domain.journal.entry import FACTS
from fixline.domain.journal.state import Position
from fixline.domain.process.commands import Place
from fixline.domain.process.effects import EFFECTS, read_effect
from fixline.domain.records import change, from_data, from_json, to_data, to_text

NOW = datetime(2026, 3, 8, 7, 59, 59, 123456, tzinfo=UTC)
POSITION = Position(step="inspect", visit=1, entered_at=NOW)


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_are_written_as_everywhere_else(at: datetime) -> None:
    assert to_data({"at": at}) == to_jsonable_python({"at": at})


def test_a_record_survives_json() -> None:
    position = change(POSITION, wait_until=NOW + timedelta(hours=1))
    assert Decoder(Position, dec_hook=from_json).decode(to_text(position)) == position
    assert from_data(Position, to_data(position)) == position


def test_a_field_that_a_record_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="entered"):
        change(POSITION, entered=NOW)
    with pytest.raises(ValidationError, match="entered"):
        from_data(Position, {**to_data(POSITION), "entered": "x"})
    with pytest.raises(ValidationError, match="visit"):
        from_data(Position, {**to_data(POSITION), "visit": "first"})


def test_what_a_record_cannot_keep_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot keep a object"):
        to_data({"what": object()})
    with pytest.raises(ValidationError, match="cannot keep a Path"):
        from_data(Path, "x")
    assert to_data(Place(address="12 N Main St")) == {"latitude": None, "longitude": None, "address": "12 N Main St"}


def test_every_kind_has_a_class_of_its_name() -> None:
    assert all(kind == found.kind for kind, found in FACTS.items())
    assert all(kind == found.kind for kind, found in EFFECTS.items())
    with pytest.raises(KeyError, match="dance"):
        read_effect("dance", "R:1:1", {})


MISTYPED = """
from datetime import UTC, datetime
from fixline.domain.journal import facts
from fixline.domain.process.effects import Escalate
from fixline.domain.definition.vocabulary import CloseOutcome

facts.Held("frost", code="permit")
facts.Closed(CloseOutcome.FIXED, datetime.now(UTC))
facts.Held("frost", cod="permit")
facts.Closed(CloseOutcome.FIXED, "2026-03-08T07:59:59Z")
Escalate(role="supervisor", rung="75%", clok="resolve")
"""


@pytest.mark.slow
def test_a_mistyped_field_fails_the_type_check(tmp_path: Path) -> None:
    """The two right lines pass; a wrong name, a text for an instant, and a wrong name in an effect do not."""
    file = tmp_path / "mistyped.py"
    file.write_text(MISTYPED, "utf-8")
    root = Path(__file__).resolve().parents[3]
    settings = [
        "--config-file",
        str(root / "pyproject.toml"),
        "--follow-imports",
        "silent",
        "--cache-dir",
        str(tmp_path),
    ]
    found = subprocess.run(
        [sys.executable, "-m", "mypy", *settings, str(file)], cwd=root, capture_output=True, text=True, check=False
    )
    lines = [line.split(":")[1] for line in found.stdout.splitlines() if "error:" in line]
    assert (lines, found.returncode) == (["9", "10", "11"], 1), found.stdout + found.stderr
