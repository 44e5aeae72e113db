"""One request's life in commands of every kind, as calls of the API."""

from __future__ import annotations

from typing import Any

from tests.support.lakeport import LAKEPORT

WHY = {"reason": "as the caller says"}


VERBS: dict[str, dict[str, Any]] = {
    "hold": WHY,
    "resume": WHY,
    "cancel": WHY,
    "reopen": WHY,
    "priority": {**WHY, "priority": "urgent"},
    "recategorise": {**WHY, "type": "graffiti", "answers": {"surface": "brick"}},
    "amend": {**WHY, "description": "Deeper than said"},
    "send-back": {**WHY, "step": "repair"},
    "comment": WHY,
    "reassign": {**WHY, "assignee": "anneke-vos"},
    "signal": {**WHY, "name": "dry_weather"},
    "agency-reply": {**WHY, "outcome": "repaired"},
}


REOPENABLE = (LAKEPORT / "transportation" / "pothole.yaml").read_text(encoding="utf-8") + (
    "\nreopen: {by: [reporter, supervisor], within: 2 calendar days, at: inspect}\n"
)


HOLDER = {"assignee": "anneke-vos"}


A_LIFE: list[tuple[str, dict[str, Any]]] = [
    ("tasks/{id}-T1/claim", HOLDER),
    ("tasks/{id}-T1/release", HOLDER),
    ("tasks/{id}-T1/claim", HOLDER),
    ("tasks/{id}-T1/decline", {**WHY, **HOLDER}),
    ("tasks/{id}-T1/reassign", {**WHY, "assignee": "paul-kowalczyk"}),
    ("tasks/{id}-T1/start", {"assignee": "paul-kowalczyk"}),
    ("tasks/{id}-T1/complete", {"outcome": "no_potholes_found", "assignee": "paul-kowalczyk"}),
    ("requests/{id}/reopen", WHY),
    ("tasks/{id}-T2/complete", {"outcome": "pothole", "form": {"depth": 3}}),
    ("tasks/{id}-T3/complete", {"outcome": "too_wet"}),
    ("requests/{id}/signal", VERBS["signal"]),
    ("requests/{id}/hold", WHY),
    ("requests/{id}/resume", WHY),
    ("requests/{id}/priority", VERBS["priority"]),
    ("requests/{id}/amend", VERBS["amend"]),
    ("requests/{id}/send-back", VERBS["send-back"]),
    ("requests/{id}/reassign", {**WHY, "team": "asphalt-north"}),
    ("requests/{id}/attach", {**WHY, "to": "SR26-00000001"}),
    ("requests/{id}/detach", WHY),
    ("requests/{id}/recategorise", VERBS["recategorise"]),
    ("requests/{id}/comment", WHY),
    ("requests/{id}/cancel", WHY),
    ("requests/{id}/comment", WHY),
]
"""The life of a reopenable pothole on which it meets every command that one can; `to` is an older one."""
