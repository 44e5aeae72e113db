"""The kinds of steps of a definition, one class each.

Owns their keys and what each can come to. Names are those of the definition language (docs/definitions.md);
each field's description is the text that editors show. What a step does to a request is decided in
`fixline.domain.progress` and the modules beside it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from fixline.domain.calendar import Span
from fixline.domain.fields import FormField, Part

TIMEOUT = "timeout"
NO_REPLY = "no_reply"
NOT_SAMPLED = "not_sampled"
OTHERWISE = "otherwise"
RESERVED_OUTCOMES = frozenset({TIMEOUT, NO_REPLY, NOT_SAMPLED, OTHERWISE})
"""Outcomes that the engine gives by itself; people's outcomes have other names."""

JOINED = "joined"
"""Where a step of a branch leads when its branch has come to its end; no step has this name."""
DONE = "done"
"""The one outcome of a together step."""
REPORTER = "reporter"
"""Whom a notify step can tell beside the roles of the organisation."""
PLACE, DESCRIPTION, PHOTOS = SENDABLE = ("place", "description", "photos")
"""What can be sent to somebody else besides answers; an answer of such a name is not sent."""


class CloseOutcome(StrEnum):
    """What a closed request came to. Status says that it is closed, the outcome says what was done."""

    FIXED = "fixed"
    NO_PROBLEM_FOUND = "no_problem_found"
    DUPLICATE = "duplicate"
    REFERRED = "referred"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class StepPart(Part):
    """Base of the kinds of steps: its kind is always written, also where all else is as by default."""

    kind: str

    @model_serializer(mode="wrap")
    def _with_kind(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"kind": self.kind, **write(self)}


class TeamByArea(Part):
    """A team that depends on the area in which the request lies; every expansion exists."""

    by: str = Field(description="The area layer, such as district.")
    as_: str = Field(alias="as", description="The team's name with {layer} where the area's key goes.")
    elsewhere: str = Field(description="The team for places outside every area of the layer.")


TeamChoice = str | TeamByArea


class HumanStep(StepPart):
    """A step that people carry out: field work, an inspection or desk work."""

    kind: Literal["dispatch", "inspection", "task"]
    title: str = Field(description="What is to be done, in plain words.")
    team: TeamChoice = Field(description="The team that does it.")
    claim_within: Span | None = Field(None, description="How soon somebody must claim the task.")
    due: Span | None = Field(None, description="How soon the task must be completed.")
    form: dict[str, FormField] = Field(default_factory=dict, description="What is recorded with the outcome.")
    sample: int | None = Field(
        None,
        ge=1,
        le=99,
        description="For inspections: the share of requests, in per cent, that are inspected; the others leave the "
        "step at once with the outcome not_sampled. Decided once per visit, by a hash of request, step and visit.",
    )
    warn_after: int | None = Field(
        None, ge=2, le=100, description="When the step is entered for this time, its supervisor is told; it goes on."
    )
    then: dict[str, str] = Field(description="Each outcome and the step that follows.")

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that people can give."""
        return tuple(outcome for outcome in self.then if outcome not in RESERVED_OUTCOMES)


class ChooseBranch(Part):
    """One branch of a choose step; a branch without a condition holds otherwise."""

    when: str | None = Field(None, description="A condition (CEL) on the answers.")
    go: str = Field(description="The step that follows.")


class ChooseStep(StepPart):
    """An automatic step: the first branch whose condition holds is taken at once."""

    kind: Literal["choose"] = "choose"
    branches: tuple[ChooseBranch, ...] = Field(description="The branches, first match wins.")


class WaitStep(StepPart):
    """A step that waits: for a named signal, for a span, or until a date that has been answered.

    Outcomes: the signal's name, and `timeout` when the span (or the signal's `at_most`) has passed or the
    date has come.
    """

    kind: Literal["wait"] = "wait"
    signal: str | None = Field(None, description="The signal's name.")
    at_most: Span | None = Field(None, description="The longest wait for the signal.")
    span: Span | None = Field(None, description="A wait of this length.")
    until: str | None = Field(None, description="The name of a date or datetime answer: the wait ends then.")
    waiting_as: str | None = Field(None, description="The state's name, which deadlines may pause in.")
    then: dict[str, str] = Field(description="Each outcome and the step that follows.")

    @property
    def limit(self) -> Span | None:
        """How long the wait lasts at most; None waits for the signal or the date alone."""
        return self.span or self.at_most


class AgencyStep(StepPart):
    """A step that an outside party carries out: it is asked, and the request waits for its reply.

    Outcomes: those that the party can reply with, and `no_reply` when `reply_within` has passed.
    """

    kind: Literal["agency"] = "agency"
    agency: str = Field(description="The outside party, from organisation.yaml.")
    send: tuple[str, ...] = Field(
        (), description="What it is sent besides number, type and place: description, photos, and names of answers."
    )
    waiting_as: str | None = Field(None, description="The state's name, which deadlines may pause in.")
    reply_within: Span | None = Field(None, description="How long the party has for its reply.")
    then: dict[str, str] = Field(description="Each reply, and no_reply, with the step that follows.")


class FollowOnStep(StepPart):
    """A step that another department carries out, as a request of its own; this one waits until that one closes.

    Outcomes: the close outcomes of the follow-on's type; `otherwise` is for those not named.
    """

    kind: Literal["follow_on"] = "follow_on"
    follow_on: str = Field(description="The follow-on's request type.")
    waiting_as: str | None = Field(None, description="The state's name, which deadlines may pause in.")
    then: dict[str, str] = Field(description="The follow-on's close outcomes, and otherwise, with the steps.")


Branch = Annotated[tuple[str, ...], Field(min_length=1)]
"""The steps of a branch, the first first."""


class TogetherStep(StepPart):
    """Branches that run side by side, each beginning with the first of its steps.

    A step of a branch leads to steps of the same branch, or to `joined`, which ends the branch. One outcome,
    `done`: when all branches have ended, or the first one (the others are withdrawn then). A step that leads
    out of its branch to another step ends all branches, and the request goes on there.
    """

    kind: Literal["together"] = "together"
    branches: dict[str, Branch] = Field(description="Each branch with the names of its steps.")
    join: Literal["all", "first"] = Field("all", description="Whether all branches must end, or the first.")
    then: dict[str, str] = Field(description="The step that follows the outcome done.")


class CallStep(StepPart):
    """An automatic step: a department's own system is called over HTTP, and its answer is the outcome.

    Outcomes: those that the system can answer with, and `timeout` when `at_most` has passed without one.
    """

    kind: Literal["call"] = "call"
    call: str = Field(description="The system, from organisation.yaml.")
    send: tuple[str, ...] = Field(
        (), description="What is sent besides number and type: place, description, photos, and names of answers."
    )
    at_most: Span = Field(description="How long an answer may take, tries included.")
    waiting_as: str | None = Field(None, description="The state's name, which deadlines may pause in.")
    then: dict[str, str] = Field(description="Each answer, and timeout, with the step that follows.")


class NotifyStep(StepPart):
    """An automatic step: somebody is told, and the request goes on at once."""

    kind: Literal["notify"] = "notify"
    role: str = Field(description="Who is told: a role of organisation.yaml, or reporter.")
    say: str = Field(description="What they are told.")
    then: str = Field(description="The step that follows.")


class CloseStep(StepPart):
    """A step that closes the request with an outcome and words for the reporter."""

    kind: Literal["close"] = "close"
    outcome: CloseOutcome = Field(description="What the request came to.")
    say: str = Field("", description="What the reporter is told.")


Step = Annotated[
    HumanStep | ChooseStep | WaitStep | AgencyStep | FollowOnStep | TogetherStep | CallStep | NotifyStep | CloseStep,
    Field(discriminator="kind"),
]
AnyStep = (
    HumanStep | ChooseStep | WaitStep | AgencyStep | FollowOnStep | TogetherStep | CallStep | NotifyStep | CloseStep
)


WAITING = (WaitStep, AgencyStep, FollowOnStep, CallStep)
"""The kinds of steps that wait: for time, for a signal, for somebody else."""


def ways(step: AnyStep) -> tuple[tuple[str, str], ...]:
    """The ways out of a step, in order: what leads there (outcome, condition, branch) and the step that follows.

    A branch's way to `joined` is left out: no step has that name.
    """
    return tuple((label, target) for label, target in exits(step) if target != JOINED)


def exits(step: AnyStep) -> tuple[tuple[str, str], ...]:
    """The ways out of a step, those to `joined` included."""
    match step:
        case CloseStep():
            return ()
        case ChooseStep():
            return tuple((branch.when or OTHERWISE, branch.go) for branch in step.branches)
        case NotifyStep():
            return (("", step.then),)
        case TogetherStep():
            return (*((name, steps[0]) for name, steps in step.branches.items()), *step.then.items())
        case _:
            return tuple(step.then.items())


def exits_at_once(step: AnyStep) -> tuple[str, ...]:
    """Where a step can lead without people, time or an answer having come between.

    A together step leads to its branches' first steps; what its `done` leads to depends on those. A follow-on
    that cannot be opened goes on by `otherwise`.
    """
    match step:
        case ChooseStep() | NotifyStep():
            return tuple(target for _, target in exits(step))
        case TogetherStep():
            return tuple(steps[0] for steps in step.branches.values())
        case WaitStep() if step.until is not None:
            return (step.then[TIMEOUT],) if TIMEOUT in step.then else ()
        case HumanStep() if NOT_SAMPLED in step.then:
            return (step.then[NOT_SAMPLED],)
        case FollowOnStep() if OTHERWISE in step.then:
            return (step.then[OTHERWISE],)
        case _:
            return ()
