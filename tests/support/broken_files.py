"""The broken files of tests/fixtures, and what each says will be found in it."""

from __future__ import annotations

import re
from pathlib import Path

from fixline.catalog import Finding

FIXTURES = Path(__file__).parents[1] / "fixtures"


CITY = FIXTURES / "city"


BROKEN = FIXTURES / "broken"


EXPECT = re.compile(r"^(?:# expect: )?(\d+):(\d+) (FX\d{3})$", re.MULTILINE)


def expected(path: Path) -> list[tuple[int, int, str]]:
    """Line, column and code of each finding that a broken file announces, in itself or beside it."""
    beside = path.with_name(f"{path.name}.expected")
    text = (beside if beside.exists() else path).read_text()
    return [(int(line), int(column), code) for line, column, code in EXPECT.findall(text)]


def places(findings: tuple[Finding, ...]) -> list[tuple[int, int, str]]:
    """Line, column and code of findings."""
    return [(finding.line, finding.column, finding.code) for finding in findings]
