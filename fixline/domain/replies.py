"""What somebody else answers: an outside party's reply, a system's answer.

Owns which answers are taken, which come too late, and what an effect that asked reports. Each function records on a
draft or raises `Refused`.
"""

from __future__ import annotations

from fixline.domain import facts, follow_ons, progress, tasks
from fixline.domain.commands import AgencyReply, EffectReport
from fixline.domain.decision import refuse
from fixline.domain.definition import NotifyEvent
from fixline.domain.draft import Draft
from fixline.domain.state import Position, Visit
from fixline.domain.steps import NO_REPLY, TIMEOUT, AgencyStep, CallStep


def agency_reply(draft: Draft, command: AgencyReply) -> None:
    """The party's reply, or staff's in its place; one that comes after no_reply is noted and changes nothing."""
    waiting = _awaiting_agency(draft, command.step)
    if waiting is None:
        _late_reply(draft, command)
        return
    step = draft.definition.step(waiting.step)
    assert isinstance(step, AgencyStep)  # noqa: S101 - found as one
    _check_outcome(step, waiting.step, command.outcome)
    replied = facts.AgencyReplied(step.agency, waiting.step, command.outcome, command.reference, command.reason)
    draft.record(replied, _said(f"{step.agency}: {command.outcome}.", command))
    draft.notify(NotifyEvent.STEP_DONE, step=waiting.step, outcome=command.outcome)
    progress.step_over(draft, waiting.step, command.outcome)


def _awaiting_agency(draft: Draft, name: str | None) -> Position | None:
    """The position at which the request waits for a party (of that step, if it is named)."""
    found = [
        position
        for position in draft.state.positions
        if isinstance(draft.definition.steps.get(position.step), AgencyStep) and name in (None, position.step)
    ]
    if len(found) > 1:
        steps = [position.step for position in found]
        raise refuse("several_agencies", "several agencies are waited for: say at which step", steps=steps)
    return found[0] if found else None


def _late_reply(draft: Draft, command: AgencyReply) -> None:
    visit = _last_asked(draft, command.step)
    if visit is None or visit.outcome != NO_REPLY:
        if draft.state.closed:
            raise refuse(
                "request_closed", f"the request is closed ({draft.state.outcome})", outcome=draft.state.outcome
            )
        raise refuse("no_agency_awaited", "the request does not wait for an agency's reply")
    step = draft.definition.step(visit.step)
    assert isinstance(step, AgencyStep)  # noqa: S101 - found as one
    _check_outcome(step, visit.step, command.outcome)
    late = facts.LateReply(step.agency, visit.step, command.outcome, command.reference, command.reason)
    draft.record(late, _said(f"{step.agency} replied too late: {command.outcome}.", command))


def _last_asked(draft: Draft, name: str | None) -> Visit | None:
    """The last visit of a step that asked a party (of that step, if it is named)."""
    for visit in reversed(draft.state.taken):
        if isinstance(draft.definition.steps.get(visit.step), AgencyStep) and name in (None, visit.step):
            return visit
    return None


def _check_outcome(step: AgencyStep, name: str, outcome: str) -> None:
    possible = [each for each in step.then if each != NO_REPLY]
    if outcome not in possible:
        text = f"step {name!r} has no reply {outcome!r}; it has {', '.join(possible)}"
        raise refuse("unknown_outcome", text, outcomes=possible)


def _said(text: str, command: AgencyReply) -> str:
    reference = f"Reference {command.reference}." if command.reference else ""
    return " ".join(part for part in (text, reference, command.reason) if part)


def report(draft: Draft, command: EffectReport) -> None:
    """What an effect learned; those within the city are `fixline.domain.tasks`'s."""
    if command.effect_kind == "ask_agency":
        _asked(draft, command)
    elif command.effect_kind == "call":
        _answered(draft, command)
    elif command.effect_kind == "open_follow_on":
        follow_ons.report(draft, command)
    else:
        tasks.report(draft, command)


def _asked(draft: Draft, command: EffectReport) -> None:
    asked = facts.AgencyAsked(command.told or "", command.step or "", command.visit or 0, command.channel)
    draft.record(asked, f"{command.told} was asked ({command.channel}).")


def _answered(draft: Draft, command: EffectReport) -> None:
    name = command.step or ""
    step = draft.definition.steps.get(name)
    position = draft.state.position_of(name)
    if not isinstance(step, CallStep) or position is None or position.visit != command.visit:
        raise refuse("step_moved_on", "the step was left before the system's answer came")
    if command.outcome is None or command.outcome == TIMEOUT or command.outcome not in step.then:
        raise refuse("unknown_outcome", f"step {name!r} has no answer {command.outcome!r}")
    answered = facts.CallAnswered(step.call, name, position.visit, command.outcome)
    draft.record(answered, f"{step.call}: {command.outcome}.")
    progress.step_over(draft, name, command.outcome)
