"""What several nouns share: strict bodies, places, instants in queries, page limits, forms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from fixline.domain.definition.fields import FieldKind, FormField
from fixline.web.paging import DEFAULT_LIMIT, LARGEST_LIMIT

MAX_REASON = 1000
MAX_DESCRIPTION = 4000


class Body(BaseModel):
    """Base of all bodies: types as JSON has them, no key that nobody knows."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(BaseModel):
    """Base of all queries: a parameter that nobody knows is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


def _to_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be an instant that has a place in UTC") from None


def _at_most_a_page(limit: int) -> int:
    return min(limit, LARGEST_LIMIT)


Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""An instant with its zone, in UTC."""
Reason = Annotated[str, Field(min_length=1, max_length=MAX_REASON, pattern=r"\S", examples=["Street is closed off"])]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]
Photo = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S", description="The reference of a photo.")]
Text = Annotated[str, Field(max_length=200)]


class Page(Query):
    """Which page of a list is wanted."""

    limit: Annotated[int, AfterValidator(_at_most_a_page)] = Field(
        DEFAULT_LIMIT, ge=1, description=f"Lines per page; above {LARGEST_LIMIT} counts as {LARGEST_LIMIT}."
    )
    cursor: Annotated[str, Field(max_length=1000)] | None = Field(None, description="`next` of the page before.")

    def bound(self) -> dict[str, Any]:
        """What a cursor is bound to: everything but where and how long the page is."""
        return self.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_none=True)


class LocationIn(Body):
    """Where it is: degrees WGS 84, an address, or both."""

    latitude: float | None = Field(None, ge=-90, le=90, examples=[41.881])
    longitude: float | None = Field(None, ge=-180, le=180, examples=[-87.632])
    address: str | None = Field(None, max_length=300, examples=["4853 S Wood St"])

    @model_validator(mode="after")
    def _check_pair(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude come together")
        return self


class FormFieldOut(BaseModel):
    """One question of a form."""

    kind: FieldKind
    required: bool
    required_for: list[str] = Field(description="The outcomes for which an answer must be given.")
    options: dict[str, str] = Field(description="Each option's key and its label.")
    min: float | None
    max: float | None
    ask: str | None = Field(description="The question in plain words.")


def form_out(fields: dict[str, FormField]) -> dict[str, FormFieldOut]:
    """A form, field by field."""
    return {
        name: FormFieldOut(
            kind=field.kind,
            required=field.required,
            required_for=list(field.required_for),
            options=field.options,
            min=field.min,
            max=field.max,
            ask=field.ask,
        )
        for name, field in fields.items()
    }
