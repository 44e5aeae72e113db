"""Stub."""


def overdue() -> None:
    """Stub."""


def show() -> None:
    """Stub."""
