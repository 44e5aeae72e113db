"""Reads one definition file: every part that can be read, with the tree for places.

Owns the keys of a definition's top level. A parsed becomes a Definition when nothing was found wrong with
it. Must not import anything of Fixline but the reading of sections and the model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from fixline.catalog.deadlines import read_deadlines, read_priority
from fixline.catalog.findings import TOP, Findings, Place
from fixline.catalog.intake import OF_REQUESTS, read_intake, read_redirect
from fixline.catalog.reading import Entry, Mapping, Node, Sequence
from fixline.catalog.shape import KEY, NAME, Section, Written, check_name, section_of, word_of
from fixline.catalog.steps import read_steps
from fixline.domain.deadlines.calendar import Span, WorkingCalendar
from fixline.domain.definition.deadlines import Deadline
from fixline.domain.definition.fields import FormField
from fixline.domain.definition.model import Cancel, Definition, Intake, PriorityRule, Redirect, Reopen, ReopenedBy
from fixline.domain.definition.vocabulary import NotifyEvent
from fixline.domain.process.kinds import AnyStep
from fixline.domain.process.kinds.human import HumanStep

_LATER = ("agency", "outcomes", "responsibility", "private", "boundary")


class _CancelBy(StrEnum):
    ALWAYS = "always"
    NEVER = "never"


@dataclass
class ParsedDefinition:
    """A definition as far as it could be read; None stands for what could not. Nothing changes it once it is read."""

    tree: Mapping
    findings: Findings
    type: str | None
    department: str | None
    title: str
    short_code: str | None
    group: str | None
    keywords: tuple[str, ...]
    intake: Intake
    redirect: Redirect | None
    priority: tuple[PriorityRule, ...]
    calendar: str | None
    deadlines: dict[str, Deadline]
    start: str | None
    steps: dict[str, AnyStep | None]
    cancel: Cancel
    holds: dict[str, str]
    reopen: Reopen | None
    notify: tuple[NotifyEvent, ...]

    @cached_property
    def human_steps(self) -> dict[str, HumanStep]:
        """The steps that people carry out."""
        return {name: step for name, step in self.steps.items() if isinstance(step, HumanStep)}

    @cached_property
    def fields(self) -> dict[str, FormField]:
        """Every answer's field by name; the first place that asks wins."""
        found = dict(self.intake.questions)
        for step in self.human_steps.values():
            for name, field in step.form.items():
                found.setdefault(name, field)
        return found

    def node(self, *path: str | int) -> Node | None:
        """The value at that path of keys and list positions, or None."""
        node: Node | None = self.tree
        for part in path:
            if isinstance(node, Mapping) and isinstance(part, str):
                found = node.entries.get(part)
                node = found.value if found else None
            elif isinstance(node, Sequence) and isinstance(part, int):
                node = node.items[part] if part < len(node.items) else None
            else:
                return None
        return node

    def place(self, *path: str | int) -> Place:
        """Where the value at that path begins; the nearest section above it when it is not written."""
        for length in range(len(path), -1, -1):
            node = self.node(*path[:length])
            if node is not None:
                return node.place
        return TOP

    def key_place(self, *path: str) -> Place:
        """Where the last key of that path stands."""
        found = _entry(self.node(*path[:-1]), path[-1])
        return found.place if found else self.place(*path[:-1])

    def finished(self, calendar: WorkingCalendar) -> Definition:
        """The definition, on its calendar. Only for a parsed without findings."""
        return Definition(
            type=self.type or "",
            title=self.title,
            department=self.department or "",
            short_code=self.short_code,
            group=self.group,
            keywords=self.keywords,
            intake=self.intake,
            redirect=self.redirect,
            priority=self.priority,
            calendar=calendar,
            deadlines=self.deadlines,
            start=self.start or "",
            steps={name: step for name, step in self.steps.items() if step is not None},
            cancel=self.cancel,
            holds=self.holds,
            reopen=self.reopen,
            notify=self.notify,
        )


def _entry(node: Node | None, key: str) -> Entry | None:
    return node.entries.get(key) if isinstance(node, Mapping) else None


def read_draft(tree: Mapping, findings: Findings) -> ParsedDefinition:
    """Read the whole file, with a finding for every key and value that does not fit."""
    taken = "redirect" not in tree.entries
    top = Section(tree if taken else _without_requests(tree, findings), findings, TOP)
    parsed = ParsedDefinition(
        tree=top.tree,
        findings=findings,
        type=_text(top.name("type", KEY, required=True)),
        title=_text(top.text("title", required=True)) or "",
        department=_text(top.text("department", required=True)),
        short_code=_text(top.text("short_code")),
        group=_text(top.text("group")),
        keywords=tuple(word.text for word in top.texts("keywords")),
        intake=read_intake(top.section("intake")),
        redirect=read_redirect(top.section("redirect")),
        priority=read_priority(top) if taken else (),
        calendar=_text(top.text("calendar", required=taken)),
        deadlines=read_deadlines(top.section("deadlines")),
        start=_text(top.text("start", required=taken)),
        steps=read_steps(top.section("steps", required=taken)),
        cancel=_read_cancel(top.section("cancel")),
        holds=_read_holds(top.section("holds")),
        reopen=_read_reopen(top.section("reopen")),
        notify=_read_notify(top.section("notify")),
    )
    top.finish("a definition", _LATER)
    return parsed


def _without_requests(tree: Mapping, findings: Findings) -> Mapping:
    """The file of a type that takes no requests, without the keys that only requests need; those are findings."""
    for key in OF_REQUESTS:
        found = tree.entries.get(key)
        if found is not None:
            message = f"a type with 'redirect' takes no requests and has no '{key}': delete one of the two"
            findings.add("FX219", found.place, message)
    return replace(tree, entries={key: entry for key, entry in tree.entries.items() if key not in OF_REQUESTS})


def _text(written: Written | None) -> str | None:
    return written.text if written else None


def _read_cancel(section: Section | None) -> Cancel:
    if section is None:
        return Cancel()
    reporter = _read_reporter(section)
    supervisor = section.word("supervisor", _CancelBy)
    section.finish("'cancel'", ("crew",))
    return Cancel(reporter=reporter, supervisor=None if supervisor is _CancelBy.NEVER else "always")


def _read_reporter(section: Section) -> str | None:
    """'always', the step until which the reporter may cancel, or None."""
    found = section.entry("reporter")
    if found is None:
        return None
    if isinstance(found.value, Mapping):
        body = Section(found.value, section.findings, found.place)
        until = body.text("until", required=True)
        body.finish("'reporter'")
        return _text(until)
    written = section.text("reporter")
    chosen = word_of(written, _CancelBy, section.findings) if written else None
    return "always" if chosen is _CancelBy.ALWAYS else None


def _read_notify(section: Section | None) -> tuple[NotifyEvent, ...]:
    if section is None:
        return ()
    words = [word_of(written, NotifyEvent, section.findings) for written in section.texts("reporter")]
    section.finish("'notify'", ("supervisor", "crew", "alderman"))
    return tuple(word for word in words if word is not None)


def top_section(node: Node, findings: Findings) -> Section | None:
    """The node as a section of its own."""
    return section_of(node, "the file", findings)


_PLACEHOLDER = Span.parse("1 calendar day")


def _read_holds(section: Section | None) -> dict[str, str]:
    """The codes with their titles, in their order; empty when the section is left out."""
    if section is None:
        return {}
    titles = {entry.key: section.text(entry.key, required=True) for entry in section.tree}
    for entry in section.tree:
        check_name(entry.key, entry.place, NAME, section.findings)
    return {code: title.text if title else "" for code, title in titles.items()}


def _read_reopen(section: Section | None) -> Reopen | None:
    """The section; values that cannot be read are replaced after their finding."""
    if section is None:
        return None
    listed = section.items("by", required=True)
    words = [word_of(written, ReopenedBy, section.findings) for written in section.texts("by")] if listed else []
    if listed is not None and not listed:
        section.findings.add("FX451", section.key_place("by"), "'by' names nobody: write reporter, supervisor or both")
    within = section.span("within", required=True)
    at = section.text("at", required=True)
    section.finish("'reopen'")
    by = tuple(word for word in words if word is not None)
    return Reopen(by=by, within=within or _PLACEHOLDER, at=at.text if at else "")
