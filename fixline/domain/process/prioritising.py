"""The priority set by hand.

Owns what a supervisor's word does to it: it is a floor under the priority that the definition's list gives, so
that answers that come later can raise the priority, and nothing but another word lowers it.
"""

from __future__ import annotations

from fixline.domain.deadlines import timekeeping
from fixline.domain.journal import facts
from fixline.domain.process.builder import DecisionBuilder
from fixline.domain.process.commands import Prioritise
from fixline.domain.process.decision import refuse


def prioritise(builder: DecisionBuilder, command: Prioritise) -> None:
    """Set the floor, in place of the one before (a rung's, too); None takes it away. Budgets of clocks follow."""
    state, wanted = builder.state, command.priority
    ruled = timekeeping.ruled_priority(builder.definition, state.answers)
    if wanted is not None and wanted.rank < ruled.priority.rank:
        text = f"its answers make it {ruled.priority}: put those right, or set {ruled.priority} or more"
        raise refuse("priority_ruled", text, ruled=ruled.priority)
    priority = wanted or ruled.priority
    if (priority, wanted) == (state.priority, state.floor):
        raise refuse("nothing_changed", f"the priority is {priority} already")
    what = f"Priority {state.priority} -> {priority}" if priority != state.priority else f"Priority {priority} kept"
    changed = facts.PriorityChanged(priority, wanted, command.reason, by_hand=True)
    builder.record(changed, f"{what}, {'by hand' if wanted else 'by its answers'}. {command.reason}")
    timekeeping.note_undecided(builder, "priority", ruled.undecided)
    if priority is not state.priority:
        timekeeping.rebudget(builder)
