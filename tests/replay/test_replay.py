"""Every recorded history replays on today's workflow, whatever has become of rules, definitions and calendars."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory

from fixline.domain.deadlines import clocks, timekeeping
from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.definition.model import Definition
from fixline.domain.process import advance, walk
from fixline.service import commands
from tests.support.broken_workflow import BrokenRequest
from tests.support.shop import replayer
from workflows.service_request import ServiceRequest

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))
ROOT = Path(__file__).resolve().parents[2]
recorded = pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)


async def replay(path: Path, workflow: type = ServiceRequest) -> None:
    """Replay one history in the sandbox in which workers run workflows; raises where it does not fit."""
    history = WorkflowHistory.from_json(path.stem, path.read_text(encoding="utf-8"))
    await replayer(workflow).replay_workflow(history)


def test_there_are_histories_of_every_story() -> None:
    stories = {path.stem.split("-")[1] for path in HISTORIES}
    assert stories >= {"pothole", "deadlines", "waits", "crowd", "continued", "outside", "by_hand"}


@recorded
async def test_a_recorded_history_replays(path: Path) -> None:
    await replay(path)


@recorded
async def test_it_replays_with_other_rules_definitions_and_calendars(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever they say now: nothing of them is asked during a replay."""

    def changed(*_: Any, **__: Any) -> Any:
        raise AssertionError("a replay has asked a rule, a definition or a calendar")

    for module, name in (
        (advance, "advance"),
        (commands, "advance"),
        (clocks, "due"),
        (timekeeping, "coming"),
        (walk, "enter"),
    ):
        monkeypatch.setattr(module, name, changed)
    for model in (Definition, WorkingCalendar):
        monkeypatch.setattr(model, "model_validate", changed)
        monkeypatch.setattr(model, "model_validate_json", changed)
        monkeypatch.setattr(model, "__init__", changed)
    await replay(path)


@recorded
async def test_a_workflow_out_of_order_does_not_replay(path: Path) -> None:
    """The check can fail: a timer before an effect is noticed, and every history has an effect or a look."""
    with pytest.raises(Exception, match=r"(?i)nondeterminis|transition is invalid"):
        await replay(path, BrokenRequest)


def test_the_workflow_loads_nothing_of_fixline_but_the_messages() -> None:
    program = (
        "import sys, workflows.service_request\n"
        "ours = ('fixline', 'activities', 'yaml', 'sqlalchemy', 'sqlmodel', 'pydantic', 'alembic', 'shapely', 'cel')\n"
        "print(*sorted(m for m in sys.modules if m.split('.')[0] in ours))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == ["fixline", "fixline.messages", "fixline.search_attributes"]
