"""Follow-ons in the store: the child is opened in the transaction that takes its parent's effect.

Owns what a child is given of its parent. The mark on the effect, the child and the report to the parent are one
transaction, so a follow-on is opened exactly once, whatever dies in between. Instants are aware UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import RequestState, read_state
from fixline.domain.process.commands import SYSTEM, EffectResult, Open, ParentLink
from fixline.domain.process.decision import Refusal
from fixline.domain.process.effects import OpenFollowOn
from fixline.domain.relations.follow_ons import DEEPEST
from fixline.messages import WorkflowSignal
from fixline.service.opening import Report, decide_opening, open_request
from fixline.service.scheduling import Scheduling
from fixline.service.submissions import Locked, Submission
from fixline.store.versions import Versions, VersionUnknown

CHANNEL = "follow_on"
_PREVIEW = "SR00-00000000"


class FollowOn(NamedTuple):
    """What came of an opening: the report to the parent (None: the step was left meanwhile), and what the child's
    workflow is started with."""

    report: EffectResult | None
    signal: WorkflowSignal | None = None


def open_follow_on(
    session: Session,
    versions: Versions,
    zone: ZoneInfo,
    scheduling: Scheduling,
    effect: OpenFollowOn,
    request: Locked,
    now: datetime,
) -> FollowOn:
    """Open the follow-on that an effect of the (locked) request asks for, or say why it cannot be opened."""
    parent = read_state(request.state) if request.state else None
    if parent is None or effect.pointless(parent):
        return FollowOn(None)
    depth = (parent.parent.depth if parent.parent else 0) + 1
    if depth > DEEPEST:
        return FollowOn(_failed(effect, f"follow-ons would lie more than {DEEPEST} deep"))
    try:
        published = versions.current(session, effect.type)
    except VersionUnknown as unknown:
        return FollowOn(_failed(effect, str(unknown)))
    submission = Submission(
        command_id=f"{effect.id}:open",
        command=_opening(parent, published.definition, published.hash, effect, depth),
        actor=SYSTEM,
        accepted_at=now,
        caller=SYSTEM.name,
    )
    report = Report(submission, published.definition)
    preview = decide_opening(report, _PREVIEW)
    if isinstance(preview, Refusal):
        wrong = "; ".join(f"{problem.field}: {problem.message}" for problem in preview.fields)
        return FollowOn(_failed(effect, preview.message + (f" ({wrong})" if wrong else "")))
    opened = open_request(session, report, zone, scheduling)
    return FollowOn(EffectResult(child=opened.row.request_id, **_reported(effect)), opened.signal)


def _opening(parent: RequestState, definition: Definition, version: str, effect: OpenFollowOn, depth: int) -> Open:
    """The place and the words of the parent, and those of its answers that the child's type asks for, too."""
    questions = definition.intake.questions
    answers = {name: value for name, value in parent.answers.items() if name in questions}
    return Open(
        type=definition.type,
        version=version,
        place=parent.place if definition.intake.location != "none" else None,
        areas=parent.areas,
        answers=answers,
        description=parent.description,
        photos=parent.photos[: definition.intake.photos.max],
        channel=CHANNEL,
        parent=ParentLink(id=parent.id, step=effect.step, depth=depth),
    )


def _failed(effect: OpenFollowOn, why: str) -> EffectResult:
    return EffectResult(failed=why, **_reported(effect))


def _reported(effect: OpenFollowOn) -> dict[str, Any]:
    said = {"effect": effect.id, "effect_kind": effect.kind}
    return {**said, "child_type": effect.type, "step": effect.step, "visit": effect.visit}
