"""Where boxes, arrows and labels go: Graphviz's hierarchical layout, run as a child process. Sizes and places are in
points (pixels of the picture), y downwards from the top.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from fixline.drawing.chart import Chart, NotDrawn

MOST_BOXES = 200
SECONDS = 30
_PROGRAM = """\
import sys, warnings, pygraphviz
warnings.simplefilter("ignore")
sys.stdout.buffer.write(pygraphviz.AGraph(string=sys.stdin.read()).draw(format="json0", prog="dot"))
"""
"""A process of its own, because Graphviz is a C library that may not be called by two threads at once, and that a very
large graph keeps busy for long: whoever starts it can end it. Only numbers reach Graphviz, no text of a definition."""
_GAP, _RANK_GAP = 22, 26
"""Between neighbours, and between ranks, in points."""

Point = tuple[float, float]


class Size(NamedTuple):
    """A box or a label that needs a place."""

    width: float
    height: float


MARK = Size(72, 26)
"""The mark of the opening."""


class Drawn(NamedTuple):
    """An arrow's way: a cubic curve's points, the tip, and the middle of its label."""

    curve: tuple[Point, ...]
    tip: Point
    label: Point | None


class Places(NamedTuple):
    """The size of the whole; the middle of each box and, last, of the mark of the opening; the way of each arrow and,
    last, of the mark's; the left upper corner and the size of each group's frame."""

    size: Size
    boxes: tuple[Point, ...]
    lines: tuple[Drawn, ...]
    frames: tuple[tuple[Point, Size], ...]


def place(chart: Chart, boxes: Sequence[Size], labels: Sequence[Size | None]) -> Places:
    """Places for all of a chart, given the sizes of its boxes and of the labels of its arrows. Raises NotDrawn."""
    if len(boxes) > MOST_BOXES:
        raise NotDrawn(f"a definition of more than {MOST_BOXES} steps is not drawn")
    answer = _ask(_dot(chart, boxes, labels))
    _, _, width, height = (float(each) for each in answer["bb"].split(","))
    objects = {each["name"]: each for each in answer["objects"]}
    edges = {int(each["id"]): each for each in answer.get("edges", ())}
    return Places(
        Size(width, height),
        tuple(_point(objects[f"n{number}"]["pos"], height) for number in range(len(boxes) + 1)),
        tuple(_drawn(edges[number], height) for number in range(len(labels) + 1)),
        tuple(_frame(objects[f"cluster{number}"]["bb"], height) for number in range(len(chart.groups))),
    )


def _dot(chart: Chart, boxes: Sequence[Size], labels: Sequence[Size | None]) -> str:
    """The graph, with the boxes that close at the bottom."""
    nodes = {box.name: f"n{number}" for number, box in enumerate(chart.boxes)}
    parts = [
        f"graph [rankdir=TB, splines=spline, nodesep={_GAP / 72:.3f}, ranksep={_RANK_GAP / 72:.3f}, newrank=true]",
        'node [shape=box, fixedsize=true, label=""]',
    ]
    for number, size in enumerate((*boxes, MARK)):
        parts.append(f"n{number} [width={size.width / 72:.4f}, height={size.height / 72:.4f}]")
    for number, group in enumerate(chart.groups):
        inside = "; ".join(nodes[step] for step in group.steps)
        parts.append(f"subgraph cluster{number} {{ margin=14; label={_sized(Size(80, 18))}; labeljust=l; {inside} }}")
    if last := [nodes[box.name] for box in chart.boxes if box.kind == "close"]:
        parts.append(f"{{ rank=sink; {'; '.join(last)} }}")
    ways = [f"{nodes[arrow.source]} -> {nodes[arrow.target]}" for arrow in chart.arrows]
    ways.append(f"n{len(boxes)} -> {nodes[chart.start]}")
    for number, (way, label) in enumerate(zip(ways, (*labels, None), strict=True)):
        sized = f", label={_sized(label)}" if label else ""
        parts.append(f'{way} [id="{number}"{sized}]')
    return "digraph { " + ";\n".join(parts) + " }"


def _sized(size: Size) -> str:
    """A label of exactly this size, whatever fonts there are."""
    return (
        f'<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0"><TR><TD FIXEDSIZE="TRUE" '
        f'WIDTH="{size.width:.0f}" HEIGHT="{size.height:.0f}"></TD></TR></TABLE>>'
    )


def _ask(dot: str) -> dict[str, Any]:
    command = [sys.executable, "-I", "-c", _PROGRAM]
    try:
        done = subprocess.run(  # noqa: S603 - our own program, and no text of a definition
            command, input=dot, capture_output=True, text=True, timeout=SECONDS, check=False
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
    parts = edge["pos"].split()
    curve = tuple(_point(part, height) for part in parts if part[:2] not in ("e,", "s,"))
    tips = [_point(part[2:], height) for part in parts if part[:2] == "e,"]
    return Drawn(curve, (*tips, curve[-1])[0], _point(edge["lp"], height) if "lp" in edge else None)


def _frame(text: str, height: float) -> tuple[Point, Size]:
    left, bottom, right, top = (float(each) for each in text.split(","))
    return (left, height - top), Size(right - left, top - bottom)
