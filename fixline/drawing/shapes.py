"""The boxes: a shape and a colour for each kind of step, drawn so that neither alone has to tell. Which font a reader's
machine has is unknown, so widths are those of a wide one. Pixels, y downwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import NamedTuple, get_args

from fixline.domain.process.kinds import AnyStep
from fixline.domain.process.kinds.base import WaitingPart, spoken
from fixline.drawing.chart import Box
from fixline.drawing.layout import Point, Size

TITLE, NOTE = 13.0, 11.0
_ROOM = 172.0
_LINE, _NOTE_LINE, _PAD = 17.0, 14.5, 9.0
_NARROW = frozenset("iljtfrI.,:;'|!()[] -")
_WIDE = frozenset("mwMW@%&")


class Style(NamedTuple):
    """How a kind of step looks, and the words for it in the legend."""

    words: str
    fill: str
    stroke: str
    shape: str
    mermaid: tuple[str, str]
    """The signs in which Mermaid puts the words."""
    side: float = 10.0
    """What the shape needs left and right beside the text."""
    ink: str = "#111827"


STYLES = {
    "dispatch": Style("field work", "#dbeafe", "#1d4ed8", "rectangle", ("[", "]")),
    "inspection": Style("inspection", "#dcfce7", "#15803d", "rounded", ("(", ")")),
    "task": Style("desk work", "#fef3c7", "#b45309", "folded", (">", "]"), side=14),
    "choose": Style("decided by the answers", "#ede9fe", "#6d28d9", "hexagon", ("{{", "}}"), side=20),
    "wait": Style("waiting", "#f3f4f6", "#4b5563", "pill", ("([", "])"), side=18),
    "agency": Style("outside party", "#ffedd5", "#c2410c", "barred", ("[[", "]]"), side=14),
    "follow_on": Style("another department's request", "#ccfbf1", "#0f766e", "double", ("[(", ")]"), side=14),
    "together": Style("side by side", "#fae8ff", "#a21caf", "trapezium", ("[\\", "/]"), side=20),
    "call": Style("another system", "#e0f2fe", "#0369a1", "slanted", ("[/", "/]"), side=20),
    "notify": Style("somebody is told", "#fee2e2", "#b91c1c", "flag", ("[/", "\\]"), side=16),
    "close": Style("closed", "#374151", "#111827", "pill", ("(((", ")))"), side=18, ink="#ffffff"),
}
_DASHED = frozenset(
    str(each.model_fields["kind"].default) for each in get_args(AnyStep) if issubclass(each, WaitingPart)
)
"""Kinds in which the request waits for somebody or something else."""


def outline(shape: str, x: float, y: float, w: float, h: float) -> str:
    """The path of a shape of this size that has its left upper corner there."""
    at, rectangle = f"M{x:.1f} {y:.1f}", f"M{x:.1f} {y:.1f}h{w:.1f}v{h:.1f}h{-w:.1f}z"
    return {
        "rectangle": rectangle,
        "rounded": _rounded(x, y, w, h, 12),
        "pill": _rounded(x, y, w, h, 26),
        "folded": f"{at}h{w - 14:.1f}l14 14v{h - 14:.1f}h{-w:.1f}zM{x + w - 14:.1f} {y:.1f}v14h14",
        "hexagon": f"M{x + 16:.1f} {y:.1f}h{w - 32:.1f}l16 {h / 2:.1f}l-16 {h / 2:.1f}h{32 - w:.1f}l-16 {-h / 2:.1f}z",
        "barred": f"{rectangle}M{x + 7:.1f} {y:.1f}v{h:.1f}M{x + w - 7:.1f} {y:.1f}v{h:.1f}",
        "double": f"{rectangle}M{x + 4:.1f} {y + 4:.1f}h{w - 8:.1f}v{h - 8:.1f}h{8 - w:.1f}z",
        "slanted": f"M{x + 14:.1f} {y:.1f}h{w - 14:.1f}l-14 {h:.1f}h{14 - w:.1f}z",
        "flag": f"{at}h{w - 14:.1f}l14 {h / 2:.1f}l-14 {h / 2:.1f}h{14 - w:.1f}z",
        "trapezium": f"{at}h{w:.1f}l-14 {h:.1f}h{28 - w:.1f}z",
    }[shape]


def _rounded(x: float, y: float, w: float, h: float, r: float) -> str:
    r = min(r, h / 2, w / 2)
    return (
        f"M{x + r:.1f} {y:.1f}h{w - 2 * r:.1f}a{r:.1f} {r:.1f} 0 0 1 {r:.1f} {r:.1f}v{h - 2 * r:.1f}"
        f"a{r:.1f} {r:.1f} 0 0 1 {-r:.1f} {r:.1f}h{2 * r - w:.1f}a{r:.1f} {r:.1f} 0 0 1 {-r:.1f} {-r:.1f}"
        f"v{2 * r - h:.1f}a{r:.1f} {r:.1f} 0 0 1 {r:.1f} {-r:.1f}z"
    )


def shape_svg(kind: str, x: float, y: float, size: Size, line: float, dash: str) -> str:
    """The shape of a kind of step, from its left upper corner on; kinds that wait have a line of such dashes."""
    style = STYLES[kind]
    dashed = f' stroke-dasharray="{dash}"' if kind in _DASHED else ""
    path = f'd="{outline(style.shape, x, y, *size)}" fill="{style.fill}" stroke="{style.stroke}"'
    return f'<path {path} stroke-width="{line}"{dashed}/>'


class Face(NamedTuple):
    """What stands in a box, line by line, and the room that it takes."""

    box: Box
    title: tuple[str, ...]
    notes: tuple[str, ...]
    size: Size


def face_of(box: Box) -> Face:
    """The lines of a box and its size."""
    title = tuple(wrapped(box.title, TITLE, _ROOM))
    notes = [*box.notes]
    notes += [f"stops the clock of {', '.join(map(spoken, box.pauses))}"] if box.pauses else []
    notes += [f"meets {', '.join(map(spoken, box.meets))}"] if box.meets else []
    lines = tuple(line for note in notes for line in wrapped(note, NOTE, _ROOM))
    height = 2 * _PAD + _LINE * len(title) + (_NOTE_LINE * len(lines) + 2 if lines else 0)
    return Face(box, title, lines, Size(_ROOM + 2 * STYLES[box.kind].side, height))


def box_svg(face: Face, middle: Point) -> str:
    """The box around its middle: shape, title, notes."""
    style, (width, height) = STYLES[face.box.kind], face.size
    left, top = middle[0] - width / 2, middle[1] - height / 2
    parts = [
        f"<g><title>{escape(f'{spoken(face.box.name)} ({style.words})')}</title>",
        shape_svg(face.box.kind, left, top, face.size, 1.6, "6 4"),
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


def width_of(text: str, size: float) -> float:
    """The width of a line of text at this font size, rather too much than too little."""
    return size * sum(_width(sign) for sign in text)


def _width(sign: str) -> float:
    if sign in _NARROW:
        return 0.36
    if sign in _WIDE:
        return 0.9
    if ord(sign) > 0x2E7F:
        return 1.1
    return 0.7 if sign.isupper() else 0.57


def wrapped(text: str, size: float, room: float, most: int = 4) -> list[str]:
    """The text in lines that fit into the room; what goes beyond the last of `most` lines is cut with an ellipsis."""
    lines: list[str] = []
    line = ""
    for word in _pieces(text, size, room):
        longer = f"{line} {word}" if line else word
        if line and width_of(longer, size) > room:
            lines.append(line)
            longer = word
        line = longer
    lines.append(line)
    if len(lines) > most:
        last = f"{lines[most - 1]}…"
        while len(last) > 2 and width_of(last, size) > room:
            last = f"{last[:-2]}…"
        lines[most - 1 :] = [last]
    return lines


def _pieces(text: str, size: float, room: float) -> Iterator[str]:
    """The words of the text; a word that is wider than the room in pieces."""
    for word in text.split():
        piece = ""
        for sign in word:
            if piece and width_of(piece + sign, size) > room:
                yield piece
                piece = ""
            piece += sign
        yield piece
