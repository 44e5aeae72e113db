"""Teams' turns and loads, as the dispatch rules need them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import Session, col, select

from fixline.store.tables import CursorRow, TaskRow


def next_in_turn(session: Session, team: str, members: Sequence[str]) -> str:
    """The member after the one who had the last turn; the turn is kept in the same transaction."""
    turn = session.exec(select(CursorRow).where(CursorRow.team == team).with_for_update()).first()
    turn = turn or CursorRow(team=team)
    last = turn.last
    chosen = members[(members.index(last) + 1) % len(members)] if last in members else members[0]
    turn.last = chosen
    session.add(turn)
    session.flush()
    return chosen


def least_loaded(session: Session, members: Sequence[str]) -> str:
    """The member with the fewest claimed or started tasks; of equals the first in the team's list."""
    counted = session.exec(
        select(TaskRow.assignee, func.count())
        .where(col(TaskRow.assignee).in_(members), col(TaskRow.state).in_(("claimed", "started")))
        .group_by(col(TaskRow.assignee))
    )
    load = dict(counted.all())
    return min(members, key=lambda member: load.get(member, 0))
