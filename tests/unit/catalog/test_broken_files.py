"""Every broken file under tests/fixtures/broken gives exactly the findings that it says it does."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from fixline.catalog import CODES, check_text, read_catalog
from tests.support.broken_files import BROKEN, CITY, expected, places
from tests.support.neighbour import city_with_neighbour

DEFINITIONS = sorted(BROKEN.glob("*.yaml"))
SHARED = [
    *((path, "organisation.yaml") for path in sorted((BROKEN / "organisation").iterdir())),
    *((path, "calendars/works.yaml") for path in sorted((BROKEN / "calendars").iterdir())),
    *((path, "areas/district.geojson") for path in sorted((BROKEN / "areas").glob("*.geojson"))),
]


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_broken_definition(path: Path) -> None:
    """A broken definition gives all its findings at once, each at its place."""
    definition, findings = check_text(path.read_text(), "transportation/pothole.yaml", city_with_neighbour())
    assert definition is None
    assert expected(path)
    assert places(findings) == expected(path), [str(finding) for finding in findings]


@pytest.mark.parametrize(("path", "target"), SHARED, ids=lambda value: Path(value).stem)
def test_broken_shared_file(path: Path, target: str, tmp_path: Path) -> None:
    """A broken organisation, calendar or area file gives all its findings at once, each at its place."""
    root = tmp_path / "definitions"
    shutil.copytree(CITY, root)
    shutil.copy(path, root / target)
    findings = read_catalog(root).findings
    own = tuple(finding for finding in findings if finding.file == str(root / target))
    assert expected(path)
    assert places(own) == expected(path), [str(finding) for finding in findings]


def test_every_code_is_produced() -> None:
    """No code stands in the table that neither a broken file nor a unit test brings about."""
    produced = {code for path in BROKEN.rglob("*") if path.is_file() for _, _, code in expected(path)}
    for test in Path(__file__).parent.glob("test_*.py"):
        produced |= set(re.findall(r'"(FX\d{3})"', test.read_text()))
    assert produced == set(CODES)


def test_codes_are_explained() -> None:
    """Every code has a title, a rule and a remedy, as sentences that the documentation can use."""
    for code in CODES.values():
        assert code.title
        assert code.rule.endswith(".")
        assert code.remedy.endswith(".")
