"""The one way out: signed JSON to an address that organisation.yaml names, guarded against all others.

Owns the guard. Only https, and only public addresses, unless the host is one of the settings' private hosts; the
name is resolved here and the connection goes to the very address that was checked, so a name that changes in between
reaches nothing else. No redirect is followed, no proxy of the environment is used, an answer has a largest size and a
latest instant. Messages are signed after Standard Webhooks (https://www.standardwebhooks.com). Neither secrets nor
what is sent are logged, and no error repeats them.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from standardwebhooks import Webhook

from fixline.errors import FixlineError

TRY_SECONDS = 10.0
"""How long one try may take in all, the answer included."""
LARGEST_ANSWER = 64 * 1024
"""In bytes."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SECRET_PREFIX = "whsec_"  # noqa: S105 - how Standard Webhooks marks a secret
_SHORTEST_SECRET = 16

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]


class NotDelivered(FixlineError):
    """The message was not taken: the text says why, without anything that was sent."""


class Outgoing:
    """Sends. `secret` finds a secret by its variable's name; `private_hosts` are names in lower case."""

    def __init__(
        self,
        secret: Callable[[str], str | None],
        *,
        private_hosts: frozenset[str] = frozenset(),
        resolve: Resolve | None = None,
        transport: httpx.BaseTransport | None = None,
        try_seconds: float = TRY_SECONDS,
    ) -> None:
        self._secret = secret
        self._private = private_hosts
        self._resolve = resolve or _resolved
        self._transport = transport
        self._try_seconds = try_seconds

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
        try:
            return self._send(target, headers, body, extensions)
        except httpx.HTTPError as error:
            raise NotDelivered(f"{host}: {type(error).__name__}: {error}") from None

    def _send(self, target: str, headers: dict[str, str], body: bytes, extensions: dict[str, Any]) -> bytes:
        latest = time.monotonic() + self._try_seconds
        options: dict[str, Any] = {"trust_env": False, "follow_redirects": False, "timeout": self._try_seconds}
        if self._transport is not None:
            options["transport"] = self._transport
        with (
            httpx.Client(**options) as client,
            client.stream("POST", target, headers=headers, content=body, extensions=extensions) as response,
        ):
            if not response.is_success:
                raise NotDelivered(f"{headers['Host']} answered {response.status_code}")
            return _body_of(response, headers["Host"], latest)

    def _key_of(self, secret_from: str) -> bytes:
        found = self._secret(secret_from)
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
        allowed = name in self._private
        if parts.scheme != "https" and not (parts.scheme == "http" and allowed):
            raise NotDelivered(f"{name}: only https is called; see FIXLINE_OUTGOING_PRIVATE_HOSTS")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            addresses = [ipaddress.ip_address(found) for found in self._resolve(name, port)]
        except (OSError, ValueError):
            addresses = []
        if not addresses:
            raise NotDelivered(f"{name}: no such host")
        if not allowed and not all(is_public(address) for address in addresses):
            raise NotDelivered(f"{name}: is at a private address; see FIXLINE_OUTGOING_PRIVATE_HOSTS")
        number = str(addresses[0]) if addresses[0].version == 4 else f"[{addresses[0]}]"
        target = parts._replace(netloc=f"{number}:{port}").geturl()
        return target, parts.netloc


def _resolved(name: str, port: int) -> list[str]:
    return [str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]


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
