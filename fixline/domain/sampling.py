"""Which visits of a sampled inspection are inspected: a share of all, the same at every look.

Owns the one decision; it needs no randomness that would have to be kept.
"""

from __future__ import annotations

from hashlib import sha256


def in_sample(request_id: str, step: str, visit: int, percent: int) -> bool:
    """Whether this visit of the step is in the sample; `percent` of 100 are, spread evenly over requests."""
    digest = sha256(f"{request_id}:{step}:{visit}".encode()).digest()
    return int.from_bytes(digest[:8]) % 100 < percent
