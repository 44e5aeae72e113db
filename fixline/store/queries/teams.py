"""Teams' turns and loads, as the dispatch rules need them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlmodel import Session

from fixline.store.prepared import Prepared
from fixline.store.projection import upsert
from fixline.store.tables import CursorRow, TaskRow, table_of

_TURN = table_of(CursorRow)
_TASK = table_of(TaskRow)
_LAST_TURN = Prepared(select(_TURN.c.last).where(_TURN.c.team == bindparam("team_")).with_for_update())
_LOADS: Any = (
    select(_TASK.c.assignee, func.count())
    .where(_TASK.c.assignee.in_(bindparam("members_", expanding=True)), _TASK.c.state.in_(("claimed", "started")))
    .group_by(_TASK.c.assignee)
)


def next_in_turn(session: Session, team: str, members: Sequence[str]) -> str:
    """The member after the one who had the last turn; the turn is kept in the same transaction."""
    turn = _LAST_TURN.first(session, {"team_": team})
    if turn is None:  # nobody has had one: make the row that others then wait for
        upsert(session, CursorRow, [{"team": team, "last": None}], ("team",), keep=True)
        (turn,) = _LAST_TURN.all(session, {"team_": team})
    (last,) = turn
    chosen = members[(members.index(last) + 1) % len(members)] if last in members else members[0]
    upsert(session, CursorRow, [{"team": team, "last": chosen}], ("team",))
    return chosen


def least_loaded(session: Session, members: Sequence[str]) -> str:
    """The member with the fewest claimed or started tasks; of equals the first in the team's list."""
    counted = session.connection().execute(_LOADS, {"members_": list(members)})
    load: dict[str, int] = dict(counted.all())
    return min(members, key=lambda member: load.get(member, 0))
