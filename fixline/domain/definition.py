"""The definition of a request type, as the model that every other part reads.

Owns the shape of a department's definition after it has been read, checked and resolved: questions,
priority rules, deadlines, steps, who may cancel, whom to notify. It is immutable and serialises to the
JSON that a version's hash is taken of. It knows no YAML and reads no file; positions in files and the
rules that need other files (teams, areas, calendars) belong to `fixline.catalog`.

Names are those of the definition language (docs/definitions.md); each field's description is the text
that editors show.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from fixline.domain.calendar import Span, WorkingCalendar

DEFINITION_SCHEMA = 1


class Priority(StrEnum):
    """The four priorities, lowest first."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """0 for low to 3 for urgent."""
        return list(Priority).index(self)


class CloseOutcome(StrEnum):
    """What a closed request came to. Status says that it is closed, the outcome says what was done."""

    FIXED = "fixed"
    NO_PROBLEM_FOUND = "no_problem_found"
    DUPLICATE = "duplicate"
    REFERRED = "referred"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class FieldKind(StrEnum):
    """Kinds of answers that questions and forms can ask for."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    CHOICES = "choices"
    YES_NO = "yes_no"
    DATE = "date"
    DATETIME = "datetime"
    PHOTO = "photo"


class Part(BaseModel):
    """Base of every part of a definition: frozen, and closed to keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class FormField(Part):
    """One question of an intake or one field of a step's form."""

    kind: FieldKind = Field(description="What kind of answer is expected.")
    ask: str | None = Field(None, description="The question in plain words, shown to whoever answers.")
    options: dict[str, str] = Field(
        default_factory=dict, description="For choice and choices: each option's key and its label."
    )
    min: float | None = Field(None, description="For number: the smallest value allowed.")
    max: float | None = Field(None, description="For number: the largest value allowed.")
    required: bool = Field(False, description="An answer must be given (in a step's form: for every outcome).")
    required_for: tuple[str, ...] = Field(
        (), description="In a step's form: the outcomes for which an answer must be given."
    )


class PhotoLimits(Part):
    """How many photos a report may carry."""

    max: int = Field(5, ge=0, le=20, description="The largest number of photos of a report.")


class Intake(Part):
    """What a report must and may say."""

    location: Literal["required", "optional", "none"] = Field(
        "required", description="Whether a report needs a place: required, optional or none."
    )
    questions: dict[str, FormField] = Field(
        default_factory=dict, description="The questions asked of whoever reports, by name."
    )
    photos: PhotoLimits = Field(default_factory=PhotoLimits, description="Limits for photos.")


class PriorityRule(Part):
    """One line of the priority list: a condition and the priority, or the one that holds otherwise."""

    when: str | None = Field(None, description="A condition (CEL) on the answers. None: this line always holds.")
    is_: Priority = Field(alias="is", description="The priority where the condition holds.")


class Rung(Part):
    """One step of a deadline's ladder: when, whom to tell, what to change.

    Exactly one of `at_percent`, `at_due` and `after` says when. `after` counts from due in its own unit;
    with `every` the rung repeats until it has fired `up_to` times in all.
    """

    at_percent: int | None = Field(None, ge=1, le=99, description="Fires when this share of the budget is spent.")
    at_due: bool = Field(False, description="Fires when the deadline is due.")
    after: Span | None = Field(None, description="Fires this long after due.")
    every: Span | None = Field(None, description="Fires again at this interval.")
    up_to: int = Field(1, ge=1, le=100, description="How many times it fires in all.")
    tell: str | None = Field(None, description="The role that is told, from organisation.yaml.")
    raise_priority: Priority | None = Field(None, description="The priority that the request is raised to.")

    @property
    def when(self) -> str:
        """The moment in the words of the language: '75%', 'due' or 'after 1 working day'."""
        if self.at_percent is not None:
            return f"{self.at_percent}%"
        return "due" if self.at_due else f"after {self.after}"


class Budget(Part):
    """How long something may take, by priority: the first that fits, else `otherwise`."""

    by_priority: dict[Priority, Span] = Field(default_factory=dict, description="Budgets of single priorities.")
    otherwise: Span = Field(description="The budget of every other priority.")

    def of(self, priority: Priority) -> Span:
        """The budget that holds for this priority."""
        return self.by_priority.get(priority, self.otherwise)


class Deadline(Part):
    """A promise about the whole request: from when, met by what, within how long, and its ladder."""

    from_: Literal["opened"] = Field("opened", alias="from", description="What starts the clock.")
    met_by: str = Field(description="The step whose first completion meets it, or 'closed'.")
    within: Budget = Field(description="The budget: one span, or one for each priority.")
    paused_while: tuple[str, ...] = Field(
        (), description="States in which the clock stands: on_hold and the waiting_as names of steps."
    )
    escalate: tuple[Rung, ...] = Field((), description="The ladder, in order of time.")


class TeamByArea(Part):
    """A team that depends on the area in which the request lies; every expansion exists."""

    by: str = Field(description="The area layer, such as district.")
    as_: str = Field(alias="as", description="The team's name with {layer} where the area's key goes.")
    elsewhere: str = Field(description="The team for places outside every area of the layer.")


TeamChoice = str | TeamByArea


class HumanStep(Part):
    """A step that people carry out: field work, an inspection or desk work."""

    kind: Literal["dispatch", "inspection", "task"]
    title: str = Field(description="What is to be done, in plain words.")
    team: TeamChoice = Field(description="The team that does it.")
    claim_within: Span | None = Field(None, description="How soon somebody must claim the task.")
    due: Span | None = Field(None, description="How soon the task must be completed.")
    form: dict[str, FormField] = Field(default_factory=dict, description="What is recorded with the outcome.")
    then: dict[str, str] = Field(description="Each outcome and the step that follows.")


class ChooseBranch(Part):
    """One branch of a choose step; a branch without a condition holds otherwise."""

    when: str | None = Field(None, description="A condition (CEL) on the answers.")
    go: str = Field(description="The step that follows.")


class ChooseStep(Part):
    """An automatic step: the first branch whose condition holds is taken at once."""

    kind: Literal["choose"] = "choose"
    branches: tuple[ChooseBranch, ...] = Field(description="The branches, first match wins.")


class WaitStep(Part):
    """A step that waits for a named signal, for a span, or for the first of both.

    Outcomes: the signal's name, and `timeout` when the span (or the signal's `at_most`) has passed.
    """

    kind: Literal["wait"] = "wait"
    signal: str | None = Field(None, description="The signal's name.")
    at_most: Span | None = Field(None, description="The longest wait for the signal.")
    span: Span | None = Field(None, description="A wait of this length.")
    waiting_as: str | None = Field(None, description="The state's name, which deadlines may pause in.")
    then: dict[str, str] = Field(description="Each outcome and the step that follows.")

    @property
    def limit(self) -> Span | None:
        """How long the wait lasts at most; None waits for the signal alone."""
        return self.span or self.at_most


class CloseStep(Part):
    """A step that closes the request with an outcome and words for the reporter."""

    kind: Literal["close"] = "close"
    outcome: CloseOutcome = Field(description="What the request came to.")
    say: str = Field("", description="What the reporter is told.")


Step = Annotated[HumanStep | ChooseStep | WaitStep | CloseStep, Field(discriminator="kind")]


class Cancel(Part):
    """Who may cancel, and until when: `always`, or until a step is first entered. None: not at all."""

    reporter: str | None = Field(None, description="'always', or the step until which the reporter may cancel.")
    supervisor: Literal["always"] | None = Field("always", description="Whether a supervisor may cancel.")


class NotifyEvent(StrEnum):
    """What the reporter can be told about."""

    RECEIVED = "received"
    STEP_DONE = "step_done"
    ON_HOLD = "on_hold"
    DUE_CHANGED = "due_changed"
    CLOSED = "closed"


class Definition(Part):
    """A request type, resolved: everything that its decisions depend on is in here, the calendar included."""

    schema_: int = Field(DEFINITION_SCHEMA, alias="schema")
    type: str = Field(description="The service code: lower-case letters, digits and hyphens.")
    title: str = Field(description="The name that residents see.")
    department: str = Field(description="The department that answers for it, from organisation.yaml.")
    short_code: str | None = Field(None, description="The city's own short code.")
    group: str | None = Field(None, description="The group under which it is listed.")
    keywords: tuple[str, ...] = Field((), description="Words by which it is found.")
    intake: Intake = Field(default_factory=Intake)
    priority: tuple[PriorityRule, ...] = Field(description="First match wins.")
    calendar: WorkingCalendar
    deadlines: dict[str, Deadline] = Field(default_factory=dict)
    start: str = Field(description="The first step.")
    steps: dict[str, Step]
    cancel: Cancel = Field(default_factory=Cancel)
    notify: tuple[NotifyEvent, ...] = Field((), description="What the reporter is told about.")

    def step(self, name: str) -> HumanStep | ChooseStep | WaitStep | CloseStep:
        """The step of that name; KeyError when there is none (a checked definition never asks)."""
        return self.steps[name]

    @property
    def fields(self) -> dict[str, FormField]:
        """Every answer's field by name: the intake's questions, then those that only forms ask."""
        found = dict(self.intake.questions)
        for step in self.steps.values():
            if isinstance(step, HumanStep):
                for name, form_field in step.form.items():
                    found.setdefault(name, form_field)
        return found

    def canonical(self) -> dict[str, Any]:
        """The JSON document that a version is the hash of."""
        return self.model_dump(mode="json", by_alias=True)
