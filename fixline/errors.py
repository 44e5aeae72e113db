"""The root of the exceptions that are Fixline's own: whoever runs it can tell them from faults in its libraries."""

from __future__ import annotations


class FixlineError(Exception):
    """Something is not as it should be, and Fixline knows what."""

    def __str__(self) -> str:
        """What was said when it was raised; else what the class says of itself."""
        return super().__str__() or (type(self).__doc__ or "").partition("\n")[0]
