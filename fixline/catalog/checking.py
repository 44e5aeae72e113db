"""What a path on the command line means: the definitions root it lies in, and the findings below it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fixline.catalog.catalog import AREAS, CALENDARS, SCENARIOS, read_catalog
from fixline.catalog.findings import Finding
from fixline.catalog.organisation import FILE_NAME
from fixline.catalog.scenarios import check_scenarios

_SUFFIXES = {".yaml", ".yml", ".geojson"}


@dataclass(frozen=True)
class Wanted:
    """What paths mean: for each definitions root the files and folders wanted of it, and what is wrong with paths."""

    below: dict[Path, list[Path]]
    findings: tuple[Finding, ...]

    def holds(self, root: Path, file: Path) -> bool:
        """Whether a file of that root is among those wanted: itself, its folder, or the definition it is beside."""
        file = file.resolve()
        wanted = [(path, path.with_name(path.name.removesuffix(".yaml") + SCENARIOS)) for path in self.below[root]]
        return any(file in (path, beside) or path in file.parents for path, beside in wanted)

    def of(self, root: Path, findings: Iterable[Finding]) -> Iterator[Finding]:
        """The findings of files wanted, and of what every definition rests on."""
        for finding in findings:
            file = Path(finding.file).resolve()
            relative = file.relative_to(root).parts if file.is_relative_to(root) else ()
            shared = len(relative) < 2 or relative[0] in {CALENDARS, AREAS}
            if shared or self.holds(root, file):
                yield finding


def wanted_of(paths: Iterable[Path]) -> Wanted:
    """The roots that the paths lie in: each the nearest folder above (or below) that holds organisation.yaml."""
    below: dict[Path, list[Path]] = {}
    found: set[Finding] = set()
    for path in paths:
        if not path.exists():
            found.add(Finding(str(path), 1, 1, "FX101", "there is no such file or folder"))
            continue
        if path.is_file() and path.suffix not in _SUFFIXES:
            found.add(Finding(str(path), 1, 1, "FX101", "this file is no definition: those end in .yaml"))
            continue
        roots = roots_of(path)
        if not roots:
            message = f"no {FILE_NAME} here or in any folder above: definitions are checked against it"
            found.add(Finding(str(path), 1, 1, "FX701", message))
        for root in roots:
            below.setdefault(root, []).append(path.resolve())
    return Wanted(below, tuple(found))


def check_paths(paths: Iterable[Path]) -> tuple[Finding, ...]:
    """Check files or folders, scenario files among them, each against the definitions root it lies in: the nearest
    folder above that holds organisation.yaml. All findings in order; those of the organisation, calendars and areas
    come along, since every definition rests on them."""
    wanted = wanted_of(paths)
    found = set(wanted.findings)
    for root in wanted.below:
        reading = read_catalog(shown(root))
        found.update(wanted.of(root, (*reading.findings, *check_scenarios(shown(root), reading.catalog))))
    return tuple(sorted(found))


def checked_files(paths: Iterable[Path]) -> int:
    """How many files a check of these paths reads: organisations, calendars, areas, definitions and scenarios."""
    roots = {root for path in paths if path.exists() for root in roots_of(path)}
    files = [path.relative_to(root) for root in roots for path in root.rglob("*") if path.is_file()]
    return sum(path.suffix in _SUFFIXES and not any(part.startswith(".") for part in path.parts) for path in files)


def roots_of(path: Path) -> list[Path]:
    """The definitions roots that a path lies in, or that lie in it."""
    absolute = path.resolve()
    for folder in (absolute, *absolute.parents):
        if (folder / FILE_NAME).is_file():
            return [folder]
    return sorted(found.parent for found in absolute.rglob(FILE_NAME)) if absolute.is_dir() else []


def shown(path: Path) -> Path:
    """The path as a reader would write it: relative to the working folder when it lies in there."""
    here = Path.cwd().resolve()
    return Path(os.path.relpath(path, here)) if path.is_relative_to(here) else path
