"""Requests as lists show them: filters, which become conditions on the indexes, orders, and the columns of a line.

Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, String, and_, func, literal, or_, select, text
from sqlmodel import Session

from fixline.store.instants import UtcDateTime
from fixline.store.queries.paging import Order, Page
from fixline.store.queries.places import Box, Circle, haversine_m
from fixline.store.tables import ClockRow, DefinitionVersionRow, RequestRow, table_of

REQUEST = table_of(RequestRow).c
CLOCK = table_of(ClockRow).c
VERSION = table_of(DefinitionVersionRow).c
TITLE = select(VERSION.title).where(VERSION.hash == REQUEST.version).scalar_subquery().label("title")
"""Of the version that a request follows. PostgreSQL, which may think that few rows fit, would sort them all after a
join instead of following the index whose order is wanted."""

IS_OPEN: ColumnElement[bool] = text("request.status = 'open'")  # type: ignore[assignment]
"""In the very words of the partial indexes, which then serve."""
_NEAREST_M = 50.0
_FARTHER = 4
Sort = Literal["opened", "-opened", "updated", "-updated", "due", "distance"]
_NEVER = datetime(9999, 12, 31, tzinfo=UTC)
_LINE = (
    "id", "type", "status", "outcome", "step", "waiting_as", "on_hold", "priority", "department", "team", "area",
    "latitude", "longitude", "address", "external_id", "source_type", "attached_to",
    "opened_at", "updated_at", "closed_at", "promised_at",
)  # fmt: skip


@dataclass(frozen=True)
class RequestFilter:
    """What a list of requests is narrowed to; empty means not narrowed. `now` is the instant of overdue."""

    now: datetime
    status: str | None = None
    type: Sequence[str] = ()
    department: Sequence[str] = ()
    team: Sequence[str] = ()
    area: Sequence[str] = ()
    priority: Sequence[str] = ()
    overdue: bool | None = None
    due_before: datetime | None = None
    near: Circle | None = None
    bbox: Box | None = None
    q: str | None = None
    opened_after: datetime | None = None
    updated_after: datetime | None = None
    external_id: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether only open requests are wanted; what is overdue is open."""
        return self.status == "open" or (self.status is None and bool(self.overdue))


def list_requests(session: Session, wanted: RequestFilter, sort: Sort, after: Sequence[Any] | None, limit: int) -> Page:
    """A page of requests."""
    page: Page = [], None
    for part in _nearest_first(wanted, sort, after):
        page = _read(session, part, sort, after, limit)
        if page[1] is not None:
            break
    lines, key = page
    return [_line(line, wanted) for line in lines], key


def _read(session: Session, wanted: RequestFilter, sort: Sort, after: Sequence[Any] | None, limit: int) -> Page:
    """The page's keys are found first, so that only a page's worth of lines is read and sorted."""
    order = _order(wanted, sort)
    keys = select(REQUEST.id, order.by["sort_key"].label("sort_key")).where(*_conditions(session, wanted))
    page = order.apply(keys, after, limit).subquery("page")
    late = is_overdue(wanted.now).label("overdue")
    lines = select(*(REQUEST[name] for name in _LINE), TITLE, late, page.c.sort_key)
    lines = lines.select_from(page.join(table_of(RequestRow), REQUEST.id == page.c.id))
    found = Order({"sort_key": page.c.sort_key, "id": page.c.id}, order.descending)
    return found.cut(session.execute(lines.order_by(*found.directions)).mappings(), limit)


def _nearest_first(wanted: RequestFilter, sort: Sort, after: Sequence[Any] | None) -> Iterator[RequestFilter]:
    """What is wanted, after narrower circles around the same place: where one of these holds a whole page, what lies
    farther away, which may be a hundred times as much, need not be read and sorted."""
    if sort == "distance" and wanted.near is not None:
        radius_m = _NEAREST_M
        while radius_m < wanted.near.radius_m:
            if after is None or radius_m**2 > after[0]:
                yield replace(wanted, near=replace(wanted.near, radius_m=radius_m))
            radius_m *= _FARTHER
    yield wanted


def find_ids(session: Session, wanted: RequestFilter, limit: int) -> list[str]:
    """The ids of the requests that are wanted, at most so many."""
    statement = select(REQUEST.id).where(*_conditions(session, wanted)).order_by(REQUEST.id).limit(limit)
    return list(session.execute(statement).scalars())


def _order(wanted: RequestFilter, sort: Sort) -> Order:
    field = sort.removeprefix("-")
    key: ColumnElement[Any]
    if field == "distance":
        assert wanted.near is not None  # noqa: S101 - the caller has checked it
        key = wanted.near.square_of_distance(REQUEST.latitude, REQUEST.longitude)
    elif field == "due":
        key = func.coalesce(REQUEST.promised_at, literal(_NEVER, UtcDateTime()), type_=UtcDateTime())
    else:
        key = REQUEST[f"{field}_at"]
    return Order({"sort_key": key, "id": REQUEST.id}, descending=sort.startswith("-"))


def late_clocks(now: datetime) -> ColumnElement[bool]:
    """Whether a clock is live and past its due instant; in the very words of the partial index, which then serves."""
    return and_(text("clock.live"), CLOCK.due_at.is_not(None), CLOCK.due_at < now)


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """Whether a clock of the request is live and past its due instant."""
    return and_(REQUEST.late_from.is_not(None), REQUEST.late_from < now)


def no_way_in(session: Session, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column, so that SQLite does not begin with an index of it."""
    return func.coalesce(column, "") if session.get_bind().dialect.name == "sqlite" else column


def equal(pairs: Iterable[tuple[ColumnElement[Any], Any]]) -> list[ColumnElement[bool]]:
    """That columns have these values, each where one is given."""
    return [column == value for column, value in pairs if value is not None]


def _conditions(session: Session, wanted: RequestFilter) -> list[ColumnElement[bool]]:
    """Whose lines are wanted."""
    conditions: list[ColumnElement[bool]] = []
    found_otherwise = _found_otherwise(wanted)

    def column_of(name: str) -> ColumnElement[Any]:
        return no_way_in(session, REQUEST[name]) if name in found_otherwise else REQUEST[name]

    status = "open" if wanted.is_open else wanted.status
    if wanted.is_open and "status" not in found_otherwise:
        conditions.append(IS_OPEN)
    elif status:
        conditions.append(column_of("status") == status)
    for name in ("type", "department", "team", "area", "priority"):
        if values := getattr(wanted, name):
            column = column_of(name)
            conditions.append(column == values[0] if len(values) == 1 else column.in_(values))
    if wanted.overdue is not None:
        conditions.append(is_overdue(wanted.now) if wanted.overdue else ~is_overdue(wanted.now))
    conditions += equal([(REQUEST.external_id, wanted.external_id)])
    if wanted.due_before:
        conditions += [REQUEST.status == "open", REQUEST.promised_at < wanted.due_before]
    if wanted.opened_after:
        conditions.append(REQUEST.opened_at > wanted.opened_after)
    if wanted.updated_after:
        conditions.append(REQUEST.updated_at > wanted.updated_after)
    return conditions + _by_place(wanted) + _by_text(wanted)


def _found_otherwise(wanted: RequestFilter) -> Collection[str]:
    """By which columns SQLite shall not begin. What lies near a place is found by the place: of a status or type there
    may be many. What is open is found among all that is open, or that is of one type, or all that a team has."""
    if wanted.near is not None or wanted.bbox is not None:
        return ("status", "type", "department", "team", "area", "priority")
    if wanted.is_open:
        if wanted.team:
            return ("status",)
        return ("department", "area") if len(wanted.type) == 1 else ("type", "department", "area")
    return ()


def _by_place(wanted: RequestFilter) -> list[ColumnElement[bool]]:
    place = REQUEST.latitude, REQUEST.longitude
    found = [wanted.bbox.holds(*place)] if wanted.bbox else []
    if wanted.near is not None:
        found += [wanted.near.box.holds(*place), wanted.near.square_of_distance(*place) <= wanted.near.radius_m**2]
    return found


def _by_text(wanted: RequestFilter) -> list[ColumnElement[bool]]:
    if not wanted.q:
        return []
    columns = (REQUEST.address, REQUEST.description, REQUEST.id, REQUEST.external_id)
    return [or_(*(column.cast(String).icontains(wanted.q, autoescape=True) for column in columns))]


def _line(line: dict[str, Any], wanted: RequestFilter) -> dict[str, Any]:
    del line["sort_key"]
    source_type = line.pop("source_type")
    line["title"] = line["title"] or source_type
    centre, place = wanted.near, (line["latitude"], line["longitude"])
    line["distance_m"] = round(haversine_m(centre.latitude, centre.longitude, *place), 1) if centre else None
    return line
