"""Reads, checks and versions the departments' definitions; the only part of Fixline that reads YAML."""

from fixline.catalog.areas import Area, Areas, Layer
from fixline.catalog.catalog import Catalog, Reading, check_files, check_text, name_of, read_catalog
from fixline.catalog.checking import check_paths, checked_files
from fixline.catalog.codes import CODES, Code
from fixline.catalog.findings import Finding, FindingOut, finding_records, workflow_command
from fixline.catalog.organisation import City, Department, Organisation, Rule, Team
from fixline.catalog.outside import Agency, System, Webhook

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
    "FindingOut",
    "Layer",
    "Organisation",
    "Reading",
    "Rule",
    "System",
    "Team",
    "Webhook",
    "check_files",
    "check_paths",
    "check_text",
    "checked_files",
    "finding_records",
    "name_of",
    "read_catalog",
    "workflow_command",
]
