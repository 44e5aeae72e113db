"""Timeouts and retries of everything the workflow calls: one table.

With the database away: about three quick tries, then up to a minute between tries. A try that has to wait
longer than `LOCAL_RETRY_THRESHOLD` waits on a timer of the server, so that it holds up no other work of the request.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio.common import RetryPolicy

LOCAL_TIMEOUT = timedelta(seconds=30)
LOCAL_RETRY_THRESHOLD = timedelta(milliseconds=100)
LOCAL_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=100),
    backoff_coefficient=6.0,
    maximum_interval=timedelta(seconds=60),
    maximum_attempts=0,
)

OUTSIDE_TIMEOUT = timedelta(seconds=30)
OUTSIDE_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=3.0,
    maximum_interval=timedelta(minutes=10),
    maximum_attempts=0,
)
