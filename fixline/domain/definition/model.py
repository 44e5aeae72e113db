"""The definition of a request type, read, checked and resolved, as every other part reads it: immutable, and serialised
to the JSON that a version's hash is taken of. Positions in files and the rules that need other files are `catalog`'s.
Names are those of the definition language (docs/definitions.md); field descriptions are the text that editors show.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from fixline.domain.deadlines.calendar import Span, WorkingCalendar
from fixline.domain.definition.deadlines import Deadline
from fixline.domain.definition.fields import FormField, Part
from fixline.domain.definition.vocabulary import NotifyEvent, Priority
from fixline.domain.process.kinds import AnyStep, HumanStep, Step, TogetherStep

DEFINITION_SCHEMA = 1
LARGEST_DISTANCE_M = 1000.0
"""How far apart two reports of the same thing can lie."""


NO_HOURS = WorkingCalendar(name="none", timezone="UTC", day="24 hours", weekly={"mon": ("00:00-24:00",)})
"""What stands for the calendar of a type that takes no requests; nothing asks it."""


class PhotoLimits(Part):
    """How many photos a report may carry."""

    max: int = Field(5, ge=0, le=20, description="The largest number of photos of a report.")


class WhenDuplicate(StrEnum):
    """What becomes of a report of something that has been reported before."""

    ATTACH = "attach"
    SUGGEST = "suggest"


class WhenNothingFound(StrEnum):
    """What becomes of an attached report when nothing was found where the original is."""

    LOOK = "look"
    CLOSE = "close"


class Duplicates(Part):
    """Which open requests of the same type a new report may repeat, and what then."""

    within_m: float = Field(gt=0, le=LARGEST_DISTANCE_M, description="How near they lie, in metres.")
    opened_in_last: Span = Field(description="How long ago they were opened at most, in calendar time.")
    then: WhenDuplicate = Field(
        WhenDuplicate.SUGGEST, description="attach the report to the oldest of them, or only suggest them."
    )
    when_nothing_found: WhenNothingFound = Field(
        WhenNothingFound.LOOK,
        description="Whether an attached report is looked at on its own, or closes, when the original ends with "
        "no_problem_found.",
    )

    @property
    def elapsed(self) -> timedelta:
        """How long ago a request was opened at most."""
        return self.opened_in_last.length(NO_HOURS.day)


class Outside(Part):
    """What becomes of a report of a place outside the city's boundary."""

    accept: bool = Field(False, description="Whether it is taken all the same.")
    say: str | None = Field(None, description="What whoever reports is told when it is not taken.")


class Diversion(Part):
    """Answers with which a report is not taken: whom to turn to instead, and what to say."""

    when: str = Field(description="A condition (CEL) on the answers of the intake.")
    to: str = Field(description="Whom to turn to: emergency, or the name of a body.")
    say: str = Field(description="What whoever reports is told.")


class Redirect(Part):
    """A type that takes no requests: whom to turn to instead, and what to say."""

    to: str = Field(description="Whom to turn to: emergency, or the name of a body.")
    say: str = Field(description="What whoever reports is told.")


class Intake(Part):
    """What a report must and may say, and which reports are not taken."""

    location: Literal["required", "optional", "none"] = Field(
        "required", description="Whether a report needs a place: required, optional or none."
    )
    questions: dict[str, FormField] = Field({}, description="The questions asked of whoever reports, by name.")
    photos: PhotoLimits = Field(default_factory=PhotoLimits, description="Limits for photos.")
    duplicates: Duplicates | None = Field(
        None, description="Which open requests a report may repeat. None: nobody looks."
    )
    outside: Outside = Field(default_factory=Outside, description="What becomes of places outside the city.")
    divert: tuple[Diversion, ...] = Field((), description="Answers with which a report is not taken; first match wins.")


class PriorityRule(Part):
    """One line of the priority list: a condition and the priority, or the one that holds otherwise."""

    when: str | None = Field(None, description="A condition (CEL) on the answers. None: this line always holds.")
    is_: Priority = Field(alias="is", description="The priority where the condition holds.")


class Cancel(Part):
    """Who may cancel, and until when: `always`, or until a step is first entered. None: not at all."""

    reporter: str | None = Field(None, description="'always', or the step until which the reporter may cancel.")
    supervisor: Literal["always"] | None = Field("always", description="Whether a supervisor may cancel.")


class ReopenedBy(StrEnum):
    """Who can be given the right to open a closed request again."""

    REPORTER = "reporter"
    SUPERVISOR = "supervisor"


class Reopen(Part):
    """How a closed request may be opened again: by whom, how long after its closing, and where it goes on."""

    by: tuple[ReopenedBy, ...] = Field(description="Who may reopen: reporter, supervisor. Admins always may.")
    within: Span = Field(description="How long after the closing, by the calendar.")
    at: str = Field(description="The step at which the request goes on.")


class InBranch(NamedTuple):
    """Where a step stands that is not on the main way: in which branch of which together step."""

    together: str
    branch: str


def in_branches(steps: Mapping[str, AnyStep | None]) -> dict[str, InBranch]:
    """Each step that stands in a branch, with that branch; with the first of several, which no definition has."""
    found: dict[str, InBranch] = {}
    for name, together in steps.items():
        for branch, members in together.branches.items() if isinstance(together, TogetherStep) else ():
            for member in members:
                found.setdefault(member, InBranch(name, branch))
    return found


def fields_asked(intake: Intake, steps: Mapping[str, AnyStep | None]) -> dict[str, FormField]:
    """Every answer's field by name: the intake's questions, then those that only forms ask; the first place wins."""
    found = dict(intake.questions)
    for step in steps.values():
        for name, asked in step.form.items() if isinstance(step, HumanStep) else ():
            found.setdefault(name, asked)
    return found


class Definition(Part):
    """A request type, resolved: everything that its decisions depend on is in here, the calendar included."""

    schema_: int = Field(DEFINITION_SCHEMA, alias="schema")
    type: str = Field(description="The service code: lower-case letters, digits and hyphens.")
    title: str = Field(description="The name that residents see.")
    department: str = Field(description="The department that answers for it, from organisation.yaml.")
    short_code: str | None = Field(None, description="The city's own short code.")
    group: str | None = Field(None, description="The group under which it is listed.")
    keywords: tuple[str, ...] = Field((), description="Words by which it is found.")
    intake: Intake = Field(default_factory=Intake, description="What a report must and may say.")
    redirect: Redirect | None = Field(
        None, description="For a type that takes no requests: whom to turn to. It has no steps."
    )
    priority: tuple[PriorityRule, ...] = Field((), description="First match wins.")
    calendar: WorkingCalendar = Field(NO_HOURS, description="The working calendar: opening hours, holidays, time zone.")
    deadlines: dict[str, Deadline] = Field({}, description="The promises about the whole request, by name.")
    start: str = Field("", description="The first step.")
    steps: dict[str, Step] = Field({}, description="The steps, by name.")
    cancel: Cancel = Field(default_factory=Cancel, description="Who may cancel, and until when.")
    holds: dict[str, str] = Field(
        {}, description="Why a request is put on hold: codes with their titles. A hold names one."
    )
    reopen: Reopen | None = Field(None, description="How a closed request may be opened again. None: not at all.")
    notify: tuple[NotifyEvent, ...] = Field((), description="What the reporter is told about.")

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        if self.redirect is None and not (self.steps and self.start and self.priority and self.calendar != NO_HOURS):
            raise ValueError("a type that takes requests has a calendar, a priority, a start and steps")
        return self

    @property
    def takes_requests(self) -> bool:
        """Whether it can be reported here; else `redirect` says whom to turn to."""
        return self.redirect is None

    def step(self, name: str) -> AnyStep:
        """The step of that name; KeyError when there is none (a checked definition never asks)."""
        return self.steps[name]

    @cached_property
    def in_branches(self) -> dict[str, InBranch]:
        """Each step that stands in a branch, with that branch."""
        return in_branches(self.steps)

    @property
    def fields(self) -> dict[str, FormField]:
        """Every answer's field by name: the intake's questions, then those that only forms ask."""
        return fields_asked(self.intake, self.steps)

    @cached_property
    def body(self) -> str:
        """The definition as JSON: what is stored, and what its version is the hash of. What is as if it had not been
        written is left out: a key that the language gains later leaves the versions of the definitions that do not use
        it as they are. A default never changes its meaning."""
        content = {"schema": self.schema_, **self.model_dump(mode="json", by_alias=True, exclude_defaults=True)}
        return json.dumps(content, separators=(",", ":"), ensure_ascii=False)

    @cached_property
    def version(self) -> str:
        """SHA-256 of the body, in hexadecimal: the same content is the same version, the calendar included."""
        return hashlib.sha256(self.body.encode()).hexdigest()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other parts: another version, of which nothing is known yet."""
        copy = super().model_copy(update=update, deep=deep)
        for derived in ("in_branches", "body", "version"):
            copy.__dict__.pop(derived, None)
        return copy
