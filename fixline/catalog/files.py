"""Definitions that come as texts, not as files of the folder: checked against the folder's city, all or none.

Owns the check of what is sent to be published. Calendars, areas and the organisation are those of the catalog
given: they are read at the start and are not published this way. Must not import anything of Fixline but this
package and the domain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fixline.catalog.catalog import Catalog, Reading, check_text, with_offers
from fixline.catalog.findings import Finding, Findings
from fixline.catalog.reading import Scalar, read_tree
from fixline.domain.definition.model import Definition

UNNAMED = "definition.yaml"


def check_files(files: Mapping[str, str], catalog: Catalog) -> Reading:
    """Check definitions, given as the text of each file by its path (`<department>/<type>.yaml`).

    The reading's catalog has those that are right, beside what the catalog given has; of its definitions those that
    are sent anew count as replaced. Nothing is to be published unless there are no findings.
    """
    found: list[Finding] = []
    sent: dict[str, Definition] = {}
    named: dict[str, str] = {}
    together = with_offers(files, catalog)
    for path, text in files.items():
        definition, findings = check_text(text, path, together)
        found.extend(findings)
        if definition is None:
            continue
        if definition.type in named:
            message = f"the type '{definition.type}' is defined in {named[definition.type]} already"
            found.append(Finding(path, 1, 1, "FX211", message))
        named.setdefault(definition.type, path)
        sent[definition.type] = definition
    return Reading(replace(catalog, definitions=sent), tuple(sorted(set(found))))


def name_of(text: str) -> str:
    """The path at which a definition's text belongs, by its own department and type; a plain name where it has none."""
    tree = read_tree(text, Findings(UNNAMED))
    said = {entry.key: entry.value.text for entry in tree or () if isinstance(entry.value, Scalar)}
    if not said.get("type"):
        return UNNAMED
    return "/".join(part for part in (said.get("department"), f"{said['type']}.yaml") if part)
