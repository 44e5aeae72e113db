"""The city's departments, teams, the people who hold roles, and whom it reaches outside, as organisation.yaml says.

Owns the model and its reading. Must not import anything of Fixline but the reading of sections.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BaseModel, ConfigDict, Field

from fixline.catalog.areas import Areas
from fixline.catalog.findings import Findings
from fixline.catalog.outside import Agency, System, read_agencies, read_systems
from fixline.catalog.reading import Mapping
from fixline.catalog.shape import KEY, NAME, Section, Written, check_name, nearest, section_of, text_of
from fixline.domain.hints import did_you_mean

FILE_NAME = "organisation.yaml"
_FROZEN = ConfigDict(frozen=True, extra="forbid")
_TEAM_LATER = ("address", "webhook", "capacity", "calendar")


class Rule(StrEnum):
    """How a team's work finds its crew: who takes it (queue), in turn, or whoever has least."""

    QUEUE = "queue"
    ROUND_ROBIN = "round_robin"
    LEAST_LOADED = "least_loaded"


class City(BaseModel):
    """The city: its name, IANA time zone, the layer whose areas it is made of, and roles that hold for all."""

    model_config = _FROZEN

    name: str
    timezone: str
    boundary: str | None = None
    roles: dict[str, str] = Field(default_factory=dict)


class Department(BaseModel):
    """A department with the people who hold its roles."""

    model_config = _FROZEN

    key: str
    title: str
    roles: dict[str, str] = Field(default_factory=dict)


class Team(BaseModel):
    """A team of a department: its members, its rule for handing out work, and its roles."""

    model_config = _FROZEN

    key: str
    title: str
    department: str
    rule: Rule = Rule.QUEUE
    members: tuple[str, ...] = ()
    roles: dict[str, str] = Field(default_factory=dict)


class RoleHolder(BaseModel):
    """Who answers for a role, and where the role was found."""

    model_config = _FROZEN

    role: str
    person: str
    level: Literal["team", "department", "city"]
    of: str = Field(description="The team's or department's key, or the city's name.")


class Organisation(BaseModel):
    """Departments, teams, agencies and departments' systems by key, within one city."""

    model_config = _FROZEN

    city: City
    departments: dict[str, Department] = Field(default_factory=dict)
    teams: dict[str, Team] = Field(default_factory=dict)
    agencies: dict[str, Agency] = Field(default_factory=dict)
    systems: dict[str, System] = Field(default_factory=dict)

    def team(self, name: str) -> Team:
        """The team of that key; KeyError when there is none (a checked definition never asks)."""
        return self.teams[name]

    def holder(self, role: str, team: str | None, department: str) -> RoleHolder | None:
        """Who holds the role in the team, else in the department, else in the city; None when nobody does."""
        if team is not None and team in self.teams and role in self.teams[team].roles:
            return RoleHolder(role=role, person=self.teams[team].roles[role], level="team", of=team)
        if department in self.departments and role in self.departments[department].roles:
            person = self.departments[department].roles[role]
            return RoleHolder(role=role, person=person, level="department", of=department)
        if role in self.city.roles:
            return RoleHolder(role=role, person=self.city.roles[role], level="city", of=self.city.name)
        return None

    def is_held(self, role: str, team: str | None, department: str) -> bool:
        """Whether `holder` has somebody."""
        places = (self.teams.get(team or ""), self.departments.get(department), self.city)
        return any(place is not None and role in place.roles for place in places)

    def roles(self, teams: Iterable[str | None], department: str) -> set[str]:
        """Every role that is held in these teams, the department or the city."""
        found = set(self.city.roles)
        if department in self.departments:
            found |= self.departments[department].roles.keys()
        for team in teams:
            if team in self.teams:
                found |= self.teams[team].roles.keys()
        return found


def read_organisation(tree: Mapping, findings: Findings, areas: Areas | None = None) -> Organisation:
    """Read the file against the area layers; what cannot be read is left out or left empty, after its finding."""
    top = Section(tree, findings)
    city = _read_city(top.section("city", required=True), areas or Areas())
    departments = {key: _read_department(key, body) for key, body in _bodies(top.section("departments", required=True))}
    bodies = _bodies(top.section("teams", required=True))
    teams = {key: _read_team(key, body, departments) for key, body in bodies}
    agencies, systems = read_agencies(top.section("agencies")), read_systems(top.section("systems"))
    top.finish("organisation.yaml", ("partners", "people"))
    return Organisation(city=city, departments=departments, teams=teams, agencies=agencies, systems=systems)


def _bodies(section: Section | None) -> list[tuple[str, Section]]:
    """Each key of the section with the section below it."""
    found: list[tuple[str, Section]] = []
    for entry in section.tree if section else ():
        if section is None:
            break
        check_name(entry.key, entry.place, KEY, section.findings)
        body = section_of(entry.value, f"'{entry.key}'", section.findings, entry.place)
        if body is not None:
            found.append((entry.key, body))
    return found


def _read_city(section: Section | None, areas: Areas) -> City:
    if section is None:
        return City(name="", timezone="UTC")
    name, timezone = section.text("name", required=True), section.text("timezone", required=True)
    if timezone is not None:
        check_timezone(timezone, section.findings)
    city = City(
        name=name.text if name else "",
        timezone=timezone.text if timezone else "UTC",
        boundary=_read_boundary(section, areas),
        roles=_roles(section),
    )
    section.finish("'city'", ("jurisdiction",))
    return city


def _read_boundary(section: Section, areas: Areas) -> str | None:
    written = section.text("boundary")
    if written is None:
        return None
    if written.text not in areas.layers:
        message = f"there is no area layer '{written.text}' in definitions/areas{nearest(written.text, areas.layers)}"
        if written.text in areas.broken:
            message = f"the area layer '{written.text}' has findings of its own"
        section.findings.add("FX304", written.place, message)
    return written.text


def check_timezone(timezone: Written, findings: Findings) -> bool:
    """Whether the text is an IANA time zone; a finding when it is not."""
    try:
        ZoneInfo(timezone.text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = did_you_mean(timezone.text, available_timezones())
        findings.add("FX702", timezone.place, f"there is no time zone '{timezone.text}'{near}")
        return False
    return True


def _read_department(key: str, section: Section) -> Department:
    department = Department(key=key, title=_title(section, key), roles=_roles(section))
    section.finish("a department", ("calendar", "address"))
    return department


def _read_team(key: str, section: Section, departments: dict[str, Department]) -> Team:
    department = section.text("department", required=True)
    if department is not None and department.text not in departments:
        message = f"there is no department '{department.text}'{nearest(department.text, departments)}"
        section.findings.add("FX301", department.place, message)
    members = section.texts("members")
    if not members and not (section.has("members") and section.items("members") is None):
        section.findings.add("FX703", section.key_place("members"), f"team '{key}' has no members")
    team = Team(
        key=key,
        title=_title(section, key),
        department=department.text if department else "",
        rule=section.word("rule", Rule) or Rule.QUEUE,
        members=tuple(member.text for member in members),
        roles=_roles(section),
    )
    section.finish("a team", _TEAM_LATER)
    return team


def _title(section: Section, key: str) -> str:
    title = section.text("title", required=True)
    return title.text if title else key


def _roles(section: Section) -> dict[str, str]:
    """Who holds each role, by the role's name."""
    found: dict[str, str] = {}
    body = section.section("roles")
    for entry in body.tree if body else ():
        check_name(entry.key, entry.place, NAME, section.findings)
        person = text_of(entry.value, f"who holds '{entry.key}'", section.findings)
        if person is not None:
            found[entry.key] = person.text
    return found
