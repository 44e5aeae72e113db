"""What every command's body is.

Owns what a body may hold: nothing beyond what JSON and a database can keep. The commands are in
`fixline.domain.process.commands`.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

DEEPEST = 8
"""How deep lists and objects of a body may lie in each other."""
LARGEST = sys.float_info.max
_NO_CHARACTER = re.compile("[\\x00\\ud800-\\udfff]")


class Body(BaseModel):
    """Base of all command bodies: nothing in one is beyond what JSON and a database can keep."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _check_storable(cls, body: Any) -> Any:
        _check_storable(body, DEEPEST)
        return body


def _check_storable(value: Any, deepest: int) -> None:
    """Raise ValueError for half characters, NUL, numbers too large for a float, and depths nobody asks for."""
    if isinstance(value, str):
        if _NO_CHARACTER.search(value):
            raise ValueError("a text has characters that are none")
    elif isinstance(value, float | int):
        if not -LARGEST <= value <= LARGEST:
            raise ValueError("a number is too large, or none")
    elif isinstance(value, dict | list | tuple):
        if not deepest:
            raise ValueError(f"lists and objects lie more than {DEEPEST} deep in each other")
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            _check_storable(item, deepest - 1)
