"""docs/glossary.md: every word once, in order, and where it lives is there."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.support.docs.pages import ROOT, page, table_rows

ROWS = table_rows(page("glossary.md"))[1:]


def test_every_word_stands_once_and_in_order() -> None:
    words = [row[0] for row in ROWS]
    assert len(words) > 50
    assert words == sorted(set(words))


@pytest.mark.parametrize("where", sorted({row[2].strip("`") for row in ROWS}))
def test_where_it_lives_is_there(where: str) -> None:
    if where.endswith("/"):
        assert (ROOT / where).is_dir()
        return
    try:
        import_module(where)
    except ModuleNotFoundError:
        module, _, name = where.rpartition(".")
        assert hasattr(import_module(module), name)
