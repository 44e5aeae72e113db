"""Answers as CSV: how records become cells, and the sending of long lists page by page."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
MEDIA_TYPE = "text/csv; charset=utf-8"


def as_csv(items: Sequence[Mapping[str, Any]], columns: Sequence[str] = (), *, header: bool = True) -> str:
    """The lines as CSV; a text that a spreadsheet would take for a formula begins with an apostrophe.

    Without `columns` they are the first line's, and there is no header where there is no line.
    """
    out = io.StringIO()
    names = list(columns or (items[0] if items else ()))
    if names:
        writer = csv.DictWriter(out, names, restval="", extrasaction="ignore")
        if header:
            writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in item.items()} for item in items)
    return out.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def sheet(text: str, name: str) -> Response:
    """The text as a file to download."""
    return Response(text, media_type=MEDIA_TYPE, headers=_download(name))


def long_sheet(model: type[BaseModel], pages: Iterator[Iterable[BaseModel]], name: str) -> Response:
    """Records of a model as a file to download; each page is read when the one before has been sent.

    The first page must have been read: an error after it can only cut the answer short.
    """
    columns = columns_of(model)

    def lines() -> Iterator[str]:
        yield as_csv([], columns)
        for page in pages:
            yield as_csv([flat(record.model_dump(mode="json")) for record in page], columns, header=False)

    return StreamingResponse(lines(), media_type=MEDIA_TYPE, headers=_download(name))


def _download(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def columns_of(model: type[BaseModel]) -> list[str]:
    """A model's fields as columns; those of a record within are named after both, lists have none."""
    found: list[str] = []
    for name, field in model.model_fields.items():
        if get_origin(field.annotation) is list:
            continue
        kinds = (field.annotation, *get_args(field.annotation))
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        found += [f"{name}_{each}" for each in columns_of(inner)] if inner is not None else [name]
    return found


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A record's values by the names of `columns_of`."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value, f"{prefix}{name}_") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return found
