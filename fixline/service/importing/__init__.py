"""Imports: another system's records become history and running requests.

The way from a file to the store: reading, mapping, which row of a number wins, what each row leads to, the batches and
what is rejected. The store's part of it is `fixline.service.importing.backlog`. Instants are aware UTC.
"""

from fixline.service.importing.cells import Unfit
from fixline.service.importing.chicago import CHICAGO
from fixline.service.importing.importer import Importer, Summary
from fixline.service.importing.los_angeles import LOS_ANGELES
from fixline.service.importing.mapping import HeaderUnfit, Mapping, Record
from fixline.service.importing.table import Rejects

MAPPINGS: dict[str, Mapping] = {"chicago": CHICAGO, "la": LOS_ANGELES}
"""The mappings there are, by the name that `fixline import --mapping` takes."""

__all__ = ["MAPPINGS", "HeaderUnfit", "Importer", "Mapping", "Record", "Rejects", "Summary", "Unfit"]
