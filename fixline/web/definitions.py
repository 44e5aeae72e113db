"""Definitions over HTTP: what can be reported, and by which rules it is worked on. Owns these routes."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlmodel import Session

from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.deadlines import Deadline, Rung
from fixline.domain.definition.model import Duplicates
from fixline.domain.process.kinds import AnyStep
from fixline.store.versions import Published, VersionUnknown
from fixline.web.auth import READERS, allow, guarded_router
from fixline.web.parts import PartsOf
from fixline.web.problems import Problem, described
from fixline.web.schemas.basics import form_out
from fixline.web.schemas.definitions import (
    DeadlineOut,
    DefinitionLine,
    DefinitionOut,
    DefinitionPage,
    DuplicatesOut,
    IntakePhotos,
    RedirectOut,
    RungOut,
    StepOut,
)

router = guarded_router("/definitions", "definitions")


@router.get("", summary="List request types", dependencies=[allow(READERS)], responses=described(503))
async def get_definitions(parts: PartsOf) -> DefinitionPage:
    """Every request type, by type. One that takes no requests says whom to turn to."""
    found = await asyncio.to_thread(parts.store.read, parts.versions.all_current)
    return DefinitionPage(items=[_line(each) for each in found])


def _line(published: Published) -> DefinitionLine:
    definition = published.definition
    return DefinitionLine(
        type=definition.type,
        title=definition.title,
        department=definition.department,
        group=definition.group,
        keywords=list(definition.keywords),
        takes_requests=definition.takes_requests,
        redirect=RedirectOut(**vars(definition.redirect)) if definition.redirect else None,
        version=published.number,
        hash=published.hash,
        published_at=published.published_at,
    )


@router.get("/{type}", summary="One request type", dependencies=[allow(READERS)], responses=described(404, 503))
async def get_definition(type: str, parts: PartsOf) -> DefinitionOut:
    """The current version: the questions as a form, the steps, the deadlines."""

    def read(session: Session) -> Published | None:
        try:
            return parts.versions.current(session, type)
        except VersionUnknown:
            return None

    found = await asyncio.to_thread(parts.store.read, read)
    if found is None:
        raise Problem(404, "type_unknown", "there is no such request type")
    return _whole(found)


def _whole(published: Published) -> DefinitionOut:
    definition = published.definition
    return DefinitionOut(
        **_line(published).model_dump(),
        short_code=definition.short_code,
        location=definition.intake.location,
        questions=form_out(definition.intake.questions),
        photos=IntakePhotos(max=definition.intake.photos.max),
        duplicates=_duplicates(definition.intake.duplicates),
        start=definition.start or None,
        steps={name: _step(step) for name, step in definition.steps.items()},
        holds=definition.holds,
        deadlines={name: _deadline(deadline) for name, deadline in definition.deadlines.items()},
        calendar=definition.calendar.name if definition.takes_requests else None,
        timezone=definition.calendar.timezone if definition.takes_requests else None,
    )


def _duplicates(rules: Duplicates | None) -> DuplicatesOut | None:
    if rules is None:
        return None
    return DuplicatesOut(within_m=rules.within_m, opened_in_last=str(rules.opened_in_last), then=rules.then)


def _step(step: AnyStep) -> StepOut:
    shown: dict[str, Any] = {name: str(each) if isinstance(each, Span) else each for name, each in step.shown.items()}
    if "form" in shown:
        shown["form"] = form_out(shown["form"])
    return StepOut.model_validate({"kind": step.kind, **shown})


def _deadline(deadline: Deadline) -> DeadlineOut:
    within = {priority.value: str(span) for priority, span in deadline.within.by_priority.items()}
    return DeadlineOut(
        met_by=deadline.met_by,
        within={**within, "otherwise": str(deadline.within.otherwise)},
        paused_while=list(deadline.paused_while),
        escalate=[_rung(rung) for rung in deadline.escalate],
    )


def _rung(rung: Rung) -> RungOut:
    return RungOut(
        when=rung.when,
        every=str(rung.every) if rung.every else None,
        up_to=rung.up_to,
        tell=rung.tell,
        raise_priority=rung.raise_priority,
        reassign_to=rung.reassign_to,
    )
