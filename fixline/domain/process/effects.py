"""What a decision causes in the world: one class for each kind of effect.

Effects name tasks, roles and events, never contact data; what is sent to somebody outside is fixed with the decision:
every try sends the same. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Literal, Self

from fixline.domain.definition.vocabulary import DESCRIPTION, PHOTOS, PLACE
from fixline.domain.journal.state import RequestState
from fixline.domain.process.commands import COMMAND, Command, EffectResult
from fixline.domain.records import OfKinds, change, to_data


class Effect(OfKinds, frozen=True, kw_only=True):
    """Base of all. `id` is request:decision:n, given when it is caused; `kind` is also its activity's name.

    `reach` says whether it stays within the store; `batched`, whether one activity takes all of its kind that one
    decision causes: they read nothing that the others write. `whom` names the field that says whom it reaches.
    """

    id: str = ""

    reach: ClassVar[Literal["store", "outside"]] = "store"
    batched: ClassVar[bool] = False
    whom: ClassVar[str]

    @property
    def destination(self) -> str:
        """Whom it reaches: a team, a role, an audience, a request, an agency, a system or a type."""
        return str(getattr(self, self.whom))

    @property
    def about(self) -> str | None:
        """What it is about, where that is not plain from kind and destination."""
        return None

    def pointless(self, _state: RequestState) -> bool:
        """Whether nobody waits for it any more in this state of the request."""
        return False

    @property
    def data(self) -> dict[str, Any]:
        """The effect as JSON, but for its id; `read_effect` reads it again."""
        found: dict[str, Any] = to_data(change(self, id=""))
        return found


EFFECTS: dict[str, type[Effect]] = Effect.kinds
"""The class of each kind."""


def read_effect(kind: str, effect_id: str, data: dict[str, Any]) -> Effect:
    """A stored effect. Raises KeyError for a kind that nobody knows, msgspec.ValidationError for other data."""
    return EFFECTS[kind].read({**data, "id": effect_id})


class _Order(Effect, frozen=True, kw_only=True):
    """An offered task given to its team; `offer` is the how-manieth. `not_to` is who has just given it back."""

    task: str
    team: str
    offer: int
    not_to: str | None = None

    whom = "team"


class Dispatch(_Order, frozen=True, kw_only=True):
    """A work order."""


class OrderInspection(_Order, frozen=True, kw_only=True):
    """The order of an inspection."""


class Escalate(Effect, frozen=True, kw_only=True):
    """Whoever holds a role is told of a clock's rung, or of a step that needs a look."""

    role: str
    rung: str
    clock: str | None = None
    step: str | None = None
    time: int | None = None
    task: str | None = None

    batched = True
    whom = "role"


class Notify(Effect, frozen=True, kw_only=True):
    """The reporter, or whoever holds a role, is told of an event; a step that tells has it in its definition what."""

    event: str
    audience: str
    step: str | None = None
    outcome: str | None = None

    batched = True
    whom = "audience"

    @property
    def about(self) -> str | None:
        return self.event


class TellRequest(Effect, frozen=True, kw_only=True):
    """Another request is given a command."""

    to: str
    command: Command

    whom = "to"

    @property
    def about(self) -> str | None:
        return self.command.kind

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        return cls(id=data["id"], to=data["to"], command=COMMAND.validate_python(data["command"]))


class _OfStep(Effect, frozen=True, kw_only=True):
    """Somebody else is asked to do a step; `at` is when that visit of it was entered."""

    step: str
    visit: int
    at: datetime

    def pointless(self, state: RequestState) -> bool:
        position = state.position_of(self.step)
        # Visits count anew when a request is reopened.
        return position is None or (position.visit, position.entered_at) != (self.visit, self.at)


class _Asked(_OfStep, frozen=True, kw_only=True):
    """Somebody outside is asked, with these fields, and may answer so."""

    outcomes: list[str]
    fields: dict[str, Any]

    reach = "outside"


def fields_of(state: RequestState, names: Iterable[str]) -> dict[str, Any]:
    """What is sent to somebody outside, by name; null for what the request does not have."""
    known = {
        PLACE: state.place.model_dump(exclude={"kind"}) if state.place else None,
        DESCRIPTION: state.description or None,
        PHOTOS: list(state.photos),
    }
    return {name: known[name] if name in known else state.answers.get(name) for name in names}


class AskAgency(_Asked, frozen=True, kw_only=True):
    """An outside party is asked."""

    agency: str

    whom = "agency"


class Call(_Asked, frozen=True, kw_only=True):
    """A department's own system is called."""

    system: str

    whom = "system"


class OpenFollowOn(_OfStep, frozen=True, kw_only=True):
    """A request of another department's type is opened."""

    type: str

    whom = "type"

    def reported(self, child: str | None = None, failed: str | None = None) -> EffectResult:
        """What the request is told: which one was opened, or why none was."""
        return EffectResult(
            effect=self.id,
            effect_kind=self.kind,
            child_type=self.type,
            step=self.step,
            visit=self.visit,
            child=child,
            failed=failed,
        )
