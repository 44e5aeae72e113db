"""Which effects there are.

Owns their names, for those who speak of effects and make none. Must not import anything of Fixline.
"""

from __future__ import annotations

from typing import Literal

EffectKind = Literal[
    "dispatch", "order_inspection", "escalate", "notify", "tell_request", "ask_agency", "call", "open_follow_on"
]
"""`tell_request` has the command in its data decided at the request that it names (`to`)."""
