"""The quick reader makes the tree that the careful one makes, or stands aside."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixline.catalog.findings import Findings
from fixline.catalog.quick import read_quickly
from fixline.catalog.reading import _composed
from fixline.catalog.tree import Mapping, Node, Scalar, Sequence
from fixline.settings import PACKAGED_DEFINITIONS

FIXTURES = Path(__file__).parents[2] / "fixtures"
SHIPPED = sorted(PACKAGED_DEFINITIONS.rglob("*.yaml"))
SEEDS = sorted([*FIXTURES.rglob("*.yaml"), *SHIPPED])
SIGNS = st.text(alphabet=" \t\n\r-:,?{}[]#&*!|>'\"%@`\\~<=a0\u00e9.\u2028", min_size=1, max_size=3)


def agree(text: str) -> bool:
    """Whether both readers make the same tree, without a finding; also true when the quick one stands aside."""
    quick = read_quickly(text)
    findings = Findings("x.yaml")
    return quick is None or (shown(quick) == shown(_composed(text, findings)) and not len(findings))


def shown(node: Node | None) -> object:
    """All that is known of a node, its place included; the marks of the two libraries are not of one kind."""
    match node:
        case Scalar():
            return node.text, node.place, node.plain, node.offset
        case Sequence():
            return node.place, [shown(item) for item in node.items]
        case Mapping():
            return node.place, [(entry.key, entry.place, shown(entry.value)) for entry in node]
        case None:
            return None


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_both_readers_agree(path: Path) -> None:
    assert agree(path.read_bytes().decode("utf-8", "replace"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_are_read_quickly(path: Path) -> None:
    """Otherwise a check of hundreds of files would be slow."""
    assert read_quickly(path.read_text(encoding="utf-8")) is not None


@pytest.mark.parametrize("text", ["a: -30\n", "a: {b: -30, c: [-1, -0.5]}\n", "a:\n  - -1\n", "-1: a\n", "a: -1-2\n"])
def test_numbers_below_zero_are_read_quickly(text: str) -> None:
    assert read_quickly(text) is not None
    assert agree(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: -\n",
        "a: -b\n",
        "a: &x 1\n",
        "a: !t 1\n",
        "a: 1\n---\nb: 2\n",
        "a: 1\na: 2\n",
        "<<: {a: 1}\n",
        "a: {b, c}\n",
        "a: b #c\n",
        "a:\t1\n",
        "a: |\n  text\n",
        "[a]: 1\n",
        "a: " + "[" * 40 + "]" * 40,
        "- a\n",
        "",
        "a: [",
        'a: "\\0"\n',
        "a: 1\r\n",
    ],
)
def test_it_stands_aside(text: str) -> None:
    assert read_quickly(text) is None


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_both_readers_agree_on_what_is_mistyped(data: st.DataObject) -> None:
    """Lines of real files with signs put in, taken out and doubled."""
    lines = data.draw(st.sampled_from(SEEDS)).read_bytes().decode("utf-8", "replace").splitlines(keepends=True)
    first = data.draw(st.integers(0, max(0, len(lines) - 1)))
    text = "".join(lines[first : first + data.draw(st.integers(1, 10))])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(SIGNS | st.just("")) + text[at + data.draw(st.integers(0, 2)) :]
    assert agree(text), text
