"""The one place that makes a Temporal client, its data converter, and the sandbox of workflows.

Temporal is reached by the ecosystem's own settings, the TEMPORAL_* variables and the profile file (address, namespace,
TLS, API key). Nothing else of Fixline builds a client.
"""

from __future__ import annotations

import atexit
import dataclasses
import shutil
import sys
import tempfile
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError
from temporalio import converter
from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import Client
from temporalio.converter import DataConverter, DefaultPayloadConverter, JSONPlainPayloadConverter
from temporalio.envconfig import ClientConfig
from temporalio.service import GrpcCompression
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info

from fixline import messages

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
CONNECT_TIMEOUT = timedelta(seconds=5)

_ADAPTERS: dict[Any, TypeAdapter[Any]] = {
    each: TypeAdapter(each)
    for each in vars(messages).values()
    if isinstance(each, type) and dataclasses.is_dataclass(each)
}


class _MessageConverter(JSONPlainPayloadConverter):
    """The SDK's plain JSON, so that histories of any release and other tools stay readable, with a shorter way for
    Fixline's messages: each class's reader and writer is built once, where the SDK goes through the type hints of a
    message each time it meets one (measured: a fortieth of the processor time)."""

    def to_payload(self, value: Any) -> Payload | None:
        adapter = _ADAPTERS.get(type(value))
        if adapter is None:
            return super().to_payload(value)
        return Payload(metadata={"encoding": self.encoding.encode()}, data=adapter.dump_json(value))

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        adapter = _ADAPTERS.get(type_hint)
        if adapter is None:
            return super().from_payload(payload, type_hint)
        try:
            return adapter.validate_json(payload.data)
        except ValidationError as error:
            raise RuntimeError("the message cannot be read") from error  # the SDK says which payload it was


class MessagesPayloadConverter(converter.CompositePayloadConverter):
    """The SDK's converters in the SDK's order, the plain JSON one exchanged."""

    def __init__(self) -> None:
        usual = DefaultPayloadConverter.default_encoding_payload_converters
        super().__init__(*(_MessageConverter() if type(each) is JSONPlainPayloadConverter else each for each in usual))


DATA_CONVERTER = DataConverter(payload_converter_class=MessagesPayloadConverter)


async def connect(*, lazy: bool = False, address: str | None = None) -> Client:
    """A client for the configured server; `address` (host:port) overrides the configured one.

    With `lazy` the server may be away: the first call connects. Raises RuntimeError when it cannot be reached.
    """
    config: dict[str, Any] = dict(ClientConfig.load_client_connect_config())
    if address is not None:
        config["target_host"] = address
    config.setdefault("target_host", "localhost:7233")
    if config["target_host"].rpartition(":")[0] in LOOPBACK:
        config["grpc_compression"] = GrpcCompression.NONE  # packing costs more than it saves within one machine
    return await Client.connect(**config, lazy=lazy, connect_timeout=CONNECT_TIMEOUT, data_converter=DATA_CONVERTER)


class _Instance(WorkflowInstance):
    """A sandboxed instance that is not entered just to ask how to convert a payload, or where to store it.

    The SDK asks the instance, inside the sandbox, for both contexts with every payload. Fixline's data converter uses
    neither, and the answer "none" costs a tenth of a worker's time less when given outside.
    """

    def __init__(self, inside: WorkflowInstance) -> None:
        self._inside = inside

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        return self._inside.activate(act)

    def get_serialization_context(self, command_info: object) -> None:  # noqa: ARG002 - the SDK's signature
        return None

    def get_external_store_context(self, command_info: object) -> converter.StorageDriverStoreContext:  # noqa: ARG002
        return converter.StorageDriverStoreContext(target=None)

    def get_info(self) -> Info:
        return self._inside.get_info()

    def get_thread_id(self) -> int | None:
        return self._inside.get_thread_id()


class _Runner(SandboxedWorkflowRunner):
    """The SDK's sandbox; see `_Instance` for the one thing that is different."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Instance(super().create_instance(det))


def sandboxed_runner() -> SandboxedWorkflowRunner:
    """The workflow sandbox, on; only the messages and the workflow's policies pass through it.

    Passing them saves 1.4 MB and 30 ms for each workflow; they are modules of constants and plain dataclasses.
    """
    passed = SandboxRestrictions.default.with_passthrough_modules(
        "fixline.messages", "workflows.policies", "fixline.search_attributes"
    )
    return _Runner(restrictions=passed)


def keep_bytecode() -> None:
    """See to it that this process keeps compiled modules: the sandbox loads the workflow anew for each run.

    Where Python was told to write no bytecode, it goes to a private folder that ends with the process.
    """
    if sys.dont_write_bytecode:
        folder = tempfile.mkdtemp(prefix="fixline-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        sys.dont_write_bytecode, sys.pycache_prefix = False, folder
