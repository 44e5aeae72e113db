"""Timeouts and retries of everything the workflow calls: one table.

With the database away: about three quick tries, then up to a minute between tries. A try that has to wait
longer than `local_retry_threshold` waits on a timer of the server, so that it holds up no other work of the request.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityConfig, LocalActivityConfig

LOCAL = LocalActivityConfig(
    start_to_close_timeout=timedelta(seconds=30),
    local_retry_threshold=timedelta(milliseconds=100),
    retry_policy=RetryPolicy(
        timedelta(milliseconds=100), backoff_coefficient=6.0, maximum_interval=timedelta(seconds=60)
    ),
)
OUTSIDE = ActivityConfig(
    start_to_close_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(timedelta(seconds=1), backoff_coefficient=3.0, maximum_interval=timedelta(minutes=10)),
)
