"""The compiler of the `cel` library, without the command line that the library's package loads along.

Owns the loading and nothing else: `import cel` also loads an interactive shell with its colours and key bindings, which
costs every start of Fixline more than the rest of the rules together. Must not import anything of Fixline.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cel import Program

_EXTENSION = "cel.cel"


def _loaded() -> ModuleType:
    """The compiled module within the package, under its own name; the package where it holds no such module."""
    package = find_spec("cel")
    found = PathFinder.find_spec(_EXTENSION, package.submodule_search_locations) if package is not None else None
    if _EXTENSION in sys.modules or found is None or found.loader is None:
        return import_module("cel")
    module = sys.modules[_EXTENSION] = module_from_spec(found)
    found.loader.exec_module(module)
    return module


compile_condition: Callable[[str], Program] = _loaded().compile
"""Compiles a condition's text; ValueError says what is wrong with it."""
