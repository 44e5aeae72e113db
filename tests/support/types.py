"""Request types made for the tests of store, delivery and workflow, for teams of Lakeport.

Owns small definitions whose deadlines can be seconds long: their calendar is open round the clock.
"""

from __future__ import annotations

from typing import Any

from fixline.domain.definition.model import Definition
from tests.support.domain.samples import ALWAYS

QUEUE = "street-dispatch"
IN_TURN = "street-inspectors"
LEAST_LOADED = "asphalt-north"
ONE_MEMBER = "public-way-survey"


def errand(team: str = QUEUE, kind: str = "task", **changes: Any) -> Definition:
    """One step: done, done again, or left for a wait without end; no deadlines. `changes` replace parts."""
    parts: dict[str, Any] = {
        "type": "errand",
        "title": "An errand",
        "department": "transportation",
        "intake": {"location": "none"},
        "priority": [{"is": "normal"}],
        "calendar": ALWAYS,
        "start": "work",
        "steps": {
            "work": {
                "kind": kind,
                "title": "Do it",
                "team": team,
                "form": {"note": {"kind": "text"}},
                "then": {"done": "fixed", "again": "work", "later": "asleep"},
            },
            "asleep": {"kind": "wait", "signal": "wake", "waiting_as": "asleep", "then": {"wake": "work"}},
            "fixed": {"kind": "close", "outcome": "fixed", "say": "It is done."},
        },
        "cancel": {"reporter": "always", "supervisor": "always"},
        "notify": ["received", "on_hold", "closed"],
    }
    return Definition.model_validate({**parts, **changes})


def promised(within: str = "1 calendar hour", escalate: Any = (), **changes: Any) -> Definition:
    """An errand with one deadline, `resolve`, which a hold and the wait pause."""
    ladder = escalate or [
        {"at_percent": 50, "tell": "crew_lead"},
        {"at_due": True, "tell": "supervisor", "raise_priority": "high"},
    ]
    resolve = {
        "met_by": "closed",
        "within": {"otherwise": within},
        "paused_while": ["on_hold", "asleep"],
        "escalate": ladder,
    }
    return errand(**{"type": "promise", "deadlines": {"resolve": resolve}, **changes})


def nap(at_most: str, **changes: Any) -> Definition:
    """Begins with a wait for the signal `wake`, which ends by itself after `at_most`."""
    steps = errand().model_dump(mode="json", by_alias=True)["steps"]
    asleep = {"kind": "wait", "signal": "wake", "at_most": at_most, "then": {"wake": "work", "timeout": "fixed"}}
    return errand(**{"type": "nap", "start": "asleep", "steps": {**steps, "asleep": asleep}, **changes})


def asking(**changes: Any) -> Definition:
    """Begins by calling the permits office; then one task, or an agency that has seconds to reply."""
    steps = errand().model_dump(mode="json", by_alias=True)["steps"]
    permit = {
        "kind": "call",
        "call": "permits-office",
        "send": ["place", "depth"],
        "at_most": "1 calendar day",
        "waiting_as": "with_permits",
        "then": {"granted": "work", "refused": "gas", "timeout": "work"},
    }
    gas = {
        "kind": "agency",
        "agency": "lakeport-gas",
        "send": ["depth"],
        "reply_within": "1 calendar day",
        "then": {"repaired": "fixed", "no_reply": "work"},
    }
    given = {"permit": permit, "gas": gas, **changes.pop("steps", {})}
    questions = {"location": "none", "questions": {"depth": {"kind": "number"}}}
    return errand(
        **{
            "type": "asking",
            "start": "permit",
            "intake": questions,
            "steps": {**steps, **given},
            "notify": [],
            **changes,
        }
    )


def side_by_side(**changes: Any) -> Definition:
    """Signs and a permit at the same time, then the supervisor is told and the reporter, then it closes.

    A permit that is refused leads out of its branch; asking for it again warns at the second visit.
    """
    desk = {"kind": "task", "team": QUEUE}
    steps = {
        "prepare": {
            "kind": "together",
            "branches": {"signs": ["signs"], "permit": ["permit", "answer"]},
            "then": {"done": "tell"},
        },
        "signs": {**desk, "kind": "dispatch", "title": "Place the signs", "then": {"placed": "joined"}},
        "permit": {
            **desk,
            "title": "Ask for the permit",
            "warn_after": 2,
            "then": {"granted": "joined", "wait": "answer", "refused": "refused"},
        },
        "answer": {"kind": "wait", "signal": "answer", "waiting_as": "with_permits", "then": {"answer": "permit"}},
        "tell": {"kind": "notify", "role": "supervisor", "say": "All is prepared.", "then": "tell_reporter"},
        "tell_reporter": {"kind": "notify", "role": "reporter", "say": "We begin.", "then": "fixed"},
        "fixed": {"kind": "close", "outcome": "fixed"},
        "refused": {"kind": "close", "outcome": "declined"},
    }
    return errand(**{"type": "side", "start": "prepare", "steps": steps, **changes})
