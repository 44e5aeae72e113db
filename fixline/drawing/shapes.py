"""The boxes: a shape and a colour for each kind of step, drawn so that neither alone has to tell.

Owns shapes, colours and the sizes of boxes. Pixels, y downwards. Must not import anything of Fixline but the chart
and the measuring of text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import get_args

from fixline.domain.process.kinds import AnyStep
from fixline.domain.process.kinds.base import WaitingPart, spoken
from fixline.drawing.chart import Box
from fixline.drawing.layout import Point, Size
from fixline.drawing.text import wrapped

TITLE, NOTE = 13.0, 11.0
_ROOM = 172.0
_LINE, _NOTE_LINE, _PAD = 17.0, 14.5, 9.0


@dataclass(frozen=True)
class Style:
    """How a kind of step looks, and the words for it in the legend."""

    words: str
    fill: str
    stroke: str
    shape: Callable[[float, float, float, float], str]
    mermaid: tuple[str, str]
    """The signs in which Mermaid puts the words."""
    side: float = 10.0
    """What the shape needs left and right beside the text."""
    ink: str = "#111827"


def _rect(x: float, y: float, w: float, h: float) -> str:
    return f"M{x:.1f} {y:.1f}h{w:.1f}v{h:.1f}h{-w:.1f}z"


def _rounded(x: float, y: float, w: float, h: float, r: float = 12) -> str:
    r = min(r, h / 2, w / 2)
    return (
        f"M{x + r:.1f} {y:.1f}h{w - 2 * r:.1f}a{r:.1f} {r:.1f} 0 0 1 {r:.1f} {r:.1f}v{h - 2 * r:.1f}"
        f"a{r:.1f} {r:.1f} 0 0 1 {-r:.1f} {r:.1f}h{2 * r - w:.1f}a{r:.1f} {r:.1f} 0 0 1 {-r:.1f} {-r:.1f}"
        f"v{2 * r - h:.1f}a{r:.1f} {r:.1f} 0 0 1 {r:.1f} {-r:.1f}z"
    )


def _pill(x: float, y: float, w: float, h: float) -> str:
    return _rounded(x, y, w, h, min(h / 2, 26))


def _folded(x: float, y: float, w: float, h: float) -> str:
    return f"M{x:.1f} {y:.1f}h{w - 14:.1f}l14 14v{h - 14:.1f}h{-w:.1f}zM{x + w - 14:.1f} {y:.1f}v14h14"


def _hexagon(x: float, y: float, w: float, h: float) -> str:
    return f"M{x + 16:.1f} {y:.1f}h{w - 32:.1f}l16 {h / 2:.1f}l-16 {h / 2:.1f}h{32 - w:.1f}l-16 {-h / 2:.1f}z"


def _barred(x: float, y: float, w: float, h: float) -> str:
    return _rect(x, y, w, h) + f"M{x + 7:.1f} {y:.1f}v{h:.1f}M{x + w - 7:.1f} {y:.1f}v{h:.1f}"


def _double(x: float, y: float, w: float, h: float) -> str:
    return _rect(x, y, w, h) + _rect(x + 4, y + 4, w - 8, h - 8)


def _slanted(x: float, y: float, w: float, h: float) -> str:
    return f"M{x + 14:.1f} {y:.1f}h{w - 14:.1f}l-14 {h:.1f}h{14 - w:.1f}z"


def _flag(x: float, y: float, w: float, h: float) -> str:
    return f"M{x:.1f} {y:.1f}h{w - 14:.1f}l14 {h / 2:.1f}l-14 {h / 2:.1f}h{14 - w:.1f}z"


def _trapezium(x: float, y: float, w: float, h: float) -> str:
    return f"M{x:.1f} {y:.1f}h{w:.1f}l-14 {h:.1f}h{28 - w:.1f}z"


STYLES = {
    "dispatch": Style("field work", "#dbeafe", "#1d4ed8", _rect, ("[", "]")),
    "inspection": Style("inspection", "#dcfce7", "#15803d", _rounded, ("(", ")")),
    "task": Style("desk work", "#fef3c7", "#b45309", _folded, (">", "]"), side=14),
    "choose": Style("decided by the answers", "#ede9fe", "#6d28d9", _hexagon, ("{{", "}}"), side=20),
    "wait": Style("waiting", "#f3f4f6", "#4b5563", _pill, ("([", "])"), side=18),
    "agency": Style("outside party", "#ffedd5", "#c2410c", _barred, ("[[", "]]"), side=14),
    "follow_on": Style("another department's request", "#ccfbf1", "#0f766e", _double, ("[(", ")]"), side=14),
    "together": Style("side by side", "#fae8ff", "#a21caf", _trapezium, ("[\\", "/]"), side=20),
    "call": Style("another system", "#e0f2fe", "#0369a1", _slanted, ("[/", "/]"), side=20),
    "notify": Style("somebody is told", "#fee2e2", "#b91c1c", _flag, ("[/", "\\]"), side=16),
    "close": Style("closed", "#374151", "#111827", _pill, ("(((", ")))"), side=18, ink="#ffffff"),
}
DASHED = frozenset(
    str(each.model_fields["kind"].default) for each in get_args(AnyStep) if issubclass(each, WaitingPart)
)
"""Kinds in which the request waits for somebody or something else."""


@dataclass(frozen=True)
class Face:
    """What stands in a box, line by line, and the room that it takes."""

    box: Box
    title: tuple[str, ...]
    notes: tuple[str, ...]
    size: Size


def face_of(box: Box) -> Face:
    """The lines of a box and its size."""
    style = STYLES[box.kind]
    title = tuple(wrapped(box.title, TITLE, _ROOM))
    notes = [*box.notes]
    notes += [f"stops the clock of {', '.join(map(spoken, box.pauses))}"] if box.pauses else []
    notes += [f"meets {', '.join(map(spoken, box.meets))}"] if box.meets else []
    lines = tuple(line for note in notes for line in wrapped(note, NOTE, _ROOM))
    height = 2 * _PAD + _LINE * len(title) + (_NOTE_LINE * len(lines) + 2 if lines else 0)
    return Face(box, title, lines, Size(_ROOM + 2 * style.side, height))


def box_svg(face: Face, middle: Point) -> str:
    """The box around its middle: shape, title, notes."""
    style = STYLES[face.box.kind]
    width, height = face.size.width, face.size.height
    left, top = middle[0] - width / 2, middle[1] - height / 2
    dash = ' stroke-dasharray="6 4"' if face.box.kind in DASHED else ""
    parts = [
        f"<g><title>{escape(f'{spoken(face.box.name)} ({style.words})')}</title>",
        f'<path d="{style.shape(left, top, width, height)}" fill="{style.fill}" stroke="{style.stroke}" '
        f'stroke-width="1.6"{dash}/>',
    ]
    y = top + _PAD + TITLE
    for line in face.title:
        parts.append(line_svg(line, middle[0], y, TITLE, style.ink, bold=True))
        y += _LINE
    y += NOTE - TITLE + 2
    for line in face.notes:
        parts.append(line_svg(line, middle[0], y, NOTE, style.ink))
        y += _NOTE_LINE
    return "".join([*parts, "</g>"])


def line_svg(
    text: str, x: float, y: float, size: float, ink: str = "#111827", *, bold: bool = False, anchor: str = "middle"
) -> str:
    """One line of text."""
    weight = ' font-weight="600"' if bold else ""
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" fill="{ink}"'
    return f"<text {place}{weight}>{escape(text)}</text>"
