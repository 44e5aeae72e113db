"""Stub."""


def demo_crews() -> None:
    """Stub."""
