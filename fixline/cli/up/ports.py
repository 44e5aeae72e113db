"""Ports: which are free, and which the Temporal server gets."""

from __future__ import annotations

import socket
import time
from contextlib import closing

from fixline.cli.folder import DataFolder
from fixline.cli.outcome import Trouble

DEFAULT_TEMPORAL_PORT = 7233
UI_ABOVE = 1000
"""The Temporal UI's port lies this much above the server's."""
HIGHEST_PORT = 65_535
PATIENCE_SECONDS = 3.0
"""How long the parts of an `up` that was killed a moment ago may take to let go of their ports."""
_TRIES = 50


def is_free(host: str, port: int) -> bool:
    """Whether a server may listen there now. Raises Trouble when the host is none of this machine."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise Trouble(f"--host {host}: {error.strerror}") from None
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError as error:
            raise Trouble(f"port {port} on {host}: {error.strerror}; choose one above 1023 with --port") from None
        except OSError:
            return False
    return True


def wait_until_free(host: str, port: int, option: str) -> None:
    """Return when the port is free; Trouble names it and the option when it stays taken."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_free(host, port):
        if time.monotonic() > deadline:
            raise Trouble(f"port {port} on {host} is in use by another program: choose another with {option}")
        time.sleep(0.1)


def choose_temporal_port(folder: DataFolder, asked: int | None, api_port: int) -> int:
    """The Temporal server's port: the one asked for, else the last start's, else 7233, else any free one.

    Raises Trouble when the one asked for is taken, or when it or its UI's would be the API's.
    """
    if asked is not None:
        if api_port in (asked, asked + UI_ABOVE):
            raise Trouble(f"--temporal-port {asked}: it takes {asked} and {asked + UI_ABOVE}, one of them is --port")
        wait_until_free("127.0.0.1", asked, "--temporal-port")
        wait_until_free("127.0.0.1", asked + UI_ABOVE, "--temporal-port (the UI's is 1000 higher)")
        return asked
    remembered = folder.remembered().get("temporal")
    for port, patience in ((remembered, PATIENCE_SECONDS), (DEFAULT_TEMPORAL_PORT, 0.0)):
        if port is not None and api_port not in (port, port + UI_ABOVE) and _both_free(port, patience):
            return port
    return _any_free(api_port)


def _both_free(port: int, patience_seconds: float = 0) -> bool:
    deadline = time.monotonic() + patience_seconds
    while True:
        if port + UI_ABOVE <= HIGHEST_PORT and is_free("127.0.0.1", port) and is_free("127.0.0.1", port + UI_ABOVE):
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)


def _any_free(api_port: int) -> int:
    for _ in range(_TRIES):
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if api_port not in (port, port + UI_ABOVE) and _both_free(port):
            return port
    raise Trouble("no free port was found for the Temporal server: name one with --temporal-port")
