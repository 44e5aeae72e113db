"""A definition as far as its file could be read, with the tree for places."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

from fixline.catalog.findings import Findings, Place
from fixline.catalog.tree import Mapping, Node, Sequence, along
from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.definition import model
from fixline.domain.definition.deadlines import Deadline
from fixline.domain.definition.fields import FormField
from fixline.domain.definition.vocabulary import NotifyEvent
from fixline.domain.process.kinds import AnyStep, HumanStep


@dataclass
class ParsedDefinition:
    """A definition as far as it could be read; None stands for what could not. Nothing changes it once it is read."""

    tree: Mapping
    findings: Findings
    type: str | None = None
    department: str | None = None
    title: str = ""
    short_code: str | None = None
    group: str | None = None
    keywords: tuple[str, ...] = ()
    intake: model.Intake = field(default_factory=model.Intake)
    redirect: model.Redirect | None = None
    priority: tuple[model.PriorityRule, ...] = ()
    calendar: str | None = None
    deadlines: dict[str, Deadline] = field(default_factory=dict)
    start: str | None = None
    steps: dict[str, AnyStep | None] = field(default_factory=dict)
    cancel: model.Cancel = field(default_factory=model.Cancel)
    holds: dict[str, str] = field(default_factory=dict)
    reopen: model.Reopen | None = None
    notify: tuple[NotifyEvent, ...] = ()

    @cached_property
    def human_steps(self) -> dict[str, HumanStep]:
        """The steps that people carry out."""
        return {name: step for name, step in self.steps.items() if isinstance(step, HumanStep)}

    @cached_property
    def fields(self) -> dict[str, FormField]:
        """Every answer's field by name; the first place that asks wins."""
        return model.fields_asked(self.intake, self.steps)

    @cached_property
    def in_branches(self) -> dict[str, model.InBranch]:
        """The branch of each step that is in one; of one that is in two, the first."""
        return model.in_branches(self.steps)

    def node(self, *path: str | int) -> Node | None:
        """The value at that path of keys and list positions, or None."""
        found = along(self.tree, path)
        return found[-1][0] if len(found) > len(path) else None

    def items(self, *path: str | int) -> tuple[Node, ...]:
        """The entries of the list at that path; none where there is no list."""
        node = self.node(*path)
        return node.items if isinstance(node, Sequence) else ()

    def in_rungs(self, deadline: str, key: str) -> list[Node | None]:
        """What each rung of a deadline has at the key, by its position in the file."""
        path = ("deadlines", deadline, "escalate")
        return [self.node(*path, position, key) for position in range(len(self.items(*path)))]

    def place(self, *path: str | int) -> Place:
        """Where the value at that path begins; the nearest section above it when it is not written."""
        return along(self.tree, path)[-1][0].place

    def key_place(self, *path: str) -> Place:
        """Where the last key of that path stands; the nearest section above it when it is not written."""
        found = along(self.tree, path)
        node, entry = found[-1]
        return entry.place if len(found) > len(path) else node.place

    def add(self, code: str, message: str, *path: str | int) -> None:
        """Note a finding about the value at that path."""
        self.findings.add(code, self.place(*path), message)

    def add_key(self, code: str, message: str, *path: str) -> None:
        """Note a finding about the key at the end of that path."""
        self.findings.add(code, self.key_place(*path), message)

    def has(self, code: str, what: str, name: str, names: Collection[str], *path: str | int, where: str = "") -> bool:
        """Whether the name at that path is one of the names; a finding when it is none."""
        message = f"there is no {what} '{name}'{where}"
        return name in names or self.findings.known(code, self.place(*path), name, names, message)

    def has_step(self, name: str, *path: str | int) -> bool:
        """Whether there is the step that is named at that path; a finding when there is none."""
        return self.has("FX308", "step", name, self.steps, *path)

    def finished(self, calendar: WorkingCalendar) -> model.Definition:
        """The definition, on its calendar. Only for a parsed without findings."""
        own = {name: value for name, value in vars(self).items() if name in model.Definition.model_fields}
        return model.Definition(**{**own, "start": self.start or "", "calendar": calendar})
