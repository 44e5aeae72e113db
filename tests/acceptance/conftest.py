"""The fixtures of these tests; each is explained in `tests.support.acceptance.cluster`."""

from tests.support.acceptance.cluster import cluster, shipped_up, up

__all__ = ["cluster", "shipped_up", "up"]
