"""docs/operations.md knows every setting, command, option, metric and check, with the defaults that hold."""

from __future__ import annotations

import ast
import re
from enum import Enum

import pytest
from prometheus_client import CollectorRegistry
from pydantic_core import PydanticUndefined
from typer.core import TyperArgument

from fixline.settings import Settings
from fixline.web.health import Metrics
from tests.support.docs.commands import all_commands
from tests.support.docs.pages import ROOT, page, table_rows

PAGE = page("operations.md")
ROWS = {row[0].strip("`"): row[1:] for row in table_rows(PAGE)}
OF_THE_PROCESS = ("python_", "process_")


def usage_rows() -> dict[str, str]:
    """The page's table of options and arguments, by command."""
    section = PAGE.partition("| Command | Options and arguments |")[2].partition("\n\n")[0]
    return {row[0].strip("`"): row[1] for row in table_rows(section)}


def test_every_setting_has_its_row_with_its_default() -> None:
    """FIXLINE_ and the field's name, the default as it is written in the environment, and nothing that is none."""
    told = {name: row[0].strip("`") for name, row in ROWS.items() if name.startswith("FIXLINE_")}
    real = {}
    for name, field in Settings.model_fields.items():
        default = None if field.default is PydanticUndefined else field.default
        plain = default.value if isinstance(default, Enum) else default
        real[f"FIXLINE_{name.upper()}"] = "none" if plain is None else str(plain)
    assert told == real


def test_every_command_has_its_rows() -> None:
    """Both tables of commands name every command, and no other."""
    known = set(all_commands())
    assert set(usage_rows()) == known
    assert {name for name in ROWS if re.fullmatch(r"fixline [a-z -]+", name)} == known


@pytest.mark.parametrize("name", sorted(all_commands()))
def test_every_option_is_in_its_commands_row(name: str) -> None:
    """Each option and argument stands there, each default too, and no option that the command does not have."""
    row = usage_rows()[name]
    options: set[str] = set()
    for parameter in all_commands()[name].params:
        if parameter.name == "help":
            continue
        if isinstance(parameter, TyperArgument):
            assert re.search(r"`(?:FILE|ID|NAME|TYPE|(?:TYPE|PATH) \.\.\.)`", row), name
            continue
        options.update(each for each in parameter.opts if each.startswith("--"))
        default = parameter.default
        if default not in (None, False, (), []) and not parameter.required and not callable(default):
            assert f"`{default}" in row, f"{name} {parameter.name}: {default}"
    assert set(re.findall(r"--[a-z-]+", row)) == options


def test_every_metric_is_on_the_page() -> None:
    """Each metric of the API stands in the table under the name by which it is scraped."""
    registry = Metrics().registry
    assert isinstance(registry, CollectorRegistry)
    scraped = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in registry.collect()
        if not metric.name.startswith(OF_THE_PROCESS)
    }
    assert {name for name in ROWS if name.startswith("fixline_")} == scraped


def test_every_check_of_the_doctor_is_on_the_page() -> None:
    """The names that `fixline doctor` prints are those of the page's table."""
    section = PAGE.partition("\n## What the doctor looks at\n")[2].partition("\n## ")[0]
    told = {row[0].strip("`") for row in table_rows(section)[1:]}
    source = (ROOT / "fixline/cli/diagnosis.py").read_text(encoding="utf-8")
    named = {
        argument.value
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("Check", "_counted")
        for argument in call.args[:2]  # Check(name, ...), _counted(session, name, ...)
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
    named |= set(re.findall(r'^    name = "([^"]+)"$', source, re.MULTILINE))
    assert told == named
