"""Reads, checks and versions the departments' definitions; the only part of Fixline that reads YAML.

Owns everything from a file to a checked `Definition`, and the words that tell an author what to mend. Must
not import anything of Fixline but the domain: no store, no web, no settings.
"""

from fixline.catalog.areas import Area, Areas, Layer
from fixline.catalog.catalog import (
    Catalog,
    Reading,
    check_text,
    read_catalog,
)
from fixline.catalog.checking import check_paths, checked_files
from fixline.catalog.codes import CODES, Code
from fixline.catalog.files import check_files, name_of
from fixline.catalog.findings import Finding
from fixline.catalog.organisation import City, Department, Organisation, RoleHolder, Rule, Team
from fixline.catalog.outside import Agency, System, Webhook
from fixline.catalog.records import FindingRecord, finding_record, finding_records, workflow_command

__all__ = [
    "CODES",
    "Agency",
    "Area",
    "Areas",
    "Catalog",
    "City",
    "Code",
    "Department",
    "Finding",
    "FindingRecord",
    "Layer",
    "Organisation",
    "Reading",
    "RoleHolder",
    "Rule",
    "System",
    "Team",
    "Webhook",
    "check_files",
    "check_paths",
    "check_text",
    "checked_files",
    "finding_record",
    "finding_records",
    "name_of",
    "read_catalog",
    "workflow_command",
]
