"""What a request and its duplicates tell each other.

Owns the words between an original and the requests attached to it. Each is told by a command at the other one,
so neither ever waits for the other, and both may change meanwhile: whoever is told something that no longer holds
says what does. A request is attached to an older one only, so no chain of them comes back to its beginning.
"""

from __future__ import annotations

from fixline.domain import facts
from fixline.domain.decision import refuse
from fixline.domain.draft import Draft
from fixline.domain.relations import (
    DuplicateAttached,
    DuplicateDetached,
    OriginalAttached,
    OriginalClosed,
    OriginalReopened,
)
from fixline.domain.steps import CloseOutcome


def tell_of_close(draft: Draft, outcome: CloseOutcome) -> None:
    """A request has closed: its duplicates are told what it came to, its original that it goes its own way (but not
    where it closes as the duplicate that it is)."""
    for duplicate in draft.state.attached:
        draft.tell(duplicate, OriginalClosed(original=draft.request_id, outcome=outcome))
    if draft.state.attached_to and outcome is not CloseOutcome.DUPLICATE:
        tell_original(draft, draft.state.attached_to, attached=False)


def tell_of_reopening(draft: Draft) -> None:
    """A request has been opened again: the duplicates that closed with it are opened with it."""
    for duplicate in draft.state.attached:
        draft.tell(duplicate, OriginalReopened(original=draft.request_id))


def tell_original(draft: Draft, original: str, *, attached: bool) -> None:
    """The original is told that the request has been attached to it, or is no longer."""
    told = DuplicateAttached if attached else DuplicateDetached
    draft.tell(original, told(duplicate=draft.request_id))


def duplicate_attached(draft: Draft, command: DuplicateAttached) -> None:
    """A duplicate has been attached to the request; if the request has moved on meanwhile, the duplicate is told."""
    state, duplicate = draft.state, command.duplicate
    if duplicate in state.attached:
        raise refuse("nothing_changed", f"{duplicate} is attached already")
    if state.closed and state.outcome is not None:
        draft.record(facts.DuplicateAttached(duplicate), f"{duplicate} was reported of the same.")
        draft.tell(duplicate, OriginalClosed(original=state.id, outcome=state.outcome))
    elif state.attached_to:
        text = f"{duplicate} was reported of the same; it follows to {state.attached_to}."
        draft.record(facts.DuplicateSentOn(duplicate, state.attached_to), text)
        draft.tell(duplicate, OriginalAttached(original=state.id, to=state.attached_to))
    else:
        draft.record(facts.DuplicateAttached(duplicate), f"{duplicate} was reported of the same.")


def duplicate_detached(draft: Draft, command: DuplicateDetached) -> None:
    """A duplicate goes its own way, or has been closed by itself."""
    if command.duplicate not in draft.state.attached:
        raise refuse("nothing_changed", f"{command.duplicate} is not attached")
    text = f"{command.duplicate} is no longer attached."
    draft.record(facts.DuplicateDetached(command.duplicate), text)
