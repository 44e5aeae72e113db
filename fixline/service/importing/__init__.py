"""Imports: another system's records become history and running requests.

Owns the way from a file to the store: reading, mapping, which row of a number wins, what each row leads to, the
batches and what is rejected. The store's part of it is `fixline.service.importing.backlog`. Instants are aware UTC.
"""

from fixline.service.importing.importer import Importer, Summary
from fixline.service.importing.mappings import MAPPINGS, mapping_of
from fixline.service.importing.records import HeaderUnfit, Mapping, Record, Unfit

__all__ = ["MAPPINGS", "HeaderUnfit", "Importer", "Mapping", "Record", "Summary", "Unfit", "mapping_of"]
