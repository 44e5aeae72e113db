"""Reads, checks and versions the departments' definitions; the only part of Fixline that reads YAML."""

from fixline.catalog.areas import Areas
from fixline.catalog.catalog import Catalog, Reading, check_files, check_text, name_of, read_catalog
from fixline.catalog.checking import check_paths, checked_files
from fixline.catalog.codes import CODES
from fixline.catalog.findings import Finding, FindingOut, finding_records, workflow_command
from fixline.catalog.organisation import Organisation

__all__ = [
    "CODES",
    "Areas",
    "Catalog",
    "Finding",
    "FindingOut",
    "Organisation",
    "Reading",
    "check_files",
    "check_paths",
    "check_text",
    "checked_files",
    "finding_records",
    "name_of",
    "read_catalog",
    "workflow_command",
]
