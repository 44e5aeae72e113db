"""How the long-running commands log: one line each, to standard error, in UTC.

Contact data and keys are never given to a logger; queries of URLs are cut off before they are written.
"""

from __future__ import annotations

import logging
import sys
import time

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
CHATTY = ("sqlalchemy", "alembic", "httpx", "httpcore", "asyncio")
"""Libraries that tell at INFO what is of no use to an operator."""


def log_to_stderr(level: str) -> None:
    """Log from this level on; the libraries' own small talk from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter(FORMAT, "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))


class WithoutQuery(logging.Filter):
    """Cuts the query off the path in uvicorn's access lines: it may hold what somebody searched for."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true; the record's path has no query then."""
        if isinstance(record.args, tuple) and len(record.args) == 5:
            client, method, path, version, status = record.args
            record.args = (client, method, str(path).partition("?")[0], version, status)
        return True
