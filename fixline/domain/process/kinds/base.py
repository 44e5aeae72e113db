"""What every kind of step can be asked, and what it does when a request enters it.

A kind is one module beside this: its keys, its ways out, its limits, whom it waits for, and its entering. Rules that go
from step to step (`fixline.domain.process.walk`) know no kind.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.fields import Part
from fixline.domain.definition.vocabulary import JOINED, TIMEOUT

if TYPE_CHECKING:
    from fixline.domain.process.builder import DecisionBuilder

Ways = tuple[tuple[str, str], ...]
"""The ways out of a step, in order: what leads there (outcome, condition, branch) and the step that follows."""
WaitKind = Literal["hold", "original", "person", "team", "agency", "system", "follow_on", "signal", "date"]


class Asked(NamedTuple):
    """Who outside has been asked to do a step, and the answers that they may give."""

    whom: str
    answers: frozenset[str]


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

    @model_serializer(mode="wrap")
    def _with_kind(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"kind": self.kind, **write(self)}

    def words(self, name: str) -> Words:
        """What it is in a few words, called `name`: for pictures."""
        return Words(spoken(name).capitalize())

    @property
    def shown(self) -> dict[str, Any]:
        """What callers are shown of it beside its kind."""
        return {}

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
        return ()

    def after(self, outcome: str) -> str:
        """The step that follows an outcome."""
        return dict(self.exits)[outcome]

    @property
    def limits(self) -> dict[str, Span]:
        """How long what may take, by the definition's keys."""
        return {}

    @property
    def limit(self) -> Span | None:
        """How long it waits at most; None for as long as it takes."""
        return None

    def wait_until(self, builder: DecisionBuilder, since: datetime) -> datetime | None:
        """When a wait that began then is over by itself (aware UTC); None when that is not known, or never."""
        return builder.ends_at(self.limit, since)

    def waits_on(self, name: str) -> tuple[WaitKind, str] | None:
        """Whom a request waits for at this step, called `name`; None where its tasks say it."""
        del name
        return None

    @property
    def asked(self) -> Asked | None:
        """Who outside works on it."""
        return None

    def joined(self, builder: DecisionBuilder, name: str, branch: str) -> str | None:
        """A branch of it, called `name`, has come to its end; the step that follows, or None while others go on."""
        del builder
        raise LookupError(f"step {name} has no branches, and none that is called {branch}")

    def next_branch(self, begun: set[str]) -> str | None:
        """The first step of the next branch that has not begun; None for a step without branches."""
        del begun
        return None


class WaitingPart(StepPart):
    """Base of the kinds that wait: for time, for a signal, for somebody else."""

    waiting_as: str | None = Field(None, description="The state's name, which deadlines may pause in.")
