"""Every exception of Fixline's own has one root, and says what it means."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module

import fixline
from fixline.errors import FixlineError
from fixline.store.store import StoreAway, StoreBusy
from fixline.web.problems import Problem

OF_A_LIBRARY = {Problem}
"""Exceptions that a library must take for its own."""


def own_exceptions() -> set[type[Exception]]:
    names = (each.name for each in pkgutil.walk_packages(fixline.__path__, "fixline."))
    modules = [import_module(name) for name in names if "migrations" not in name and not name.endswith("__main__")]
    return {
        each
        for module in modules
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, Exception) and each.__module__.startswith("fixline.") and not each.__name__.startswith("_")
    }


def test_every_exception_has_the_root_and_a_meaning() -> None:
    found = own_exceptions() - OF_A_LIBRARY
    assert len(found) > 20
    assert {each for each in found if not issubclass(each, FixlineError)} == set()
    assert {each for each in found if not each.__doc__} == set()


def test_what_is_raised_without_words_says_what_its_class_says() -> None:
    assert str(StoreAway()) == "The database cannot be reached; nothing was written."
    assert str(StoreBusy("others write")) == "others write"
