"""Checks follow-on steps against the request types that they open, and what these offer: FX312, FX314 and FX315."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fixline.catalog.findings import nearest
from fixline.catalog.parsed import ParsedDefinition
from fixline.catalog.shape import NAME
from fixline.domain.definition.fields import FormField
from fixline.domain.definition.vocabulary import OTHERWISE, RESERVED_OUTCOMES, CloseOutcome
from fixline.domain.process.kinds import CloseStep, FollowOnStep


@dataclass(frozen=True)
class Offer:
    """What a type offers to those that open it as a follow-on: how it can close, and what it has to be told."""

    outcomes: frozenset[str]
    needs_place: bool
    questions: Mapping[str, FormField]
    takes_requests: bool = True


Offers = Mapping[str, Offer | None]
"""Every type that there is, by name; None for one whose file has findings, so that no more can be said of it."""


def offer_of(parsed: ParsedDefinition) -> Offer | None:
    """What a parsed definition offers; None when it could not be read whole."""
    if len(parsed.findings):
        return None
    closes = {step.outcome.value for step in parsed.steps.values() if isinstance(step, CloseStep)}
    asked = {name: field for name, field in parsed.intake.questions.items() if field.required}
    return Offer(frozenset(closes), parsed.intake.location == "required", asked, parsed.redirect is None)


def check_follow_ons(parsed: ParsedDefinition, offers: Offers) -> None:
    """Every follow-on is of a type that there is, closes as the step says, and can be opened with what is known."""
    for name, step in parsed.steps.items():
        if not isinstance(step, FollowOnStep) or not step.follow_on:
            continue
        offer = offers.get(step.follow_on)
        path = ("steps", name, "follow_on")
        if step.follow_on == parsed.type:
            parsed.add("FX312", f"'{step.follow_on}' is this type itself: a follow-on is of another", *path)
        elif offer is None:
            others = [each for each in offers if each != parsed.type]
            parsed.has("FX312", "type", step.follow_on, others, *path)
        elif not offer.takes_requests:
            parsed.add("FX312", f"'{step.follow_on}' takes no requests: it only says whom to turn to", *path)
            continue
        else:
            _check_opening(parsed, step, offer, path)
        _check_outcomes(parsed, name, step, offer if step.follow_on != parsed.type else None)


def _check_outcomes(parsed: ParsedDefinition, name: str, step: FollowOnStep, offer: Offer | None) -> None:
    """Where the type is not known, any close outcome will do."""
    named = offer.outcomes | {CloseOutcome.CANCELLED.value} if offer else {each.value for each in CloseOutcome}
    for outcome in step.then:
        if outcome in named or outcome in RESERVED_OUTCOMES or not NAME.fullmatch(outcome):
            continue
        near = nearest(outcome, [*sorted(named), OTHERWISE])
        message = f"'{step.follow_on}' does not close as '{outcome}'{near}"
        parsed.add_key("FX314", message, "steps", name, "then", outcome)


def _check_opening(parsed: ParsedDefinition, step: FollowOnStep, offer: Offer, path: tuple[str, str, str]) -> None:
    if offer.needs_place and parsed.intake.location != "required":
        parsed.add("FX315", f"'{step.follow_on}' needs a location, and this type takes reports without one", *path)
    fields = parsed.fields
    for name, wanted in offer.questions.items():
        problem = _problem(wanted, fields.get(name))
        if problem:
            parsed.add("FX315", f"'{step.follow_on}' needs an answer to '{name}'{problem}", *path)


def _problem(wanted: FormField, asked: FormField | None) -> str:
    """Why the answer to the parent's question is none to the follow-on's; empty when it is one."""
    if asked is None:
        return ", which is not asked here"
    if asked.kind != wanted.kind:
        return f" of kind {wanted.kind}; here it is of kind {asked.kind}"
    unknown = [option for option in asked.options if option not in wanted.options]
    return f", and does not know the option '{unknown[0]}'" if unknown else ""
