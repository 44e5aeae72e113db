"""Whatever passes the check never gets stuck: from every state that commands reach, a close can be reached.

Owns the walks at random; the definitions are drawn by `drawn`, the real checker says which are to be believed, and
`exploring` looks for a close on the rules themselves.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from fixline.catalog import check_text
from fixline.domain.definition.model import Definition
from fixline.domain.journal.entry import rebuild
from fixline.domain.process.commands import SYSTEM
from fixline.domain.process.kinds.choose import ChooseStep
from fixline.domain.process.kinds.follow_on import FollowOnStep
from fixline.domain.process.kinds.human import HumanStep
from fixline.domain.process.kinds.together import TogetherStep
from tests.support.rehearsal.drawn import CITY, RESTING, as_text, question_of, written
from tests.support.rehearsal.exploring import ADMIN, LEVELS, Explorer, closing

FILE = "transportation/random.yaml"
MOVES = [
    "end",
    "end",
    "end",
    "end",
    "tick",
    "decline",
    "claim",
    "send_back",
    "hold",
    "resume",
    "amend",
    "date",
    "reopen",
]
WALKS = st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 11), st.integers(0, 60)), max_size=14)


def wander(explorer: Explorer, walk: list[tuple[str, int, int]]) -> None:
    """Commands at random; refused ones are no matter."""
    for kind, which, hours in walk:
        explorer.now += timedelta(hours=hours)
        positions = explorer.state.positions
        if kind == "end" and positions:
            position = positions[which % len(positions)]
            step = explorer.request.definition.step(position.step)
            ways = [] if isinstance(step, TogetherStep) else list(getattr(step, "then", {}))
            if ways:
                explorer.end(position, ways[which % len(ways)])
        elif kind != "end":
            explorer.do(
                kind if kind != "date" else "amend", SYSTEM if kind == "tick" else ADMIN, **body(explorer, kind, which)
            )


def body(explorer: Explorer, kind: str, which: int) -> dict[str, Any]:
    """What a command says, beside its kind."""
    state, definition = explorer.state, explorer.request.definition
    names = list(definition.steps)
    chooses = [name for name, step in definition.steps.items() if isinstance(step, ChooseStep)]
    task = state.open_tasks[which % len(state.open_tasks)].id if state.open_tasks else "none"
    day = (explorer.now + timedelta(days=which - 3)).date().isoformat()
    bodies: dict[str, dict[str, Any]] = {
        "decline": {"task": task},
        "claim": {"task": task},
        "send_back": {"step": names[which % len(names)]},
        "amend": {"answers": {question_of(chooses[which % len(chooses)]): LEVELS[which % 2]} if chooses else {}},
        "date": {"answers": {"day": day}},
    }
    reason = {} if kind in ("claim", "tick") else {"reason": "so"}
    return {**bodies.get(kind, {}), **reason}


@given(drawn=written(), walk=WALKS, last=st.none() | st.integers(0, 11))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_passes_the_check_never_gets_stuck(
    drawn: dict[str, Any], walk: list[tuple[str, int, int]], last: int | None
) -> None:
    """Wherever random commands lead, a way to a close is open, and the journal rebuilds the state."""
    definition, findings = check_text(as_text(drawn), FILE, CITY)
    assume(definition is not None)
    assert definition is not None, findings
    event(f"branches: {len(definition.in_branches) > 0}")
    explorer = Explorer.opened(definition)
    wander(explorer, [*walk, *([("send_back", last, 0)] if last is not None else [])])
    assert rebuild(explorer.journal) == explorer.state
    closed = closing(explorer)
    assert closed is not None, f"no way to a close from {[position.step for position in explorer.state.positions]}"
    assert closed.request.next_at is None
    assert not closed.state.open_tasks
    assert not closed.state.live_clocks
    assert rebuild(closed.journal) == closed.state


def kinds_of(definition: Definition) -> set[str]:
    """What a definition has of what is drawn, in the generator's words."""
    found: set[str] = {step.kind for step in definition.steps.values()}
    people = [step for step in definition.steps.values() if isinstance(step, HumanStep)]
    found |= {"sampled"} if any(step.sample for step in people) else set()
    found |= {"warned"} if any(step.warn_after for step in people) else set()
    for step in definition.steps.values():
        found |= {f"join {step.join}"} if isinstance(step, TogetherStep) else set()
        found |= {"until"} if getattr(step, "until", None) else set()
        found |= {"span"} if getattr(step, "span", None) else set()
        found |= {"named close"} if isinstance(step, FollowOnStep) and len(step.then) > 1 else set()
    return found


def test_the_generator_draws_both() -> None:
    """Of what is drawn some pass the check, every kind of step among it; the findings of the others are of the flow."""
    codes: set[str] = set()
    kinds: set[str] = set()
    passed = 0

    @given(drawn=written())
    @settings(max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def draw(drawn: dict[str, Any]) -> None:
        nonlocal passed
        definition, findings = check_text(as_text(drawn), FILE, CITY)
        passed += definition is not None
        kinds.update(kinds_of(definition) if definition else ())
        codes.update(finding.code for finding in findings)

    draw()
    assert passed >= 20
    every = {*RESTING, "close", "choose", "notify", "together", "join all", "join first", "warned", "named close"}
    assert kinds == every, every ^ kinds
    assert codes <= {"FX401", "FX402", "FX403", "FX404", "FX415", "FX601"}, codes
    assert {"FX401", "FX402", "FX404", "FX415"} <= codes
