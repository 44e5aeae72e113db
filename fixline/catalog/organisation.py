"""The city's departments, teams, the people who hold roles, and whom it reaches outside, as organisation.yaml says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import Field

from fixline.catalog.areas import Areas
from fixline.catalog.findings import Findings
from fixline.catalog.grammar import Grammar, Key, Model, of_section, of_text
from fixline.catalog.outside import AGENCY, NOTICES, SYSTEM, Agency, System, Webhook
from fixline.catalog.shape import KEY, Section, Written
from fixline.catalog.tree import Mapping
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
    notices: Webhook | None = Field(None, description="The system that tells people, for every department.")


class Department(Part):
    """A department with the people who hold its roles."""

    key: str
    title: str
    roles: dict[str, str] = Field(default_factory=dict)
    notices: Webhook | None = Field(None, description="The system that tells people, for its requests.")


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

    @property
    def notices(self) -> dict[str, Webhook]:
        """The systems that tell people, by department; the city's has the empty name."""
        of_all = {"": self.city.notices, **{key: each.notices for key, each in self.departments.items()}}
        return {key: notices for key, notices in of_all.items() if notices is not None}

    def roles(self, teams: Iterable[str | None], department: str) -> set[str]:
        """Every role that is held in these teams, the department or the city."""
        return {role for team in (*teams, None) for roles in self._places(team, department) for role in roles}

    def _places(self, team: str | None, department: str) -> Iterator[dict[str, str]]:
        """Who holds which role, the nearest place first."""
        places = (self.teams.get(team or ""), self.departments.get(department), self.city)
        return (place.roles for place in places if place is not None)


def read_organisation(tree: Mapping, findings: Findings, areas: Areas) -> Organisation:
    """Read the file against the area layers; what cannot be read is left out or left empty, after its finding."""
    top = Section(tree, findings)
    found = _ORGANISATION.made(top)
    city, teams = top.section("city"), top.section("teams")
    if city is not None:
        _check_boundary(city, areas)
    for key, body in teams.named(form=KEY) if teams is not None else ():
        _check_team(key, body, found.departments)
    return found


def _by_key(grammar: Grammar[Model]) -> Key:
    def read(body: Section, _: Section) -> dict[str, Model]:
        return {key: grammar.made(each, key=key, title=key) for key, each in body.named(form=KEY)}

    return of_section(read, absent={})


def _read_timezone(written: Written, section: Section) -> str:
    try:
        ZoneInfo(written.text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = did_you_mean(written.text, available_timezones())
        section.findings.add("FX702", written.place, f"there is no time zone '{written.text}'{near}")
    return written.text


def _check_boundary(city: Section, areas: Areas) -> None:
    written = city.text("boundary")
    if written is not None and written.text in areas.broken:
        city.findings.add("FX304", written.place, f"the area layer '{written.text}' has findings of its own")
    elif written is not None:
        message = f"there is no area layer '{written.text}' in definitions/areas"
        city.findings.known("FX304", written.place, written.text, areas.layers, message)


def _check_team(key: str, section: Section, departments: dict[str, Department]) -> None:
    department = section.text("department")
    if department is not None:
        message = f"there is no department '{department.text}'"
        section.findings.known("FX301", department.place, department.text, departments, message)
    if not section.texts("members") and not (section.has("members") and section.items("members") is None):
        section.add("FX703", f"team '{key}' has no members", "members")


def _read_roles(body: Section, _: Section) -> dict[str, str]:
    return {role: person for role, person in body.labels("who holds '{}'") if person is not None}


TIMEZONE = of_text(_read_timezone, absent="UTC")
"""An IANA time zone."""
_ROLES = of_section(_read_roles)
_CITY = Grammar(City, "'city'", {"timezone": TIMEZONE, "roles": _ROLES, "notices": NOTICES}, later=("jurisdiction",))
_DEPARTMENT = Grammar(
    Department, "a department", {"key": None, "roles": _ROLES, "notices": NOTICES}, later=("calendar", "address")
)
_TEAM = Grammar(Team, "a team", {"key": None, "roles": _ROLES}, later=("address", "webhook", "capacity", "calendar"))
_ORGANISATION = Grammar(
    Organisation,
    "organisation.yaml",
    {
        "city": replace(_CITY.below(), absent=City(name="", timezone="UTC")),
        "departments": replace(_by_key(_DEPARTMENT), required=True),
        "teams": replace(_by_key(_TEAM), required=True),
        "agencies": _by_key(AGENCY),
        "systems": _by_key(SYSTEM),
    },
    later=("partners", "people"),
)
