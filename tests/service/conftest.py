"""The fixtures of these tests; each is explained in `tests.support.temporal_double`."""

from tests.support.temporal_double import client, errands, made, temporal

__all__ = ["client", "errands", "made", "temporal"]
