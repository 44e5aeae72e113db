"""What a request and its duplicates tell each other.

Owns the words between an original and the requests attached to it. Each is told by a command at the other one,
so neither ever waits for the other, and both may change meanwhile: whoever is told something that no longer holds
says what does. A request is attached to an older one only, so no chain of them comes back to its beginning.
"""

from __future__ import annotations

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.domain.journal import relation_facts
from fixline.domain.process.builder import DecisionBuilder
from fixline.domain.process.decision import refuse
from fixline.domain.relations.commands import (
    DuplicateAttached,
    DuplicateDetached,
    OriginalAttached,
    OriginalClosed,
    OriginalReopened,
)


def tell_of_close(builder: DecisionBuilder, outcome: CloseOutcome) -> None:
    """A request has closed: its duplicates are told what it came to, its original that it goes its own way (but not
    where it closes as the duplicate that it is)."""
    for duplicate in builder.state.attached:
        builder.tell(duplicate, OriginalClosed(original=builder.request_id, outcome=outcome))
    if builder.state.attached_to and outcome is not CloseOutcome.DUPLICATE:
        tell_original(builder, builder.state.attached_to, attached=False)


def tell_of_reopening(builder: DecisionBuilder) -> None:
    """A request has been opened again: the duplicates that closed with it are opened with it."""
    for duplicate in builder.state.attached:
        builder.tell(duplicate, OriginalReopened(original=builder.request_id))


def tell_original(builder: DecisionBuilder, original: str, *, attached: bool) -> None:
    """The original is told that the request has been attached to it, or is no longer."""
    told = DuplicateAttached if attached else DuplicateDetached
    builder.tell(original, told(duplicate=builder.request_id))


def duplicate_attached(builder: DecisionBuilder, command: DuplicateAttached) -> None:
    """A duplicate has been attached to the request; if the request has moved on meanwhile, the duplicate is told."""
    state, duplicate = builder.state, command.duplicate
    if duplicate in state.attached:
        raise refuse("nothing_changed", f"{duplicate} is attached already")
    if state.closed and state.outcome is not None:
        builder.record(relation_facts.DuplicateAttached(duplicate), f"{duplicate} was reported of the same.")
        builder.tell(duplicate, OriginalClosed(original=state.id, outcome=state.outcome))
    elif state.attached_to:
        text = f"{duplicate} was reported of the same; it follows to {state.attached_to}."
        builder.record(relation_facts.DuplicateSentOn(duplicate, state.attached_to), text)
        builder.tell(duplicate, OriginalAttached(original=state.id, to=state.attached_to))
    else:
        builder.record(relation_facts.DuplicateAttached(duplicate), f"{duplicate} was reported of the same.")


def duplicate_detached(builder: DecisionBuilder, command: DuplicateDetached) -> None:
    """A duplicate goes its own way, or has been closed by itself."""
    if command.duplicate not in builder.state.attached:
        raise refuse("nothing_changed", f"{command.duplicate} is not attached")
    text = f"{command.duplicate} is no longer attached."
    builder.record(relation_facts.DuplicateDetached(command.duplicate), text)
