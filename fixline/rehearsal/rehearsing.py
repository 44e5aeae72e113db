"""Plays every scenario that some paths mean, and counts what they reach.

Owns the way from paths to a report. It prints nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fixline.catalog import Catalog, Finding, read_catalog
from fixline.catalog.catalog import SCENARIOS
from fixline.catalog.checking import Wanted, shown, wanted_of
from fixline.catalog.scenarios import read_scenarios, scenario_files
from fixline.domain.definition.model import Definition
from fixline.rehearsal.coverage import Coverage, cover
from fixline.rehearsal.playing import Played, play


@dataclass
class Report:
    """What came of it: findings of files that could not be played, the scenarios played, the coverage by type.

    `seconds` is the time that the playing took, without the reading of files.
    """

    findings: list[Finding] = field(default_factory=list)
    played: list[Played] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failed(self) -> list[Played]:
        """The scenarios in which something was not as expected."""
        return [each for each in self.played if not each.passed]


def rehearse(paths: Iterable[Path]) -> Report:
    """Play the scenarios of these files and folders. A path can name a definition, its scenarios, or a folder."""
    wanted = wanted_of(paths)
    report = Report(findings=list(wanted.findings))
    for root in wanted.below:
        reading = read_catalog(shown(root))
        report.findings += wanted.of(root, reading.findings)
        _rehearse(root, wanted, reading.catalog, report)
    report.findings = sorted(set(report.findings))
    return report


def _rehearse(root: Path, wanted: Wanted, catalog: Catalog, report: Report) -> None:
    by_type: dict[str, list[Played]] = {}
    for file in scenario_files(shown(root)):
        if not wanted.holds(root, file):
            continue
        scenarios, findings = read_scenarios(file, catalog)
        report.findings += findings
        began = time.perf_counter()
        played = [play(scenario, catalog.definitions[scenario.type]) for scenario in scenarios]
        report.seconds += time.perf_counter() - began
        for each in played:
            by_type.setdefault(each.scenario.type, []).append(each)
        report.played += played
    for definition in catalog.definitions.values():
        if definition.redirect is not None:  # it takes no requests: nothing of it can be played
            continue
        file = file_of(shown(root), definition)
        beside = file.with_name(f"{definition.type}{SCENARIOS}")
        if wanted.holds(root, file) or wanted.holds(root, beside):
            journals = (each.entries for each in by_type.get(definition.type, ()))
            report.coverage.append(cover(definition, file, journals))


def file_of(root: Path, definition: Definition) -> Path:
    """Where a definition's file lies."""
    return root / definition.department / f"{definition.type}.yaml"
