"""Every command of the command line that is shown."""

from __future__ import annotations

from collections.abc import Container, Iterator

import typer
from typer.core import TyperCommand, TyperGroup

from fixline.cli.app import application


def commands(group: TyperGroup, prefix: str = "fixline") -> Iterator[tuple[str, TyperCommand]]:
    """Every command that is shown, by its whole name."""
    for name, command in group.commands.items():
        whole = f"{prefix} {name}"
        if isinstance(command, TyperGroup):
            yield from commands(command, whole)
        elif isinstance(command, TyperCommand) and not command.hidden:
            yield whole, command


def all_commands() -> dict[str, TyperCommand]:
    return dict(commands(_root(_root(()).commands)))


def _root(named: Container[str]) -> TyperGroup:
    root = typer.main.get_command(application(named))
    assert isinstance(root, TyperGroup)
    return root
