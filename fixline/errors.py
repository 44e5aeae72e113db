"""The root of the exceptions that are Fixline's own, by which whoever runs it can tell them from faults in its
libraries; and what somebody may have meant who wrote a name that there is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST = 100
"""Characters of a word that are compared: somebody's text may be long."""


class FixlineError(Exception):
    """Something is not as it should be, and Fixline knows what."""

    def __str__(self) -> str:
        """What was said when it was raised; else what the class says of itself."""
        return super().__str__() or (type(self).__doc__ or "").partition("\n")[0]


def did_you_mean(word: str, names: Iterable[str], before: str = ",") -> str:
    """ ", did you mean 'x'?" with the nearest name, or nothing when none is near. `before` is its first mark."""
    found = difflib.get_close_matches(word[:LONGEST], list(names), n=1)
    return f"{before} did you mean '{found[0]}'?" if found else ""
