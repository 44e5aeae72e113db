"""Rules that are out of order: what the tests of faults share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import RequestState
from fixline.domain.process.advance import advance as real_advance
from fixline.domain.process.commands import Command
from fixline.domain.process.decision import Decision, Refusal
from fixline.service import commands

Faulty = Callable[[Command, bool], bool]
AMEND: dict[str, Any] = {"description": "x", "reason": "y"}
"""What most of these tests cannot decide."""


class Fault(Exception):
    """A fault of ours."""


def break_rules(monkeypatch: pytest.MonkeyPatch, faulty: Faulty) -> None:
    """Make the rules raise for these commands (given with whether they are to catch up first)."""

    def advance(
        definition: Definition, state: RequestState | None, command: Command, now: datetime, **how: Any
    ) -> Decision | Refusal:
        if faulty(command, how.get("catch_up", True)):
            raise Fault(f"cannot decide {command.kind}")
        return real_advance(definition, state, command, now, **how)

    monkeypatch.setattr(commands, "advance", advance)


def amending(command: Command, _: bool) -> bool:
    """Amendments cannot be decided."""
    return command.kind == "amend"


def catching_up(_: Command, catch_up: bool) -> bool:
    """What was due before cannot be decided, whatever the command."""
    return catch_up
