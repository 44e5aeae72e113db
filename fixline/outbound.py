"""The one way out: signed JSON to an address that organisation.yaml names, guarded against all others.

Owns the guard. Only https, and only public addresses, unless the host is one of the settings' private hosts; the
name is resolved here and the connection goes to the very address that was checked, so a name that changes in between
reaches nothing else. No redirect is followed, no proxy of the environment is used, an answer has a largest size and a
latest instant. Messages are signed after Standard Webhooks (https://www.standardwebhooks.com). Neither secrets nor
what is sent are logged, and no error repeats them.

People are told of anything by the log, unless FIXLINE_NOTICES_URL names a system of the city's own, which knows how to
reach them. The log says that, to which kind of audience and about what, never a contact.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
from standardwebhooks import Webhook

from fixline.errors import FixlineError

log = logging.getLogger("fixline.notices")

KINDS = ("notify", "escalate")
"""The kinds of effects that tell people."""
TRY_SECONDS = 10.0
"""How long one try may take in all, the answer included."""
LARGEST_ANSWER = 64 * 1024
"""In bytes."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SECRET_PREFIX = "whsec_"  # noqa: S105 - how Standard Webhooks marks a secret
_SHORTEST_SECRET = 16

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotDelivered(FixlineError):
    """The message was not taken: the text says why, without anything that was sent."""


def _resolved(name: str, port: int) -> list[str]:
    return [str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class Outgoing:
    """Sends. `secret` finds a secret by its variable's name; `private_hosts` are names in lower case."""

    secret: Callable[[str], str | None]
    private_hosts: frozenset[str] = frozenset()
    resolve: Callable[[str, int], list[str]] = _resolved
    transport: httpx.BaseTransport | None = None
    try_seconds: float = TRY_SECONDS

    def post(self, url: str, secret_from: str, key: str, message: dict[str, Any]) -> bytes:
        """Send the message under an idempotency key, and answer with the body of a 2xx. Raises NotDelivered."""
        key_bytes = self._key_of(secret_from)
        target, host = self._checked(url)
        body = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
        headers = {
            "Host": host,
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            **signature_headers(key_bytes, key, int(time.time()), body),
        }
        extensions = {"sni_hostname": urlsplit(url).hostname or ""}
        latest = time.monotonic() + self.try_seconds
        try:
            with (
                httpx.Client(trust_env=False, timeout=self.try_seconds, transport=self.transport) as client,
                client.stream("POST", target, headers=headers, content=body, extensions=extensions) as response,
            ):
                if not response.is_success:
                    raise NotDelivered(f"{host} answered {response.status_code}")
                return _body_of(response, host, latest)
        except httpx.HTTPError as error:
            raise NotDelivered(f"{host}: {type(error).__name__}: {error}") from None

    def _key_of(self, secret_from: str) -> bytes:
        found = self.secret(secret_from)
        if not found:
            raise NotDelivered(f"the environment has no {secret_from}")
        try:
            key = base64.b64decode(found.removeprefix(_SECRET_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) < _SHORTEST_SECRET:
            raise NotDelivered(f"{secret_from} is not {_SECRET_PREFIX} and base64 of {_SHORTEST_SECRET} bytes or more")
        return key

    def _checked(self, url: str) -> tuple[str, str]:
        """The same address with the checked number in place of the name, and the Host header."""
        parts = urlsplit(url)
        name = (parts.hostname or "").lower()
        allowed = name in self.private_hosts
        if parts.scheme != "https" and not (parts.scheme == "http" and allowed):
            raise NotDelivered(f"{name}: only https is called; see FIXLINE_OUTGOING_PRIVATE_HOSTS")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            addresses = [ipaddress.ip_address(found) for found in self.resolve(name, port)]
        except (OSError, ValueError):
            addresses = []
        if not addresses:
            raise NotDelivered(f"{name}: no such host")
        if not allowed and not all(is_public(address) for address in addresses):
            raise NotDelivered(f"{name}: is at a private address; see FIXLINE_OUTGOING_PRIVATE_HOSTS")
        number = str(addresses[0]) if addresses[0].version == 4 else f"[{addresses[0]}]"
        target = parts._replace(netloc=f"{number}:{port}").geturl()
        return target, parts.netloc


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, also by the address that is wrapped in it."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast


def _body_of(response: httpx.Response, host: str, latest: float) -> bytes:
    found = b""
    for chunk in response.iter_bytes():
        found += chunk
        if len(found) > LARGEST_ANSWER:
            raise NotDelivered(f"{host}: the answer is larger than {LARGEST_ANSWER} bytes")
        if time.monotonic() > latest:
            raise NotDelivered(f"{host}: the answer took too long")
    return found


def signature_headers(key: bytes, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks."""
    signature = Webhook(key).sign(message_id, datetime.fromtimestamp(timestamp, UTC), body.decode())
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


@dataclass(frozen=True)
class Notice:
    """One message: `key` (the effect's id) lets a channel send it once, `to` names a role's holder or an audience."""

    key: str
    request_id: str
    event: str
    to: str


class Channel(Protocol):
    """A way to tell people. `send` may be called again with the same key, which whoever gets it knows by the key.

    `outside`: sending leaves this machine, and may take its time.
    """

    name: str
    outside: bool

    def send(self, notice: Notice) -> None:
        """Send the notice; raise when it could not be sent."""


class LogChannel:
    """Writes notices to the log."""

    name = "log"
    outside = False

    def send(self, notice: Notice) -> None:
        """One line: event, request, audience."""
        log.info("%s %s -> %s", notice.event, notice.request_id, notice.to, extra={"key": notice.key})


@dataclass(frozen=True)
class WebhookChannel:
    """Posts notices, signed, to one address."""

    outgoing: Outgoing
    url: str
    secret_from: str

    name = "webhook"
    outside = True

    def send(self, notice: Notice) -> None:
        """Post it. Raises NotDelivered."""
        data = {name: value for name, value in asdict(notice).items() if name != "key"}
        self.outgoing.post(self.url, self.secret_from, notice.key, {"type": "notice", "data": data})
