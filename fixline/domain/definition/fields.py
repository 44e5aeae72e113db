"""Questions of an intake and fields of a step's form; each field's description is the text that editors show."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """Base of every part of a definition or of the city: frozen, and closed to keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class FieldKind(StrEnum):
    """Kinds of answers that questions and forms can ask for."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    CHOICES = "choices"
    YES_NO = "yes_no"
    DATE = "date"
    DATETIME = "datetime"
    PHOTO = "photo"


class FormField(Part):
    """One question of an intake or one field of a step's form."""

    kind: FieldKind = Field(description="What kind of answer is expected.")
    ask: str | None = Field(None, description="The question in plain words, shown to whoever answers.")
    options: dict[str, str] = Field({}, description="For choice and choices: each option's key and its label.")
    min: float | None = Field(None, description="For number: the smallest value allowed.")
    max: float | None = Field(None, description="For number: the largest value allowed.")
    required: bool = Field(False, description="An answer must be given (in a step's form: for every outcome).")
    required_for: tuple[str, ...] = Field(
        (), description="In a step's form: the outcomes for which an answer must be given."
    )
