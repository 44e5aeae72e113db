"""The way out: signed, guarded, bounded; against a real server of this machine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import time
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import pytest

from activities.outside import outcome_of
from fixline.outbound import LARGEST_ANSWER, NotDelivered, Outgoing, is_public, signature_headers
from tests.support.listener import KEY, SECRETS, Listener, say


@pytest.fixture
def out() -> Outgoing:
    """The way out, which may reach this machine."""
    return Outgoing(
        SECRETS.get, private_hosts=frozenset({"localhost"}), resolve=lambda *_: ["127.0.0.1"], try_seconds=1
    )


def send(out: Outgoing, url: str, secret: str = "FIXLINE_SECRET_T") -> bytes:
    return out.post(url, secret, "SR26-00000001:3:1", {"request": "SR26-00000001", "text": "Ünder"})


def test_a_message_arrives_signed_and_with_its_key(out: Outgoing, listener: Listener) -> None:
    """Body, headers and signature are what Standard Webhooks says; the name stays in Host."""
    assert send(out, listener.url) == b'{"outcome": "granted"}'
    ((path, headers, body),) = listener.got
    assert path == "/in?box=1"
    assert headers["host"] == f"localhost:{listener.server.server_port}"
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == headers["webhook-id"] == "SR26-00000001:3:1"
    assert json.loads(body) == {"request": "SR26-00000001", "text": "Ünder"}
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 10
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_the_signature_is_that_of_the_standard() -> None:
    """The specification's own example."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = signature_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [300, 301, 307, 400, 404, 410, 422, 429, 500, 503])
def test_anything_but_2xx_is_not_delivered(out: Outgoing, listener: Listener, status: int) -> None:
    """Redirects are not followed."""
    listener.answer = say(status, Location=listener.url)
    with pytest.raises(NotDelivered, match=f"answered {status}"):
        send(out, listener.url)
    assert len(listener.got) == 1


def test_an_answer_that_is_too_large(out: Outgoing, listener: Listener) -> None:
    """It is not read to its end."""
    listener.answer = say(200, b"x" * (LARGEST_ANSWER + 1))
    with pytest.raises(NotDelivered, match="larger than"):
        send(out, listener.url)


def test_an_answer_that_takes_too_long(out: Outgoing, listener: Listener) -> None:
    """Silence, and an answer that trickles."""
    listener.answer = lambda _: time.sleep(1.5)
    with pytest.raises(NotDelivered, match="ReadTimeout"):
        send(out, listener.url)

    def slowly(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(8):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.3)

    listener.answer = slowly
    with pytest.raises(NotDelivered, match="took too long"):
        send(out, listener.url)


def test_nobody_listens(out: Outgoing, listener: Listener) -> None:
    """The error names the host and what went wrong."""
    listener.stop()
    with pytest.raises(NotDelivered, match=r"localhost:.*ConnectError"):
        send(out, listener.url)


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("FIXLINE_SECRET_MISSING", "the environment has no FIXLINE_SECRET_MISSING"),
        ("FIXLINE_SECRET_SHORT", "16 bytes"),
        ("FIXLINE_SECRET_ODD", "16 bytes"),
    ],
)
def test_without_a_usable_secret_nothing_is_sent(out: Outgoing, listener: Listener, secret: str, words: str) -> None:
    """The error names the variable, never its value."""
    with pytest.raises(NotDelivered, match=words) as raised:
        send(out, listener.url, secret)
    assert "no base64" not in str(raised.value)
    assert listener.got == []


PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a00:1::1",
    "2001:0:0:1::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str, listener: Listener) -> None:
    """Loopback, link-local, private, shared, multicast, the clouds' metadata; also wrapped in IPv6."""
    assert not is_public(ipaddress.ip_address(address))
    out = Outgoing(SECRETS.get, resolve=lambda *_: ["93.184.215.14", address])
    with pytest.raises(NotDelivered, match="private address"):
        send(out, "https://inside.example.org/x")


def test_without_the_setting_this_machine_is_not_reached(listener: Listener) -> None:
    """Neither without TLS nor with it."""
    out = Outgoing(SECRETS.get)
    with pytest.raises(NotDelivered, match="only https"):
        send(out, listener.url)
    with pytest.raises(NotDelivered, match="private address"):
        send(out, listener.url.replace("http:", "https:"))
    assert listener.got == []


def test_a_name_that_is_none() -> None:
    """No address, an address that is none, an error."""

    def fails(*_: Any) -> list[str]:
        raise OSError("no such name")

    for resolve in (fails, lambda *_: [], lambda *_: ["nonsense"]):
        with pytest.raises(NotDelivered, match="no such host"):
            send(Outgoing(SECRETS.get, resolve=resolve), "https://nowhere.example.org/")


@pytest.mark.parametrize(("address", "host"), [("93.184.215.14", "93.184.215.14"), ("2606:4700::1", "2606:4700::1")])
def test_the_connection_goes_to_the_address_that_was_checked(address: str, host: str) -> None:
    """A name that resolves to something else a moment later reaches nothing else; TLS still proves the name."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b"{}")

    asked: list[str] = []

    def resolve(name: str, port: int) -> list[str]:
        asked.append(f"{name}:{port}")
        return [address]

    out = Outgoing(SECRETS.get, resolve=resolve, transport=httpx.MockTransport(handle))
    send(out, "https://work.example.org/in")
    (request,) = seen
    assert asked == ["work.example.org:443"]
    assert (request.url.host, request.url.port, request.url.path) == (host, None, "/in")
    assert request.headers["host"] == "work.example.org"
    assert request.extensions["sni_hostname"] == "work.example.org"


def test_proxies_of_the_environment_are_not_used(
    out: Outgoing, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address that was checked is the one that is reached."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert send(out, listener.url)


def test_an_answer_names_one_of_the_outcomes() -> None:
    """Anything else is an error that does not repeat what was said."""
    assert outcome_of(b'{"outcome": "granted", "more": 1}', ["granted"]) == "granted"
    no_object = (b"", b"granted", b"[]", b'"granted"', b"\xff", b"[" * 9999)
    for answer in (*no_object, b'{"outcome": null}', b'{"outcome": ["granted"]}'):
        with pytest.raises(NotDelivered, match="answer"):
            outcome_of(answer, ["granted"])
    with pytest.raises(NotDelivered) as raised:
        outcome_of(b'{"outcome": "secret words"}', ["granted"])
    assert "secret" not in str(raised.value)
