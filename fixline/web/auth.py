"""Who may call what: bearer keys, roles, teams and departments; denied unless a route says otherwise.

The route class of everything under /api/v1 asks for the key before it looks at the body, refuses a role that the route
does not name, and reads the body strictly. A route without roles cannot be built. Keys are never logged.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from fixline.catalog import Organisation
from fixline.domain.process.commands import Actor, Role
from fixline.identity import KeyRecord, find_key, hash_of
from fixline.store.store import Store
from fixline.web.problems import Forbidden, Problem, described, invalid
from fixline.web.request_body import read_body

API = "/api/v1"
PATIENCE_SECONDS = 1.0
CACHE_SECONDS = 3.0
CACHE_SIZE = 10_000
KEY_SCHEME = "key"
SECURITY_SCHEMES = {
    KEY_SCHEME: {"type": "http", "scheme": "bearer", "description": "A key made with `fixline keys create`"}
}
"""How a key is sent, for OpenAPI."""

ALL = (Role.ADMIN, Role.SUPERVISOR, Role.CREW, Role.SERVICE)
STAFF = (Role.ADMIN, Role.SUPERVISOR, Role.CREW)
LEADS = (Role.ADMIN, Role.SUPERVISOR)
READERS = (*ALL, Role.ANALYST)
CLIENTS = (Role.ADMIN, Role.SUPERVISOR, Role.SERVICE)


class Caller:
    """Whoever calls, with what the key allows."""

    def __init__(self, key: KeyRecord) -> None:
        self.key = key
        self.id = key.id
        self.role = key.role
        self.actor = Actor(name=key.name, role=key.role, teams=key.teams)

    @property
    def patience(self) -> float | None:
        """For how many seconds the caller's commands may wait for the store: programs give way to people."""
        return PATIENCE_SECONDS if self.role is Role.SERVICE else None

    def teams(self, organisation: Organisation) -> list[str] | None:
        """The teams whose tasks the caller may see and do; None for every team."""
        if self.role is Role.CREW:
            return list(self.key.teams)
        if self.role is Role.SUPERVISOR and self.key.department is not None:
            return [team.key for team in organisation.teams.values() if team.department == self.key.department]
        return None

    def check_team(self, team: str, organisation: Organisation) -> None:
        """Raise Forbidden (403) for a team that is not the caller's."""
        teams = self.teams(organisation)
        if teams is not None and team not in teams:
            raise Forbidden(403, "wrong_team", f"team {team} is not this key's", data={"team": team})

    def department(self, wanted: str | None) -> str | None:
        """The department that a list is narrowed to: the wanted one, else the key's own. Raises as the check."""
        if wanted is not None:
            self.check_department(wanted)
        return wanted or self.key.department

    def check_department(self, department: str | None) -> None:
        """Raise Forbidden (403) for a department that is not the caller's."""
        if self.role is Role.SUPERVISOR and self.key.department not in (None, department):
            text = f"this key is for department {self.key.department}, not {department}"
            raise Forbidden(403, "wrong_department", text, data={"department": department})


class Keyring:
    """Finds keys, and remembers for a few seconds what it found, so that a call costs no query of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[float, Caller | None]] = {}

    async def caller(self, key: str) -> Caller | None:
        """Whose key it is; None for one that does not work."""
        hashed = hash_of(key)
        now = time.monotonic()
        found = self._known.get(hashed)
        if found is not None and found[0] > now:
            return found[1]
        record = await self._store.in_turn(self._store.read, lambda session: find_key(session, key))
        if len(self._known) >= CACHE_SIZE:
            self._known.clear()
        caller = Caller(record) if record is not None else None
        self._known[hashed] = (now + CACHE_SECONDS, caller)
        return caller


@dataclass(frozen=True)
class Allowed:
    """The roles that may call a route."""

    roles: tuple[Role, ...]

    async def __call__(self) -> None:
        """Never called: `Guarded` asks."""


def allow(roles: tuple[Role, ...]) -> Any:
    """The dependency that names a route's roles."""
    return Depends(Allowed(roles))


class Guarded(APIRoute):
    """A route behind a key. Raises TypeError at the start when it does not say whose."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind key, role and body."""
        roles = [each.dependency.roles for each in self.dependencies if isinstance(each.dependency, Allowed)]
        if len(roles) != 1:
            raise TypeError(f"{self.path} must say once which roles may call it")
        # What names the roles has nothing to do when a call comes: it need not be solved for each.
        solved = self.dependant.dependencies
        self.dependant.dependencies = [each for each in solved if not isinstance(each.call, Allowed)]
        self.openapi_extra = {**(self.openapi_extra or {}), "security": [{KEY_SCHEME: []}]}
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            _check_address(request)
            caller = await admit(request)
            if caller.role not in roles[0]:
                text = f"a key of role {caller.role} may not do this; it takes {', '.join(roles[0])}"
                raise Problem(403, "wrong_role", text, data={"role": caller.role.value})
            request.state.caller = caller
            strict = _StrictRequest(request.scope, request.receive)
            request.state.body = await read_body(strict)
            return await inner(strict)

        return guarded


def guarded_router(path: str, tag: str, **more: Any) -> APIRouter:
    """A router of routes behind keys, under /api/v1."""
    responses = {**described(401, 403, 413, 415, 422, 503), **more.pop("responses", {})}
    return APIRouter(prefix=API + path, tags=[tag], route_class=Guarded, responses=responses, **more)


class _StrictRequest(Request):
    """A request whose JSON has been read strictly, by `Guarded`."""

    async def json(self) -> Any:
        return self.state.body


def _check_address(request: Request) -> None:
    if "\0" in request.scope["path"]:
        raise Problem(404, "not_found", "there is nothing at this address")
    if not request.scope["query_string"]:
        return
    for name, value in request.query_params.multi_items():
        if "\0" in name or "\0" in value:
            raise invalid(name.replace("\0", ""), "no_character", "a text has the character NUL")


async def admit(request: Request) -> Caller:
    """The caller behind the request's bearer key. Raises Problem (401)."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        raise _unauthorised("this needs a key, sent as Authorization: Bearer KEY", "")
    keyring: Keyring = request.app.state.keyring
    caller = await keyring.caller(key)
    if caller is None:
        raise _unauthorised("this key does not work", ', error="invalid_token"')
    return caller


def _unauthorised(text: str, error: str) -> Problem:
    return Problem(401, "unauthorised", text, headers={"WWW-Authenticate": f'Bearer realm="fixline"{error}'})


async def caller_of(request: Request) -> Caller:  # a plain function would run on a thread
    """The caller of a guarded route."""
    caller: Caller = request.state.caller
    return caller


CallerOf = Annotated[Caller, Depends(caller_of)]
"""A route's access to its caller."""


class Repeat(NamedTuple):
    """A caller's Idempotency-Key, and the keyed hash of address and body that came with it; both None without one."""

    key: str | None
    body_hash: str | None


def repeat_of(request: Request) -> Repeat:
    """A write's idempotency key. Raises Problem (422)."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return Repeat(None, None)
    (key, *others) = keys
    if not 1 <= len(key) <= 200 or not key.isascii() or not key.isprintable() or others:
        raise invalid("Idempotency-Key", "invalid", "must be one value of 1 to 200 printable characters")
    text = json.dumps(request.state.body, sort_keys=True, separators=(",", ":"))
    message = f"{request.method} {request.scope['path']}\n{text}"
    secret = bytes.fromhex(request.state.caller.key.hash)  # of the caller: the row tells nobody what was in the body
    return Repeat(key, hmac.new(secret, message.encode(), hashlib.sha256).hexdigest())
