"""The fixtures of these tests; each is explained in `tests.support.command_line`."""

from tests.support.command_line import data, fixline, stored_city

__all__ = ["data", "fixline", "stored_city"]
