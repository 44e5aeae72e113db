"""The city's departments, teams, the people who hold roles, and whom it reaches outside, as organisation.yaml says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import Field

from fixline.catalog.areas import Areas
from fixline.catalog.findings import Findings
from fixline.catalog.grammar import Grammar, Model, of_section, of_text
from fixline.catalog.outside import AGENCY, SYSTEM, Agency, System
from fixline.catalog.reading import Mapping
from fixline.catalog.shape import KEY, Section, Written, nearest
from fixline.domain.definition.fields import Part
from fixline.errors import did_you_mean

FILE_NAME = "organisation.yaml"


class Rule(StrEnum):
    """How a team's work finds its crew: who takes it (queue), in turn, or whoever has least."""

    QUEUE = "queue"
    ROUND_ROBIN = "round_robin"
    LEAST_LOADED = "least_loaded"


class City(Part):
    """The city: its name, IANA time zone, the layer whose areas it is made of, and roles that hold for all."""

    name: str
    timezone: str
    boundary: str | None = None
    roles: dict[str, str] = Field(default_factory=dict)


class Department(Part):
    """A department with the people who hold its roles."""

    key: str
    title: str
    roles: dict[str, str] = Field(default_factory=dict)


class Team(Part):
    """A team of a department: its members, its rule for handing out work, and its roles."""

    key: str
    title: str
    department: str
    rule: Rule = Rule.QUEUE
    members: tuple[str, ...] = ()
    roles: dict[str, str] = Field(default_factory=dict)


class Organisation(Part):
    """Departments, teams, agencies and departments' systems by key, within one city."""

    city: City
    departments: dict[str, Department] = Field(default_factory=dict)
    teams: dict[str, Team] = Field(default_factory=dict)
    agencies: dict[str, Agency] = Field(default_factory=dict)
    systems: dict[str, System] = Field(default_factory=dict)

    def holder(self, role: str, team: str | None, department: str) -> str | None:
        """Who holds the role in the team, else in the department, else in the city; None when nobody does."""
        return next((roles[role] for roles in self._places(team, department) if role in roles), None)

    def roles(self, teams: Iterable[str | None], department: str) -> set[str]:
        """Every role that is held in these teams, the department or the city."""
        return {role for team in (*teams, None) for roles in self._places(team, department) for role in roles}

    def _places(self, team: str | None, department: str) -> Iterator[dict[str, str]]:
        """Who holds which role, the nearest place first."""
        places = (self.teams.get(team or ""), self.departments.get(department), self.city)
        return (place.roles for place in places if place is not None)


def read_organisation(tree: Mapping, findings: Findings, areas: Areas | None = None) -> Organisation:
    """Read the file against the area layers; what cannot be read is left out or left empty, after its finding."""
    top = Section(tree, findings)
    city = top.section("city", required=True)
    departments = _by_key(_DEPARTMENT, top.section("departments", required=True))
    bodies = top.section("teams", required=True)
    found = Organisation(
        city=City(name="", timezone="UTC") if city is None else _CITY.made(city),
        departments=departments,
        teams=_by_key(_TEAM, bodies),
        agencies=_by_key(AGENCY, top.section("agencies")),
        systems=_by_key(SYSTEM, top.section("systems")),
    )
    if city is not None:
        _check_boundary(city, areas or Areas())
    for key, body in bodies.named(form=KEY) if bodies is not None else ():
        _check_team(key, body, departments)
    top.finish("organisation.yaml", ("partners", "people"))
    return found


def _by_key(grammar: Grammar[Model], section: Section | None) -> dict[str, Model]:
    bodies = section.named(form=KEY) if section is not None else ()
    return {key: grammar.made(body, key=key, title=key) for key, body in bodies}


def _read_timezone(written: Written, section: Section) -> str:
    try:
        ZoneInfo(written.text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = did_you_mean(written.text, available_timezones())
        section.findings.add("FX702", written.place, f"there is no time zone '{written.text}'{near}")
    return written.text


def _check_boundary(city: Section, areas: Areas) -> None:
    written = city.text("boundary")
    if written is None or written.text in areas.layers:
        return
    message = f"there is no area layer '{written.text}' in definitions/areas{nearest(written.text, areas.layers)}"
    if written.text in areas.broken:
        message = f"the area layer '{written.text}' has findings of its own"
    city.findings.add("FX304", written.place, message)


def _check_team(key: str, section: Section, departments: dict[str, Department]) -> None:
    department = section.text("department")
    if department is not None and department.text not in departments:
        message = f"there is no department '{department.text}'{nearest(department.text, departments)}"
        section.findings.add("FX301", department.place, message)
    if not section.texts("members") and not (section.has("members") and section.items("members") is None):
        section.findings.add("FX703", section.key_place("members"), f"team '{key}' has no members")


def _read_roles(body: Section, _: Section) -> dict[str, str]:
    """Who holds each role, by the role's name."""
    return {role: person for role, person in body.labels("who holds '{}'") if person is not None}


TIMEZONE = of_text(_read_timezone, absent="UTC")
"""An IANA time zone."""
_ROLES = of_section(_read_roles)
_CITY = Grammar(City, "'city'", {"timezone": TIMEZONE, "roles": _ROLES}, later=("jurisdiction",))
_DEPARTMENT = Grammar(Department, "a department", {"key": None, "roles": _ROLES}, later=("calendar", "address"))
_TEAM = Grammar(Team, "a team", {"key": None, "roles": _ROLES}, later=("address", "webhook", "capacity", "calendar"))
