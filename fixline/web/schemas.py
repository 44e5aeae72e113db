"""What bodies, queries and answers of several nouns share: strictness, places, instants, forms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.fields import FieldKind


class Body(BaseModel):
    """Base of all bodies: types as JSON has them, no key that nobody knows."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def said(self) -> dict[str, Any]:
        """What it says, by the names that a command has for it."""
        return vars(self)


class Parameters(BaseModel):
    """Base of all queries: a parameter that nobody knows is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Shown(BaseModel):
    """Base of answers that are read from our own objects, attribute by attribute."""

    model_config = ConfigDict(from_attributes=True)


def _to_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be an instant that has a place in UTC") from None


def _in_words(value: object) -> object:
    return str(value) if isinstance(value, Span) else value


Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""An instant with its zone, in UTC."""
Length = Annotated[str, BeforeValidator(_in_words)]
"""A length of time, as definitions write it."""
Reason = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S", examples=["Street is closed off"])]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]
Photo = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S", description="The reference of a photo.")]
Text = Annotated[str, Field(max_length=200)]
Description = Annotated[str, Field(max_length=4000)]
Remark = Annotated[str, Field(max_length=1000)]
PriorityName = Literal["low", "normal", "high", "urgent"]


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


class FormFieldOut(Shown):
    """One question of a form."""

    kind: FieldKind
    required: bool
    required_for: list[str] = Field(description="The outcomes for which an answer must be given.")
    options: dict[str, str] = Field(description="Each option's key and its label.")
    min: float | None
    max: float | None
    ask: str | None = Field(description="The question in plain words.")
