"""Sample types that branch, wait for dates, look at samples and tell people; and the list of all sample types.

Owns what the tests of those kinds of steps run on, beside the plain types of `samples`.
"""

from __future__ import annotations

from fixline.domain.definition.model import Definition
from tests.support.domain.samples import FIXED, NORMAL, OFFICE, looping, pothole, vehicle


def market(join: str = "all") -> Definition:
    """A street market: signs, a permit and a notice period side by side; one branch can lead out, one goes round."""
    desk = {"kind": "task", "title": "Look at it", "team": "crew"}
    return Definition.model_validate(
        {
            "type": "market" if join == "all" else "race",
            "title": "Street market",
            "department": "streets",
            "intake": {"location": "none", "questions": {"weight": {"kind": "number"}}},
            "priority": NORMAL,
            "calendar": OFFICE,
            "deadlines": {
                "permit": {"met_by": "permit", "within": {"otherwise": "2 working days"}},
                "resolve": {
                    "met_by": "closed",
                    "within": {"otherwise": "10 working days"},
                    "paused_while": ["on_hold", "notice", "with_owner"],
                    "escalate": [{"at_due": True, "tell": "supervisor", "raise_priority": "high"}],
                },
            },
            "start": "prepare",
            "steps": {
                "prepare": {
                    "kind": "together",
                    "branches": {
                        "signs": ["which_signs", "place_signs"],
                        "permit": ["permit", "owner"],
                        "notice": ["notice"],
                    },
                    "join": join,
                    "then": {"done": "set_up"},
                },
                "which_signs": {
                    "kind": "choose",
                    "branches": [
                        {"when": "weight > 100", "go": "too_large"},
                        {"when": "weight < 0", "go": "joined"},
                        {"go": "place_signs"},
                    ],
                },
                "place_signs": {
                    "kind": "dispatch",
                    "title": "Place the signs",
                    "team": "crew",
                    "claim_within": "2 working hours",
                    "due": "1 working day",
                    "then": {"placed": "joined", "stolen": "which_signs"},
                },
                "permit": {**desk, "then": {"granted": "joined", "ask": "owner", "refused": "not_ours"}},
                "owner": {
                    "kind": "wait",
                    "signal": "answer",
                    "at_most": "3 working days",
                    "waiting_as": "with_owner",
                    "then": {"answer": "permit", "timeout": "not_ours"},
                },
                "notice": {
                    "kind": "wait",
                    "span": "2 calendar days",
                    "waiting_as": "notice",
                    "then": {"timeout": "joined"},
                },
                "set_up": {**desk, "then": {"done": "fixed", "again": "prepare"}},
                "fixed": FIXED,
                "too_large": {**desk, "then": {"smaller": "prepare", "no": "not_ours"}},
                "not_ours": {"kind": "close", "outcome": "declined"},
            },
            "cancel": {"reporter": "place_signs", "supervisor": "always"},
            "notify": ["step_done", "closed"],
        }
    )


def hearing() -> Definition:
    """A hearing on a date that somebody gives, a check of every third case, notices, a warning after two visits."""
    look = {"kind": "inspection", "title": "Look at it", "team": "crew"}
    return Definition.model_validate(
        {
            "type": "hearing",
            "title": "Complaint with a hearing",
            "department": "works",
            "intake": {
                "location": "none",
                "questions": {"day": {"kind": "date"}, "moment": {"kind": "datetime"}},
            },
            "priority": NORMAL,
            "calendar": OFFICE,
            "deadlines": {
                "resolve": {
                    "met_by": "closed",
                    "within": {"otherwise": "10 working days"},
                    "paused_while": ["before_the_hearing"],
                    "escalate": [{"at_due": True, "tell": "supervisor"}],
                }
            },
            "start": "told",
            "steps": {
                "told": {"kind": "notify", "role": "alderman", "say": "A complaint came in.", "then": "look"},
                "look": {
                    **look,
                    "claim_within": "2 working hours",
                    "form": {"day": {"kind": "date"}},
                    "warn_after": 2,
                    "then": {"bad": "both", "good": "fixed", "hear": "heard"},
                },
                "both": {
                    "kind": "together",
                    "branches": {"hearing": ["heard_here", "tell"], "desk": ["desk"]},
                    "then": {"done": "check"},
                },
                "heard_here": {
                    "kind": "wait",
                    "until": "day",
                    "waiting_as": "before_the_hearing",
                    "then": {"timeout": "tell"},
                },
                "tell": {"kind": "notify", "role": "reporter", "say": "It has been heard.", "then": "joined"},
                "desk": {
                    "kind": "task",
                    "title": "Set the day",
                    "team": "crew",
                    "form": {"day": {"kind": "date"}},
                    "then": {"set": "joined", "again": "desk"},
                },
                "heard": {
                    "kind": "wait",
                    "until": "moment",
                    "waiting_as": "before_the_hearing",
                    "then": {"timeout": "check"},
                },
                "check": {
                    **look,
                    "sample": 34,
                    "warn_after": 3,
                    "then": {"fine": "fixed", "bad": "look", "not_sampled": "fixed"},
                },
                "fixed": FIXED,
            },
            "notify": ["closed"],
        }
    )


def all_types() -> tuple[Definition, ...]:
    """Every sample type."""
    return pothole(), vehicle(), looping(), market(), market("first"), hearing()
