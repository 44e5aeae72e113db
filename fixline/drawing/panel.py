"""The head of the picture: what the type is, what is promised, and what the shapes mean.

Owns the cards of the deadlines and the legend. Pixels, y downwards. Must not import anything of Fixline but the
domain and the shapes.
"""

from __future__ import annotations

from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.definition.deadlines import Deadline, Rung
from fixline.domain.definition.model import Definition
from fixline.domain.process.kinds.base import spoken
from fixline.drawing.shapes import DASHED, STYLES, line_svg
from fixline.drawing.text import width_of, wrapped

CARD, GAP = 400.0, 16.0
_PAD, _LINE = 14.0, 16.0
_BAND = 50.0
_APART = 14.0
"""How far the numbers of two rungs stand from each other, so that both can be read."""
_DUE = 0.66
"""Where due lies on a band, as a share of its width; what comes after it has the rest."""


def head_svg(definition: Definition, width: float) -> tuple[str, float]:
    """Title, promises and legend over this width, and the height that they take."""
    parts = [
        line_svg(definition.title, 0, 24, 24, bold=True, anchor="start"),
        line_svg(_subtitle(definition), 0, 46, 13, "#4b5563", anchor="start"),
    ]
    y = 64.0
    cards = [_card(name, deadline, definition.calendar) for name, deadline in definition.deadlines.items()]
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


def _subtitle(definition: Definition) -> str:
    calendar = f"calendar {definition.calendar.name} ({definition.calendar.timezone})"
    return f"{definition.type} · {spoken(definition.department)} · {calendar}"


def _card(name: str, deadline: Deadline, calendar: WorkingCalendar) -> tuple[str, float]:
    """A deadline: its promise in words, its band, its ladder. The drawing and its height."""
    room = CARD - 2 * _PAD
    until = "closing" if deadline.met_by == "closed" else f"the first “{spoken(deadline.met_by)}”"
    parts = [line_svg(f"{spoken(name).capitalize()}: from opening to {until}", _PAD, 22, 14, bold=True, anchor="start")]
    y = 42.0
    for text in _promises(deadline):
        for line in wrapped(text, 12, room):
            parts.append(line_svg(line, _PAD, y, 12, anchor="start"))
            y += _LINE
    parts.append(f'<g transform="translate({_PAD:g} {y:.1f})">{_band(deadline, calendar, room)}</g>')
    y += _BAND + (_LINE if deadline.escalate else 0)
    for number, rung in enumerate(deadline.escalate, start=1):
        for line in wrapped(f"{number}. {_rung(rung)}", 12, room):
            parts.append(line_svg(line, _PAD, y, 12, anchor="start"))
            y += _LINE
    return "".join(parts), y


def _promises(deadline: Deadline) -> list[str]:
    within = deadline.within
    spans = [f"{priority.value}: {span}" for priority, span in within.by_priority.items()]
    listed = "; ".join([*spans, f"otherwise: {within.otherwise}"]) if spans else str(within.otherwise)
    paused = ", ".join(spoken(state) for state in deadline.paused_while)
    return [f"Within {listed}", *([f"The clock stands while {paused}"] if paused else [])]


def _band(deadline: Deadline, calendar: WorkingCalendar, room: float) -> str:
    """The time from opening to due and after it, with the rungs by number."""
    due = room * _DUE
    parts = [
        f'<rect y="14" width="{due:.1f}" height="8" rx="4" fill="#16a34a"/>',
        f'<rect x="{due:.1f}" y="14" width="{room - due:.1f}" height="8" rx="4" fill="#fca5a5"/>',
        f'<path d="M{due:.1f} 8v20" stroke="#111827" stroke-width="2"/>',
        line_svg("opened", 0, 40, 11, "#4b5563", anchor="start"),
        line_svg("due", due, 40, 11, "#4b5563"),
        line_svg("late", room, 40, 11, "#4b5563", anchor="end"),
    ]
    for number, x in enumerate(_places(deadline, calendar, due, room), start=1):
        parts.append(f'<circle cx="{x:.1f}" cy="18" r="9" fill="#ffffff" stroke="#111827"/>')
        parts.append(line_svg(str(number), x, 22, 11, bold=True))
    return "".join(parts)


def _places(deadline: Deadline, calendar: WorkingCalendar, due: float, room: float) -> list[float]:
    """Where each rung stands on the band; one right before another is moved so far that its number can be read."""
    ladder = deadline.escalate
    after = [number for number, rung in enumerate(ladder) if rung.after]
    places: list[float] = []
    for number, rung in enumerate(ladder):
        if rung.at_percent is not None:
            places.append(due * rung.at_percent / 100)
        elif rung.before is not None:
            places.append(due * (1 - rung.before.length(calendar) / deadline.within.otherwise.length(calendar)))
        elif rung.at_due:
            places.append(due)
        else:
            places.append(due + (room - due - 12) * (after.index(number) + 1) / (len(after) + 0.25))
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
        dash = ' stroke-dasharray="5 3"' if kind in DASHED else ""
        shape = style.shape(x + 1, y + 1, 42, 20)
        parts.append(f'<path d="{shape}" fill="{style.fill}" stroke="{style.stroke}" stroke-width="1.4"{dash}/>')
        parts.append(line_svg(style.words, x + 50, y + 15, 12, anchor="start"))
        x += wide
    return "".join(parts), y + 24
