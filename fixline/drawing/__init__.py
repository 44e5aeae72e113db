"""Draws a definition so that the head of a department can read it: as SVG, and as Mermaid's text (`mermaid`). Here is
the SVG as a whole: head, boxes, arrows, groups. It has no scripts and no fonts of its own; whatever comes from a
definition is escaped; whoever cannot see it has a title and a description in words.
"""

from __future__ import annotations

from html import escape

from fixline.domain.definition.model import Definition
from fixline.domain.process.kinds.base import spoken
from fixline.drawing.chart import Arrow, Chart, NotDrawn, chart_of
from fixline.drawing.layout import MARK, Drawn, Point, Size, place
from fixline.drawing.mermaid import mermaid_of
from fixline.drawing.panel import CARD, head_svg
from fixline.drawing.shapes import box_svg, face_of, line_svg, width_of, wrapped

__all__ = ["NotDrawn", "mermaid_of", "svg_of"]

_MARGIN = 24.0
_LABEL, _LABEL_LINE, _LABEL_ROOM, _MOST_LINES = 11.0, 13.5, 130.0, 12
_INK = "#374151"


def svg_of(definition: Definition) -> str:
    """The picture of a checked definition as an SVG document. Raises NotDrawn."""
    chart, name = chart_of(definition), f"fixline-{definition.type}"
    (wide, high), graph = _graph(chart, f"{name}-tip")
    width = max(wide, CARD)
    head, top = head_svg(definition, width)
    box = f"{width + 2 * _MARGIN:.0f}", f"{top + high + 2 * _MARGIN:.0f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{name}-title {name}-desc" '
        f'viewBox="0 0 {box[0]} {box[1]}" width="{box[0]}" height="{box[1]}" '
        f'font-family="Helvetica, Arial, sans-serif">\n'
        f'<title id="{name}-title">{escape(definition.title)}: the process</title>\n'
        f'<desc id="{name}-desc">{escape(_in_words(chart))}</desc>\n'
        f'<defs><marker id="{name}-tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
        f'orient="auto"><path d="M0 0L10 5L0 10z" fill="{_INK}"/></marker></defs>\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n'
        f'<g transform="translate({_MARGIN:g} {_MARGIN:g})">{head}\n'
        f'<g transform="translate({(width - wide) / 2:.1f} {top:.1f})">{graph}</g></g>\n</svg>\n'
    )


def _graph(chart: Chart, tip: str) -> tuple[Size, str]:
    """The size of the graph, and all that is in it."""
    faces = [face_of(box) for box in chart.boxes]
    labels = [_label(arrow) for arrow in chart.arrows]
    size, boxes, lines, frames = place(chart, [face.size for face in faces], [_room(label) for label in labels])
    x, y = boxes[-1]
    parts = [
        *(_frame(group.name, *frame) for group, frame in zip(chart.groups, frames, strict=True)),
        *(_line(line, tip) for line in lines),
        *(_words(label, line) for label, line in zip(labels, lines, strict=False)),
        *(box_svg(face, middle) for face, middle in zip(faces, boxes, strict=False)),
        f'<rect x="{x - MARK.width / 2:.1f}" y="{y - MARK.height / 2:.1f}" width="{MARK.width}" height="{MARK.height}" '
        'rx="13" fill="#111827"/>',
        line_svg("opened", x, y + 4.5, 12, "#ffffff", bold=True),
    ]
    return size, "\n".join(parts)


def _label(arrow: Arrow) -> list[str]:
    """The outcomes of an arrow in lines."""
    return wrapped(", ".join(spoken(label) for label in arrow.labels), _LABEL, _LABEL_ROOM, _MOST_LINES)


def _room(label: list[str]) -> Size | None:
    if not any(label):
        return None
    return Size(max(width_of(line, _LABEL) for line in label) + 10, _LABEL_LINE * len(label) + 4)


def _frame(name: str, corner: Point, size: Size) -> str:
    x, y = corner
    frame = f'x="{x:.1f}" y="{y:.1f}" width="{size.width:.1f}" height="{size.height:.1f}"'
    label = line_svg(f"branch: {spoken(name)}", x + 10, y + 16, 11, "#a21caf", anchor="start")
    return f'<g><rect {frame} rx="10" fill="#fdf4ff" stroke="#a21caf" stroke-dasharray="3 3"/>{label}</g>'


def _line(line: Drawn, tip: str) -> str:
    first, *rest = line.curve
    curve = " ".join(f"{x:.1f} {y:.1f}" for x, y in rest)
    way = f"M{first[0]:.1f} {first[1]:.1f}C{curve}L{line.tip[0]:.1f} {line.tip[1]:.1f}"
    return f'<path d="{way}" fill="none" stroke="{_INK}" stroke-width="1.3" marker-end="url(#{tip})"/>'


def _words(label: list[str], line: Drawn) -> str:
    """The label of an arrow on a white ground, so that it can be read where arrows cross it."""
    room = _room(label)
    if line.label is None or room is None:
        return ""
    x, top, wide = line.label[0], line.label[1] - room.height / 2, room.width - 8
    ground = f'<rect x="{x - wide / 2:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{room.height:.1f}"'
    lines = [
        line_svg(text, x, top + _LABEL + 1 + number * _LABEL_LINE, _LABEL, _INK) for number, text in enumerate(label)
    ]
    return f'<g>{ground} rx="3" fill="#ffffff" fill-opacity="0.85"/>{"".join(lines)}</g>'


def _in_words(chart: Chart) -> str:
    """The whole process in sentences."""
    names = {box.name: f"“{box.title}” ({spoken(box.name)})" for box in chart.boxes}
    sentences = [f"It begins with {names[chart.start]}."]
    for arrow in chart.arrows:
        after = f" when {' or '.join(map(spoken, arrow.labels))}" if arrow.labels else ""
        sentences.append(f"After {names[arrow.source]} follows {names[arrow.target]}{after}.")
    return " ".join(sentences)
