"""The words that steps are written in: kinds, shared keys, reserved names."""

from __future__ import annotations

from typing import get_args

from fixline.domain.definition.vocabulary import JOINED
from fixline.domain.process.kinds import AnyStep

RESERVED_STEPS = frozenset({"closed", "always", "never", "opened", JOINED})
ON_HOLD = "on_hold"
HUMAN_KINDS = ("dispatch", "inspection", "task")
KINDS = tuple(kind for each in get_args(AnyStep) for kind in get_args(each.model_fields["kind"].annotation))
"""Every kind, in the order in which people are told of them."""

SHARED_KEYS = ("team", "claim_within", "due", "form", "then", "waiting_as", "say")
