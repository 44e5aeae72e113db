"""What somebody may have meant who wrote a name that there is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST = 100
"""Characters of a word that are compared: somebody's text may be long."""


def did_you_mean(word: str, names: Iterable[str], before: str = ",") -> str:
    """ ", did you mean 'x'?" with the nearest name, or nothing when none is near. `before` is its first mark."""
    found = difflib.get_close_matches(word[:LONGEST], list(names), n=1)
    return f"{before} did you mean '{found[0]}'?" if found else ""
