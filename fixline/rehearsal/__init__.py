"""Definitions tried out in virtual time: scenarios, their coverage, and simulations of many requests, all decided by
the same `advance`, without store, server or clock. Here is the way from paths to a report of their scenarios.
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
from fixline.rehearsal.coverage import Coverage, cover
from fixline.rehearsal.playing import Played, play


@dataclass
class Report:
    """What came of it: findings of files that could not be played, the scenarios played, the coverage by type.
    `seconds` is the time that the playing took, without the reading of files."""

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
    before = len(report.played)
    for file in scenario_files(shown(root)):
        if wanted.holds(root, file):
            scenarios, findings = read_scenarios(file, catalog)
            report.findings += findings
            began = time.perf_counter()
            report.played += [play(scenario, catalog.definitions[scenario.type]) for scenario in scenarios]
            report.seconds += time.perf_counter() - began
    for definition in catalog.definitions.values():
        file = shown(root) / definition.department / f"{definition.type}.yaml"
        beside = file.with_name(f"{definition.type}{SCENARIOS}")
        if definition.takes_requests and (wanted.holds(root, file) or wanted.holds(root, beside)):
            played = [each for each in report.played[before:] if each.scenario.type == definition.type]
            report.coverage.append(cover(definition, file, (each.entries for each in played)))
