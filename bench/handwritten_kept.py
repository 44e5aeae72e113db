"""The second yardstick: the workflow written by hand, whose activities commit the request's state to SQLite.

The workflow is that of `bench.handwritten`, word for word; only its activities are others. Each writes the request's
row and a line of its log in one commit of its own, and as little as that takes: no forms, no deadlines, no rules.
Blocking calls belong on threads, says the SDK's guide; so these activities are plain functions, and share a connection.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio import activity

SCHEMA = """
CREATE TABLE request (id TEXT PRIMARY KEY, status TEXT NOT NULL, step TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE log (request_id TEXT NOT NULL REFERENCES request, at TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX log_request ON log (request_id, at);
"""
WRITE_REQUEST = """
INSERT INTO request (id, status, step, updated_at) VALUES (?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET status = excluded.status, step = excluded.step, updated_at = excluded.updated_at
"""
WRITE_LOG = "INSERT INTO log (request_id, at, text) VALUES (?, ?, ?)"


def make(path: Path) -> None:
    """Make the database."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(SCHEMA)
    connection.close()


class Activities:
    """The activities on the database at `path`, which must have been made. One per process; thread-safe."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._one_at_a_time = threading.Lock()

    @property
    def all(self) -> list[Callable[..., Any]]:
        """The three, for a worker."""
        return [self.order_inspection, self.dispatch, self.close]

    @activity.defn
    def order_inspection(self, request_id: str) -> str:
        """Give the inspection to its team."""
        self._commit(request_id, "open", "inspect", "the inspection was ordered")
        return f"{request_id}-T1"

    @activity.defn
    def dispatch(self, request_id: str) -> str:
        """Give the repair to its team."""
        self._commit(request_id, "open", "repair", "the repair was ordered")
        return f"{request_id}-T2"

    @activity.defn
    def close(self, request_id: str) -> str:
        """Close the request."""
        self._commit(request_id, "closed", "fixed", "the pothole was filled")
        return f"{request_id} fixed"

    def _commit(self, request_id: str, status: str, step: str, text: str) -> None:
        now = datetime.now(UTC).isoformat()
        with self._one_at_a_time, self._connection:
            self._connection.execute(WRITE_REQUEST, (request_id, status, step, now))
            self._connection.execute(WRITE_LOG, (request_id, now, text))
