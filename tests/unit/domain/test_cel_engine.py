"""Conditions load the compiler of the `cel` library, and not the command line that comes with it."""

from __future__ import annotations

import subprocess
import sys

import cel
import pytest

from fixline.domain.definition import conditions


def test_conditions_load_no_command_line() -> None:
    """Otherwise every start would load an interactive shell and its colours."""
    program = (
        "import sys, fixline.domain.definition.conditions\n"
        "print(*sorted({'cel.cel', 'cel.cli', 'prompt_toolkit', 'pygments', 'rich'} & sys.modules.keys()))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == ["cel.cel"]


def test_the_package_stands_in_where_it_is_loaded_already() -> None:
    assert conditions._loaded() is cel


def test_the_package_stands_in_where_it_has_no_compiled_module(monkeypatch: pytest.MonkeyPatch) -> None:
    class Blind:
        @staticmethod
        def find_spec(*_: object) -> None:
            return None

    monkeypatch.setattr(conditions, "PathFinder", Blind)
    monkeypatch.delitem(sys.modules, "cel.cel")
    assert conditions._loaded() is cel


def test_what_is_compiled_is_the_library_s() -> None:
    assert isinstance(conditions.compile_condition("depth > 5"), cel.Program)
