"""Exit codes, and the two ways in which a command stops short."""

from __future__ import annotations

from fixline.errors import FixlineError

GOOD, FOUND, WRONG_USE = 0, 1, 2
FAULT = 70
"""A fault of ours, with its traceback."""


class Trouble(FixlineError):
    """The command cannot do its work now, or found that something is wrong; the text is for people. Exit 1."""


class WrongUse(FixlineError):
    """The arguments make no sense together or name what is not there; the text is for people. Exit 2."""
