"""Pictures: nothing overlaps, everything is there, nothing of a definition is taken for markup."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from fixline.catalog import read_catalog
from fixline.domain.definition.model import Definition
from fixline.domain.process.kinds.base import spoken
from fixline.drawing import NotDrawn, _label, _room, layout, mermaid_of, svg_of
from fixline.drawing.chart import chart_of
from fixline.drawing.layout import MARK, Places, Point, Size
from fixline.drawing.shapes import STYLES, face_of, outline, width_of, wrapped
from fixline.settings import PACKAGED_DEFINITIONS
from tests.support.domain.samples import with_clock

SVG = "{http://www.w3.org/2000/svg}"
SHIPPED = read_catalog(PACKAGED_DEFINITIONS).catalog.definitions
NASTY = '</text><script>alert("x")</script> & "quoted" #1; |pipe| `tick` end'


def every_kind() -> Definition:
    """A definition with a step of every kind, a step that leads to itself, and branches."""
    return Definition.model_validate(
        {
            "type": "every-kind",
            "title": NASTY,
            "department": "transportation",
            "priority": [{"is": "normal"}],
            "calendar": SHIPPED["pothole"].calendar,
            "start": "look",
            "deadlines": {
                "resolve": {
                    "from": "opened",
                    "met_by": "closed",
                    "within": {"by_priority": {"high": "1 working day"}, "otherwise": "7 working days"},
                    "paused_while": ["with_gas"],
                    "escalate": [
                        {"at_percent": 50, "tell": "crew_lead"},
                        {"before": "4 working hours", "tell": "crew_lead", "reassign_to": "asphalt-central"},
                        {"at_due": True, "tell": "supervisor", "raise_priority": "high"},
                        {"after": "1 working day", "every": "1 working day", "up_to": 3, "tell": "supervisor"},
                    ],
                },
                "first_look": {"from": "opened", "met_by": "look", "within": {"otherwise": "1 working day"}},
            },
            "steps": {
                "look": {
                    "kind": "inspection",
                    "title": "Look at it",
                    "team": "inspectors",
                    "sample": 10,
                    "warn_after": 3,
                    "due": "2 working days",
                    "claim_within": "4 working hours",
                    "then": {"bad": "triage", "not_sampled": "gone", "more": "look"},
                },
                "triage": {
                    "kind": "choose",
                    "branches": [{"when": "depth >= 30 && lane == 'bike'", "go": "prepare"}, {"go": "ask_gas"}],
                },
                "prepare": {
                    "kind": "together",
                    "branches": {"sign": ["signs", "signs_stand"], "permit": ["permit"]},
                    "then": {"done": "fill"},
                },
                "signs": {"kind": "task", "title": NASTY, "team": "desk", "then": {"up": "signs_stand"}},
                "signs_stand": {"kind": "wait", "span": "2 calendar days", "then": {"timeout": "joined"}},
                "permit": {
                    "kind": "call",
                    "call": "permits-office",
                    "at_most": "1 calendar day",
                    "then": {"granted": "joined", "refused": "look", "timeout": "look"},
                },
                "fill": {
                    "kind": "dispatch",
                    "title": "Fill the hole",
                    "team": {"by": "district", "as": "asphalt-{district}", "elsewhere": "asphalt-central"},
                    "then": {"done": "tell", "wet": "dry", "cave_in": "water"},
                },
                "dry": {
                    "kind": "wait",
                    "signal": "dry_weather",
                    "at_most": "5 calendar days",
                    "waiting_as": "drying",
                    "then": {"dry_weather": "fill", "timeout": "fill"},
                },
                "ask_gas": {
                    "kind": "agency",
                    "agency": "peoples-gas",
                    "waiting_as": "with_gas",
                    "reply_within": "5 working days",
                    "then": {"repaired": "tell", "no_reply": "until_date"},
                },
                "until_date": {"kind": "wait", "until": "court_date", "then": {"timeout": "fill"}},
                "water": {
                    "kind": "follow_on",
                    "follow_on": "sewer-cave-in",
                    "then": {"fixed": "fill", "otherwise": "look"},
                },
                "tell": {"kind": "notify", "role": "alderman", "say": "Done.", "then": "fixed"},
                "fixed": {"kind": "close", "outcome": "fixed", "say": "Done."},
                "gone": {"kind": "close", "outcome": "no_problem_found"},
            },
        }
    )


TAKING = {name: each for name, each in SHIPPED.items() if each.redirect is None}  # the others have no steps to draw
DRAWN = {**TAKING, "every-kind": every_kind()}
ALL = sorted(DRAWN)


@cache
def placed(name: str) -> tuple[Places, tuple[Size, ...]]:
    """Where everything of a definition's picture goes, and the sizes of its boxes."""
    chart = chart_of(DRAWN[name])
    sizes = [face_of(box).size for box in chart.boxes]
    return layout.place(chart, sizes, [_room(_label(arrow)) for arrow in chart.arrows]), (*sizes, MARK)


def texts(svg: str) -> str:
    return " ".join("".join(each.itertext()) for each in ET.fromstring(svg).iter(f"{SVG}text"))  # noqa: S314 - our own


def along(curve: tuple[Point, ...]) -> Iterator[Point]:
    """Points of a chain of cubic curves."""
    for first in range(0, len(curve) - 3, 3):
        a, b, c, d = curve[first : first + 4]
        for step in range(21):
            t = step / 20
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            x, y = (sum(w * p[axis] for w, p in zip(weights, (a, b, c, d), strict=True)) for axis in (0, 1))
            yield x, y


def inside(point: Point, middle: Point, size: Size, margin: float) -> bool:
    return abs(point[0] - middle[0]) < size.width / 2 - margin and abs(point[1] - middle[1]) < size.height / 2 - margin


def overlap(a: Point, first: Size, b: Point, second: Size) -> bool:
    wide, high = (first.width + second.width) / 2, (first.height + second.height) / 2
    return abs(a[0] - b[0]) < wide - 1 and abs(a[1] - b[1]) < high - 1


@pytest.mark.parametrize("name", ALL)
def test_boxes_do_not_overlap(name: str) -> None:
    places, sizes = placed(name)
    both = [(number, other) for number in range(len(sizes)) for other in range(number)]
    assert [
        pair for pair in both if overlap(places.boxes[pair[0]], sizes[pair[0]], places.boxes[pair[1]], sizes[pair[1]])
    ] == []


@pytest.mark.parametrize("name", ALL)
def test_no_arrow_runs_through_a_box(name: str) -> None:
    places, sizes = placed(name)
    chart = chart_of(DRAWN[name])
    numbers = {box.name: number for number, box in enumerate(chart.boxes)}
    through = [
        (arrow.source, arrow.target, chart.boxes[number].name)
        for arrow, line in zip(chart.arrows, places.lines, strict=False)
        for number in numbers.values()
        if number not in {numbers[arrow.source], numbers[arrow.target]}
        and any(inside(point, places.boxes[number], sizes[number], 2) for point in along(line.curve))
    ]
    assert through == []


@pytest.mark.parametrize("name", ALL)
def test_no_label_lies_on_a_box_or_on_another(name: str) -> None:
    places, sizes = placed(name)
    labels = [
        (line.label, size)
        for arrow, line in zip(chart_of(DRAWN[name]).arrows, places.lines, strict=False)
        if line.label and (size := _room(_label(arrow)))
    ]
    boxes = list(zip(places.boxes, sizes, strict=True))
    assert [(a, b) for a in labels for b in boxes if overlap(*a, *b)] == []
    assert [(a, b) for n, a in enumerate(labels) for b in labels[:n] if overlap(*a, *b)] == []


@pytest.mark.parametrize("name", ALL)
def test_everything_is_in_the_picture(name: str) -> None:
    definition = DRAWN[name]
    svg = svg_of(definition)
    shown = texts(svg)
    chart = chart_of(definition)
    assert {box.name for box in chart.boxes} == set(definition.steps)
    for box in chart.boxes:
        assert box.title.split()[0] in shown
    for arrow in chart.arrows:
        for label in arrow.labels:
            assert spoken(label).split()[0] in shown
    for deadline in definition.deadlines.values():
        assert str(deadline.within.otherwise) in shown


def test_waits_say_which_clock_they_stop_and_steps_what_they_meet() -> None:
    boxes = {box.name: box for box in chart_of(every_kind()).boxes}
    assert boxes["ask_gas"].pauses == ("resolve",)
    assert boxes["dry"].pauses == ()
    assert boxes["look"].meets == ("first_look",)
    shown = texts(svg_of(every_kind()))
    assert "stops the clock of resolve" in shown
    assert "meets first look" in shown
    assert "more: the same again" in shown
    assert "branch: permit" in shown


def test_the_svg_is_safe_and_says_what_it_is() -> None:
    svg = svg_of(every_kind())
    root = ET.fromstring(svg)  # noqa: S314 - our own
    assert root.attrib["role"] == "img"
    named = root.attrib["aria-labelledby"].split()
    assert [each.attrib["id"] for each in root[:2]] == named
    assert root[0].text == f"{NASTY}: the process"
    assert "“Fill the hole” (fill)" in (root[1].text or "")
    allowed = {"svg", "title", "desc", "defs", "marker", "path", "rect", "circle", "g", "text"}
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= allowed
    assert not [name for each in root.iter() for name in each.attrib if name.startswith("on") or "href" in name]


def test_every_kind_has_a_shape_of_its_own_and_a_place_in_the_legend() -> None:
    kinds = {step.kind for step in every_kind().steps.values()}
    assert kinds == set(STYLES)
    drawn = {kind: outline(style.shape, 0, 0, 100, 40) for kind, style in STYLES.items()}
    assert len(set(drawn.values())) >= len(STYLES) - 1
    assert len({(style.fill, drawn[kind]) for kind, style in STYLES.items()}) == len(STYLES)
    shown = texts(svg_of(every_kind()))
    assert [style.words for style in STYLES.values() if style.words not in shown] == []


def test_the_same_definition_gives_the_same_picture() -> None:
    assert svg_of(every_kind()) == svg_of(every_kind())


def test_a_definition_of_many_steps_is_refused() -> None:
    with pytest.raises(NotDrawn, match="more than 200 steps"):
        layout.place(chart_of(every_kind()), [Size(10, 10)] * 201, [])


def test_a_layout_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "SECONDS", 0.001)
    with pytest.raises(NotDrawn, match="could not be drawn within"):
        svg_of(every_kind())


def test_a_layout_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "_PROGRAM", "raise SystemExit(2)")
    with pytest.raises(NotDrawn, match="Graphviz ended with 2"):
        svg_of(every_kind())


STATEMENT = re.compile(
    r"flowchart TD"
    r"| {4}opened\(\[\"opened\"\]\)"
    r"| {4}(?:opened|n\d+) -->(?:\|\"[^\"|]+\"\|)? n\d+"
    r"| {4}(?: {4})?n\d+[\[({>\\/]+\"[^\"]+\"[\])}\\/]+"
    r"| {4}subgraph g\d+\[\"[^\"]+\"\]"
    r"| {4}end"
    r"| {4}classDef of_\w+ fill:#\w{6},stroke:#\w{6},color:#\w{6}"
    r"| {4}class n\d+(?:,n\d+)* of_\w+"
)


@pytest.mark.parametrize("name", ALL)
def test_mermaid_is_of_its_grammar(name: str) -> None:
    lines = mermaid_of(DRAWN[name]).splitlines()
    assert [line for line in lines if not STATEMENT.fullmatch(line)] == []
    assert sum(" -->" in line for line in lines) == len(chart_of(DRAWN[name]).arrows) + 1


def test_mermaid_escapes_what_it_reads_as_its_own() -> None:
    text = mermaid_of(every_kind())
    assert "<script" not in text
    assert "#60;script#62;" in text
    assert "#124;pipe#124;" in text


def test_texts_are_broken_into_lines_that_fit() -> None:
    lines = wrapped("Measure and photograph the hole in the street " * 3, 13, 150)
    assert len(lines) == 4
    assert lines[-1].endswith("…")
    assert all(width_of(line, 13) <= 150 for line in lines)
    assert wrapped("a" * 100, 13, 100)[0] == "a" * len(wrapped("a" * 100, 13, 100)[0])
    assert wrapped("", 13, 100) == [""]


@pytest.mark.parametrize("draw", [svg_of, mermaid_of])
def test_a_type_that_takes_no_requests_has_nothing_to_draw(draw: Callable[[Definition], str]) -> None:
    redirect = {"to": "Lake County", "say": "It is the county's."}
    definition = Definition.model_validate({"type": "t", "title": "T", "department": "works", "redirect": redirect})
    with pytest.raises(NotDrawn, match="t takes no requests"):
        draw(definition)


def test_the_ladder_says_when_and_what_and_stands_in_the_order_of_time() -> None:
    """Each rung in words, and its number on the band, the one before due by its share of the usual budget."""
    svg = svg_of(every_kind())
    assert "2. 4 working hours before due: tells crew lead and gives the work to asphalt-central" in texts(svg)
    places = [float(x) for x in re.findall(r'<circle cx="([\d.]+)" cy="18"', svg)]
    assert places[:4] == sorted(places[:4])
    assert places[1] / places[2] == pytest.approx(1 - 0.5 / 7, abs=0.001)


def test_the_number_of_a_rung_right_before_due_can_be_read() -> None:
    """A rung an hour before a due that is weeks away is moved so far that the next one does not cover it."""
    ladder = [{"before": "1 working hour", "tell": "crew_lead"}, {"at_due": True, "tell": "supervisor"}]
    svg = svg_of(with_clock("20 working days", escalate=ladder))
    before, due = (float(x) for x in re.findall(r'<circle cx="([\d.]+)" cy="18"', svg))
    assert due - before == pytest.approx(14)
