"""Lakeport as it was in the first release: six types, frozen.

Tests of the engine stand on it, so that a department's process can change without them. Tests of what is shipped read
`PACKAGED_DEFINITIONS`.
"""

from __future__ import annotations

from pathlib import Path

LAKEPORT = Path(__file__).resolve().parents[1] / "fixtures" / "lakeport"
"""Its folder of definitions."""
