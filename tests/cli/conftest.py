"""The fixtures of these tests; each is explained in `tests.support.command_line`."""

from tests.support.command_line import data, fixline

__all__ = ["data", "fixline"]
