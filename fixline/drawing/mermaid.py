"""The picture as Mermaid's text, a flowchart, for pages that draw it themselves: names become n0, n1 ..., and words
stand in double quotes with every sign that Mermaid or HTML reads as its own written as a character reference.
"""

from __future__ import annotations

from fixline.domain.definition.model import Definition
from fixline.domain.process.kinds.base import spoken
from fixline.drawing.chart import Box, chart_of
from fixline.drawing.shapes import STYLES


def mermaid_of(definition: Definition) -> str:
    """The flowchart of a checked definition, one statement a line."""
    chart = chart_of(definition)
    ids = {box.name: f"n{number}" for number, box in enumerate(chart.boxes)}
    grouped = {step: group for group in chart.groups for step in group.steps}
    lines = ["flowchart TD", '    opened(["opened"])', f"    opened --> {ids[chart.start]}"]
    lines += [f"    {_box(ids[box.name], box)}" for box in chart.boxes if box.name not in grouped]
    for number, group in enumerate(chart.groups):
        lines.append(f'    subgraph g{number}["{_quoted(f"branch: {spoken(group.name)}")}"]')
        lines += [f"        {_box(ids[box.name], box)}" for box in chart.boxes if grouped.get(box.name) is group]
        lines.append("    end")
    for arrow in chart.arrows:
        words = _quoted(", ".join(map(spoken, arrow.labels)))
        way = f'-->|"{words}"|' if words else "-->"
        lines.append(f"    {ids[arrow.source]} {way} {ids[arrow.target]}")
    for kind in dict.fromkeys(box.kind for box in chart.boxes):
        style = STYLES[kind]
        lines.append(f"    classDef of_{kind} fill:{style.fill},stroke:{style.stroke},color:{style.ink}")
        members = ",".join(ids[box.name] for box in chart.boxes if box.kind == kind)
        lines.append(f"    class {members} of_{kind}")
    return "\n".join(lines) + "\n"


def _box(identifier: str, box: Box) -> str:
    before, after = STYLES[box.kind].mermaid
    words = "<br/>".join(_quoted(text) for text in (box.title, *box.notes))
    return f'{identifier}{before}"{words}"{after}'


def _quoted(text: str) -> str:
    """The text for a place between double quotes: every sign that is no letter, digit or plain mark by its number."""
    plain = " .,:-/%'"
    return "".join(sign if sign.isalnum() or sign in plain else f"#{ord(sign)};" for sign in " ".join(text.split()))
