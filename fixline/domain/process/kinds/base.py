"""What every kind of step can be asked, and what it does when a request enters it.

A kind is one module beside this. Rules that go from step to step (`fixline.domain.process.walk`) know no kind.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.fields import Part
from fixline.domain.definition.vocabulary import JOINED, TIMEOUT
from fixline.domain.process.decision import DecisionBuilder

Ways = tuple[tuple[str, str], ...]
"""The ways out of a step, in order: what leads there (outcome, condition, branch) and the step that follows."""
WaitKind = Literal["hold", "original", "person", "team", "agency", "system", "follow_on", "signal", "date"]


class Words(NamedTuple):
    """A step in words: a title, and what else is to be known, one note a line."""

    title: str
    notes: tuple[str, ...] = ()


def spoken(name: str) -> str:
    """A name in words: `waiting_for_weather` reads 'waiting for weather'."""
    return name.replace("_", " ")


def noted(*pairs: tuple[str, object]) -> tuple[str, ...]:
    """A note for each pair that has a value."""
    return tuple(f"{word} {spoken(str(value))}" for word, value in pairs if value is not None)


class StepPart(Part):
    """Base of the kinds of steps: its kind is always written, also where all else is as by default."""

    kind: str

    late: ClassVar[str] = TIMEOUT
    """The outcome where what it waits for has not come in time."""
    at_once: ClassVar[str | None] = None
    """The outcome that can come without people, time or an answer having come between."""
    shows: ClassVar[tuple[str, ...]] = ()
    """What callers are shown of it beside its kind, by the definition's keys."""
    times: ClassVar[tuple[str, ...]] = ()
    """The definition's keys that say how long what may take."""

    @model_serializer(mode="wrap")
    def _with_kind(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"kind": self.kind, **write(self)}

    def words(self, name: str) -> Words:
        """What it is in a few words, called `name`: for pictures."""
        return Words(spoken(name).capitalize())

    @property
    def shown(self) -> dict[str, Any]:
        """What callers are shown of it beside its kind."""
        return {name: getattr(self, name) for name in self.shows}

    @abstractmethod
    def enter(self, builder: DecisionBuilder, name: str, visit: int) -> str | None:
        """Begin this visit; the step to enter at once, or None where the request comes to rest."""

    @property
    def exits(self) -> Ways:
        """The ways out, those to `joined` included."""
        return tuple(getattr(self, "then", {}).items())

    @property
    def ways(self) -> Ways:
        """The ways out to steps: a branch's way to `joined` is left out, for no step has that name."""
        return tuple((label, target) for label, target in self.exits if target != JOINED)

    @property
    def exits_at_once(self) -> tuple[str, ...]:
        """Where it can lead without people, time or an answer having come between."""
        return tuple(target for outcome, target in self.exits if outcome == self.at_once)

    @property
    def limits(self) -> dict[str, Span]:
        """How long what may take, by the definition's keys."""
        return {name: span for name in self.times if (span := getattr(self, name))}

    @property
    def limit(self) -> Span | None:
        """How long it waits at most; None for as long as it takes."""
        return None

    def wait_until(self, builder: DecisionBuilder, since: datetime) -> datetime | None:
        """When a wait that began then is over by itself (aware UTC); None when that is not known, or never."""
        return builder.calendar.ends_at(since, self.limit)

    def waits_on(self, _name: str) -> tuple[WaitKind, str] | None:
        """Whom a request waits for at this step, called `name`; None where its tasks say it."""
        return None

    def joined(self, _builder: DecisionBuilder, name: str, branch: str) -> str | None:
        """A branch of it, called `name`, has come to its end; the step that follows, or None while others go on."""
        raise LookupError(f"step {name} has no branches, and none that is called {branch}")

    def next_branch(self, _begun: set[str]) -> str | None:
        """The first step of the next branch that has not begun; None for a step without branches."""
        return None


class WaitingPart(StepPart):
    """Base of the kinds that wait: for time, for a signal, for somebody else."""

    waiting_as: str | None = Field(None, description="The state's name, which deadlines may pause in.")

    shows: ClassVar[tuple[str, ...]] = ("waiting_as", "then")

    @property
    def limit(self) -> Span | None:
        return next(iter(self.limits.values()), None)


class OutsidePart(WaitingPart):
    """Base of the kinds that somebody outside carries out."""

    asks: ClassVar[tuple[WaitKind, str]]
    """What kind of party is waited for, and the definition's key that names it."""

    @property
    def whom(self) -> str:
        """The party's name."""
        return str(getattr(self, self.asks[1]))

    @property
    def answers(self) -> list[str]:
        """What the party can answer."""
        return [outcome for outcome, _ in self.exits if outcome != self.late]

    def waits_on(self, _name: str) -> tuple[WaitKind, str]:
        return self.asks[0], self.whom
