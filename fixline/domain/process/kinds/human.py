"""Steps that people carry out (field work, an inspection, desk work), and how their task is offered."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from fixline.domain.deadlines import timekeeping
from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.fields import FormField, Part
from fixline.domain.definition.vocabulary import NOT_SAMPLED, RESERVED_OUTCOMES, SUPERVISOR
from fixline.domain.journal import step_facts
from fixline.domain.journal.state import Task, task_id
from fixline.domain.process import walk
from fixline.domain.process.commands import SYSTEM
from fixline.domain.process.decision import DecisionBuilder
from fixline.domain.process.effects import Dispatch, Escalate, OrderInspection
from fixline.domain.process.kinds.base import StepPart, Words, noted


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

    shows = ("title", "claim_within", "due", "form", "sample", "warn_after", "then")
    times = ("claim_within", "due")
    at_once = NOT_SAMPLED

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that people can give."""
        return tuple(outcome for outcome in self.then if outcome not in RESERVED_OUTCOMES)

    def words(self, _name: str) -> Words:
        sampled = f"{self.sample}% of the requests" if self.sample else None
        warned = f"warns at visit {self.warn_after}" if self.warn_after else None
        spans = noted(("claim within", self.claim_within), ("due", self.due))
        return Words(self.title, (self.team_name, *spans, *(note for note in (sampled, warned) if note)))

    @property
    def shown(self) -> dict[str, Any]:
        return {"team": self.team_name, **super().shown}

    @property
    def team_name(self) -> str:
        """The team as the definition names it, by area or not."""
        return self.team.as_ if isinstance(self.team, TeamByArea) else self.team

    def enter(self, builder: DecisionBuilder, name: str, visit: int) -> str | None:
        """Offer the task, or leave at once where this visit is not in the sample."""
        if self.sample is not None and not in_sample(builder.request_id, name, visit, self.sample):
            walk.entered(builder, name, visit, f"Step {name}: not in the sample of {self.sample}%.")
            self._warn(builder, name, visit)
            return walk.go_on(builder, name, NOT_SAMPLED, self.then[NOT_SAMPLED])
        walk.entered(builder, name, visit, f"Step {name}: {self.title}.")
        number, team = builder.state.tasks_made + 1, self.team_in(builder.state.areas)
        task = Task(task_id(builder.request_id, number), name, visit, self.kind, self.title, team, builder.now)
        builder.record(step_facts.TaskOffered(task), f"{self.title}: offered to {team}.", actor=SYSTEM)
        timekeeping.start_task_clocks(builder, task)
        order(builder, task)
        self._warn(builder, name, visit)
        return None

    def _warn(self, builder: DecisionBuilder, name: str, visit: int) -> None:
        """Tell the supervisor, once, of a step that has been entered as often as its definition says."""
        if visit != self.warn_after:
            return
        text = f"Step {name}: entered {visit} times; the {SUPERVISOR} is told."
        builder.record(step_facts.VisitsWarned(name, visit), text, actor=SYSTEM)
        task = next((task.id for task in builder.state.open_tasks if task.step == name), None)
        builder.cause(Escalate(role=SUPERVISOR, rung=f"{visit} visits", step=name, task=task))

    def team_in(self, areas: Mapping[str, str]) -> str:
        """The team that does it: by name, or by the area in which the request lies."""
        if not isinstance(self.team, TeamByArea):
            return self.team
        area = areas.get(self.team.by)
        return self.team.as_.replace("{" + self.team.by + "}", area) if area else self.team.elsewhere


def order(builder: DecisionBuilder, task: Task, *, not_to: str | None = None) -> None:
    """Cause the work order (or the order of an inspection) that gives an offered task to its team."""
    kind = OrderInspection if task.kind == "inspection" else Dispatch
    builder.cause(kind(task=task.id, team=task.team, offer=task.offers, not_to=not_to))


def in_sample(request_id: str, step: str, visit: int, percent: int) -> bool:
    """Whether this visit of the step is in the sample, the same at every look; `percent` of 100 are, spread evenly."""
    digest = hashlib.sha256(f"{request_id}:{step}:{visit}".encode()).digest()
    return int.from_bytes(digest[:8]) % 100 < percent
