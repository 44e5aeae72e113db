"""Versions of definitions in and out: published, compared, moved to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator

from fixline.web.schemas.basics import MAX_REASON, Body, Name

MOST_FILES = 200
Text = Annotated[str, Field(min_length=1, max_length=512_000)]
Path = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]


class FilesIn(Body):
    """Definitions as texts: one in `text`, or several in `files` by their paths."""

    text: Text | None = Field(None, description="One definition, as it stands in its file.")
    files: dict[Path, Text] = Field(
        default_factory=dict,
        description="Each file's text by its path: <department>/<type>.yaml.",
        max_length=MOST_FILES,
    )

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.text is None) == (not self.files):
            raise ValueError("give either text or files")
        return self


class FindingEnd(BaseModel):
    """Where the text that a finding is about ends."""

    line: int
    column: int


class FindingOut(BaseModel):
    """One thing to mend; lines and columns count from 1."""

    file: str
    line: int
    column: int
    end: FindingEnd | None
    code: str
    title: str
    message: str
    remedy: str


class CheckOut(BaseModel):
    """What is wrong; nothing when the list is empty."""

    findings: list[FindingOut]


class PublishedOut(BaseModel):
    """What publishing one definition came to."""

    type: str
    version: int
    hash: str
    state: str = Field(description="published, current_again (an older version), or unchanged.")


class PublicationOut(BaseModel):
    """Every definition that was sent."""

    items: list[PublishedOut]


class VersionOut(BaseModel):
    """One version of a type."""

    version: int
    hash: str
    title: str
    published_at: datetime
    published_by: str | None = Field(description="Null for one that a start took from the folder.")
    current: bool
    open_requests: int = Field(description="How many open requests follow it.")


class VersionPage(BaseModel):
    """A type's versions, the newest first."""

    items: list[VersionOut]
    next: str | None = None


class DiffOut(BaseModel):
    """What is different between two versions, in plain words."""

    type: str
    from_: int = Field(alias="from")
    to: int
    changes: list[str]


class MoveIn(Body):
    """Let open requests go on by another version."""

    to: Annotated[str, Field(max_length=64)] | int = Field(description="A version's number or hash, or current.")
    dry_run: bool = Field(False, description="Say what would change; write nothing.")
    map: dict[Name, Name] = Field(
        default_factory=dict, description="Which step of that version a step has become, where the name is another."
    )
    requests: list[Name] | None = Field(None, max_length=500, description="Only these.")
    reason: str = Field("", max_length=MAX_REASON)
    after: str = Field("", max_length=100, description="`next` of the answer before.")
    limit: int = Field(100, ge=1, le=500, description="How many requests at once.")


class MovedOut(BaseModel):
    """One request: what changes, or why it stays."""

    id: str
    from_version: int
    state: str = Field(description="would_move (dry_run), moved, waiting (accepted, not applied yet), or refused.")
    changes: dict[str, Any] | None = Field(
        description="Step, priority, waits, clocks, tasks, each before and after; the step entered anew; effects."
    )
    code: str | None = None
    message: str | None = None
    command_id: str | None = None


class MovePage(BaseModel):
    """What became of the requests on other versions; `next`: go on with it as `after`."""

    type: str
    to: int
    hash: str
    dry_run: bool
    items: list[MovedOut]
    next: str | None
