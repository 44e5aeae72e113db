"""The words that steps are written in: kinds, shared keys, reserved names."""

from __future__ import annotations

from fixline.domain.steps import JOINED

RESERVED_STEPS = frozenset({"closed", "always", "never", "opened", JOINED})
ON_HOLD = "on_hold"
HUMAN_KINDS = ("dispatch", "inspection", "task")
KINDS = (*HUMAN_KINDS, "choose", "wait", "together", "notify", "agency", "follow_on", "call", "close")

SHARED_KEYS = ("team", "claim_within", "due", "form", "then", "waiting_as", "say")
