"""The fixtures of these tests; each is explained in `tests.support.importing`."""

from tests.support.importing import catalog, imported, stored

__all__ = ["catalog", "imported", "stored"]
