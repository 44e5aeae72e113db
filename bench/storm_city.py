"""A city whose office opens at a given instant: whatever was reported before falls due together.

Owns the definitions of `bench.deadlines`, written as files and checked as any department's are. Instants are aware UTC,
at whole minutes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from fixline.catalog import read_catalog

ZONE = ZoneInfo("America/Chicago")
STORM, PROBE = "storm-damage", "question"
WARNING = timedelta(seconds=0.6)
"""How long before due the first rung fires; the third fires some minutes after due."""

ORGANISATION = """\
city: {name: "Stormton", timezone: America/Chicago, roles: {commissioner: ada-moss}}
departments:
  works: {title: "Public Works", roles: {supervisor: ben-holt, deputy_commissioner: cora-lind}}
teams:
  crew: {title: "Storm crew", department: works, members: [dan-ruiz, eva-stone], roles: {crew_lead: dan-ruiz}}
"""
CALENDAR = """\
calendar: office
timezone: America/Chicago
day: 8 hours
weekly:
{weekly}
exceptions:
{exceptions}
"""
DEFINITION = """\
type: {type}
title: "{title}"
department: works
intake: {{location: none}}
priority: [{{otherwise: normal}}]
calendar: office
{deadlines}start: clear
steps:
  clear: {{dispatch: "Clear it", team: crew, then: {{done: cleared}}}}
  cleared: {{close: fixed, say: "It is done."}}
cancel: {{supervisor: always}}
"""
DEADLINES = """\
deadlines:
  resolve:
    from: opened
    met_by: closed
    within: 1 working minute
    escalate:
      - {{before: 0.01 working minutes, tell: crew_lead}}
      - {{at: due, tell: supervisor, raise_priority: high}}
      - {{after: {apart} working minutes, tell: deputy_commissioner}}
"""


def write_city(folder: Path, due: datetime, apart: int) -> None:
    """Write the definitions: requests of STORM reported more than a minute before `due` fall due at it.

    Raises ValueError when they have findings.
    """
    opens = (due - timedelta(minutes=1)).astimezone(ZONE)
    today = datetime.now(UTC).astimezone(ZONE).date()
    closed = [today + timedelta(days=n) for n in range((opens.date() - today).days)]
    exceptions = [f'  - {{date: {day}, hours: [], name: "Storm"}}' for day in closed]
    exceptions.append(f'  - {{date: {opens.date()}, hours: ["{opens:%H:%M}-24:00"], name: "Opens after the storm"}}')
    weekly = [f'  {day}: ["00:00-24:00"]' for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
    for name in ("calendars", "works"):
        (folder / name).mkdir(parents=True)
    _write(folder / "organisation.yaml", ORGANISATION)
    calendar = CALENDAR.format(weekly="\n".join(weekly), exceptions="\n".join(exceptions))
    _write(folder / "calendars" / "office.yaml", calendar)
    storm = DEFINITION.format(type=STORM, title="Storm damage", deadlines=DEADLINES.format(apart=apart))
    _write(folder / "works" / f"{STORM}.yaml", storm)
    probe = DEFINITION.format(type=PROBE, title="A question", deadlines="")
    _write(folder / "works" / f"{PROBE}.yaml", probe)
    findings = read_catalog(folder).findings
    if findings:
        raise ValueError("; ".join(str(finding) for finding in findings))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
