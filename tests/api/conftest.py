"""The fixtures of these tests; each is explained in `tests.support.api`."""

from tests.support.api import _definitions_read_once, anywhere, away, fault, nothing_written, service

__all__ = ["_definitions_read_once", "anywhere", "away", "fault", "nothing_written", "service"]
