"""Stub."""


def import_file() -> None:
    """Stub."""
