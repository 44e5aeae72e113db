"""The head of the picture: what the type is, what is promised, and what the shapes mean. Pixels, y downwards."""

from __future__ import annotations

from datetime import timedelta

from fixline.domain.definition.deadlines import Deadline, Rung
from fixline.domain.definition.model import Definition
from fixline.domain.process.kinds.base import spoken
from fixline.drawing.layout import Size
from fixline.drawing.shapes import STYLES, line_svg, shape_svg, width_of, wrapped

CARD, GAP = 400.0, 16.0
_PAD, _LINE = 14.0, 16.0
_ROOM = CARD - 2 * _PAD
_BAND = 50.0
_APART = 14.0
"""How far the numbers of two rungs stand from each other, so that both can be read."""
_DUE = _ROOM * 0.66
"""Where due lies on a band; what comes after it has the rest."""


def head_svg(definition: Definition, width: float) -> tuple[str, float]:
    """Title, promises and legend over this width, and the height that they take."""
    calendar = definition.calendar
    subtitle = f"{definition.type} · {spoken(definition.department)} · calendar {calendar.name} ({calendar.timezone})"
    parts = [
        line_svg(definition.title, 0, 24, 24, bold=True, anchor="start"),
        line_svg(subtitle, 0, 46, 13, "#4b5563", anchor="start"),
    ]
    y = 64.0
    cards = [_card(name, deadline, calendar.day) for name, deadline in definition.deadlines.items()]
    in_a_row = max(1, int((width + GAP) // (CARD + GAP)))
    for first in range(0, len(cards), in_a_row):
        row = cards[first : first + in_a_row]
        height = max(tall for _, tall in row)
        for number, (inside, _) in enumerate(row):
            frame = f'<rect width="{CARD:g}" height="{height:.1f}" rx="8" fill="#ffffff" stroke="#9ca3af"/>'
            parts.append(f'<g transform="translate({number * (CARD + GAP):.1f} {y:.1f})">{frame}{inside}</g>')
        y += height + GAP
    legend, tall = _legend(definition, width)
    parts.append(f'<g transform="translate(0 {y:.1f})">{legend}</g>')
    return "".join(parts), y + tall + GAP


def _card(name: str, deadline: Deadline, day: timedelta) -> tuple[str, float]:
    """A deadline: its promise in words, its band, its ladder. The drawing and its height."""
    until = "closing" if deadline.met_by == "closed" else f"the first “{spoken(deadline.met_by)}”"
    title = f"{spoken(name).capitalize()}: from opening to {until}"
    promises, y = _paragraphs(_promises(deadline), 42)
    band = f'<g transform="translate({_PAD:g} {y:.1f})">{_band(deadline, day)}</g>'
    rungs = [f"{number}. {_rung(rung)}" for number, rung in enumerate(deadline.escalate, start=1)]
    ladder, y = _paragraphs(rungs, y + _BAND + (_LINE if rungs else 0))
    return line_svg(title, _PAD, 22, 14, bold=True, anchor="start") + promises + band + ladder, y


def _paragraphs(texts: list[str], y: float) -> tuple[str, float]:
    """Texts one below the other from y on, and where they end."""
    lines = [line for text in texts for line in wrapped(text, 12, _ROOM)]
    drawn = (line_svg(line, _PAD, y + _LINE * number, 12, anchor="start") for number, line in enumerate(lines))
    return "".join(drawn), y + _LINE * len(lines)


def _promises(deadline: Deadline) -> list[str]:
    within = deadline.within
    spans = [f"{priority.value}: {span}" for priority, span in within.by_priority.items()]
    listed = "; ".join([*spans, f"otherwise: {within.otherwise}"]) if spans else str(within.otherwise)
    paused = ", ".join(spoken(state) for state in deadline.paused_while)
    return [f"Within {listed}", *([f"The clock stands while {paused}"] if paused else [])]


def _band(deadline: Deadline, day: timedelta) -> str:
    """The time from opening to due and after it, with the rungs by number."""
    parts = [
        f'<rect y="14" width="{_DUE:.1f}" height="8" rx="4" fill="#16a34a"/>',
        f'<rect x="{_DUE:.1f}" y="14" width="{_ROOM - _DUE:.1f}" height="8" rx="4" fill="#fca5a5"/>',
        f'<path d="M{_DUE:.1f} 8v20" stroke="#111827" stroke-width="2"/>',
        line_svg("opened", 0, 40, 11, "#4b5563", anchor="start"),
        line_svg("due", _DUE, 40, 11, "#4b5563"),
        line_svg("late", _ROOM, 40, 11, "#4b5563", anchor="end"),
    ]
    for number, x in enumerate(_places(deadline, day), start=1):
        parts.append(f'<circle cx="{x:.1f}" cy="18" r="9" fill="#ffffff" stroke="#111827"/>')
        parts.append(line_svg(str(number), x, 22, 11, bold=True))
    return "".join(parts)


def _places(deadline: Deadline, day: timedelta) -> list[float]:
    """Where each rung stands on the band; one right before another is moved so far that its number can be read."""
    ladder = deadline.escalate
    after = [number for number, rung in enumerate(ladder) if rung.after]
    places: list[float] = []
    for number, rung in enumerate(ladder):
        if rung.at_percent is not None:
            places.append(_DUE * rung.at_percent / 100)
        elif rung.before is not None:
            places.append(_DUE * (1 - rung.before.length(day) / deadline.within.otherwise.length(day)))
        elif rung.at_due:
            places.append(_DUE)
        else:
            places.append(_DUE + (_ROOM - _DUE - 12) * (after.index(number) + 1) / (len(after) + 0.25))
    early = [number for number, rung in enumerate(ladder[:-1]) if not rung.at_due and not rung.after]
    for number in reversed(early):
        places[number] = min(places[number], places[number + 1] - _APART)
    return places


def _rung(rung: Rung) -> str:
    when = rung.when
    if rung.at_due or rung.after is not None:
        when = "when due" if rung.at_due else f"{rung.after} after due"
    elif rung.at_percent is not None:
        when = f"at {rung.when}"
    every = f", then every {rung.every}, {rung.up_to} times in all" if rung.every else ""
    told = f"tells {spoken(rung.tell)}" if rung.tell else ""
    raised = f"raises the priority to {rung.raise_priority.value}" if rung.raise_priority else ""
    given = f"gives the work to {rung.reassign_to}" if rung.reassign_to else ""
    return f"{when}{every}: {' and '.join(part for part in (told, raised, given) if part)}"


def _legend(definition: Definition, width: float) -> tuple[str, float]:
    used = {step.kind for step in definition.steps.values()}
    parts: list[str] = []
    x, y = 0.0, 0.0
    for kind in (kind for kind in STYLES if kind in used):
        style = STYLES[kind]
        wide = 52 + width_of(style.words, 12) + 14
        if x and x + wide > width:
            x, y = 0.0, y + 28
        parts.append(shape_svg(kind, x + 1, y + 1, Size(42, 20), 1.4, "5 3"))
        parts.append(line_svg(style.words, x + 50, y + 15, 12, anchor="start"))
        x += wide
    return "".join(parts), y + 24
