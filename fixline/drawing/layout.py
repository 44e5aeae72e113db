"""Where boxes, arrows and labels go: Graphviz's hierarchical layout, run as a child process.

Owns the graph as Graphviz has it, and the reading of its answer. Sizes and places are in points (pixels of the
picture), y downwards from the top. Must not import anything of Fixline.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixline.errors import FixlineError

MOST_BOXES = 200
SECONDS = 30
_PROGRAM = Path(__file__).with_name("graphviz_child.py")
_GAP, _RANK_GAP = 22, 26
"""Between neighbours, and between ranks, in points."""

Point = tuple[float, float]


class NotDrawn(FixlineError):
    """The definition has no steps, is too large to be drawn, or Graphviz did not answer; the text is for people."""


@dataclass(frozen=True)
class Size:
    """A box or a label that needs a place."""

    width: float
    height: float


@dataclass(frozen=True)
class Line:
    """An arrow to lay out: from box to box by their positions in the list, and the size of its label if it has one."""

    source: int
    target: int
    label: Size | None


@dataclass(frozen=True)
class Drawn:
    """An arrow's way: a cubic curve's points, the tip, and the middle of its label."""

    curve: tuple[Point, ...]
    tip: Point
    label: Point | None


@dataclass(frozen=True)
class Frame:
    """A group's frame: its left upper corner and its size."""

    corner: Point
    size: Size


@dataclass(frozen=True)
class Places:
    """The middle of each box, each arrow's way, each group's frame, and the size of the whole."""

    size: Size
    boxes: tuple[Point, ...]
    lines: tuple[Drawn, ...]
    frames: tuple[Frame, ...]


def place(
    boxes: tuple[Size, ...], lines: tuple[Line, ...], groups: tuple[tuple[int, ...], ...], last: frozenset[int]
) -> Places:
    """Places for everything; `last` are the boxes at the bottom. Raises NotDrawn."""
    if len(boxes) > MOST_BOXES:
        raise NotDrawn(f"a definition of more than {MOST_BOXES} steps is not drawn")
    answer = _ask(_dot(boxes, lines, groups, last))
    _, _, width, height = (float(each) for each in answer["bb"].split(","))
    objects = {each["name"]: each for each in answer["objects"]}
    edges = {int(each["id"]): each for each in answer.get("edges", ())}
    return Places(
        Size(width, height),
        tuple(_point(objects[f"n{number}"]["pos"], height) for number in range(len(boxes))),
        tuple(_drawn(edges[number], height) for number in range(len(lines))),
        tuple(_frame(objects[f"cluster{number}"]["bb"], height) for number in range(len(groups))),
    )


def _dot(
    boxes: tuple[Size, ...], lines: tuple[Line, ...], groups: tuple[tuple[int, ...], ...], last: frozenset[int]
) -> str:
    parts = [
        f"graph [rankdir=TB, splines=spline, nodesep={_GAP / 72:.3f}, ranksep={_RANK_GAP / 72:.3f}, newrank=true]",
        'node [shape=box, fixedsize=true, label=""]',
    ]
    for number, size in enumerate(boxes):
        parts.append(f"n{number} [width={size.width / 72:.4f}, height={size.height / 72:.4f}]")
    for number, members in enumerate(groups):
        inside = "; ".join(f"n{member}" for member in members)
        parts.append(f"subgraph cluster{number} {{ margin=14; label={_sized(Size(80, 18))}; labeljust=l; {inside} }}")
    if last:
        parts.append("{ rank=sink; " + "; ".join(f"n{number}" for number in sorted(last)) + " }")
    for number, line in enumerate(lines):
        label = f", label={_sized(line.label)}" if line.label else ""
        parts.append(f'n{line.source} -> n{line.target} [id="{number}"{label}]')
    return "digraph { " + ";\n".join(parts) + " }"


def _sized(size: Size) -> str:
    """A label of exactly this size, whatever fonts there are."""
    return (
        f'<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0"><TR><TD FIXEDSIZE="TRUE" '
        f'WIDTH="{size.width:.0f}" HEIGHT="{size.height:.0f}"></TD></TR></TABLE>>'
    )


def _ask(dot: str) -> dict[str, Any]:
    command = [sys.executable, "-I", str(_PROGRAM)]
    try:
        done = subprocess.run(  # noqa: S603 - our own program, and no text of a definition
            command, input=json.dumps({"dot": dot}), capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotDrawn(f"the definition could not be drawn within {SECONDS} seconds") from None
    if done.returncode != 0:
        raise NotDrawn(f"Graphviz ended with {done.returncode}: {done.stderr.strip()[-200:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _point(text: str, height: float) -> Point:
    x, y = (float(each) for each in text.split(","))
    return x, height - y


def _drawn(edge: dict[str, Any], height: float) -> Drawn:
    tip: Point | None = None
    curve: list[Point] = []
    for part in edge["pos"].split():
        if part.startswith("e,"):
            tip = _point(part[2:], height)
        elif not part.startswith("s,"):
            curve.append(_point(part, height))
    label = _point(edge["lp"], height) if "lp" in edge else None
    return Drawn(tuple(curve), tip or curve[-1], label)


def _frame(text: str, height: float) -> Frame:
    left, bottom, right, top = (float(each) for each in text.split(","))
    return Frame((left, height - top), Size(right - left, top - bottom))
