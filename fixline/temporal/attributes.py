"""The search attributes of requests' workflows, made known to Temporal before any workflow has one.

Owns the guard: an attribute that the server does not know, or knows as another type, would fail the workflow's task
for ever. So workflows get attributes only while the server has confirmed all of them; without them everything else
works, and only Temporal's own lists cannot be narrowed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from fixline.messages import PendingWork
from fixline.search_attributes import DUE, KEYWORDS

log = logging.getLogger(__name__)

WANTED: dict[str, IndexedValueType.ValueType] = {
    **{key.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD for key in KEYWORDS.values()},
    DUE.name: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}
LOOK_AGAIN = timedelta(seconds=60)
"""How long an answer of the server holds: it may have been replaced by a new one that knows nothing."""
TIMEOUT = timedelta(seconds=2)
BY_HAND = "create them with `temporal operator search-attribute create`: see docs/operations.md"


class SearchAttributes:
    """What one Temporal namespace knows of them. `confirmed` is what was found at the last look."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._looked_at: float | None = None
        self._said = ""
        self.confirmed = False

    async def ready(self) -> bool:
        """Whether workflows may have them now; looks again when the last look was a while ago."""
        if self._looked_at is None or time.monotonic() - self._looked_at >= LOOK_AGAIN.total_seconds():
            await self.look()
        return self.confirmed

    async def keep(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_AGAIN.total_seconds())

    def doubt(self) -> None:
        """The server has refused one: look before the next."""
        self._looked_at, self.confirmed = None, False

    async def look(self) -> None:
        """Find out what the server knows, and tell it what it does not know yet. Raises nothing."""
        self._looked_at, found = time.monotonic(), ""
        try:
            known = await self._known()
            missing = {name: kind for name, kind in WANTED.items() if name not in known}
            if missing:
                request = AddSearchAttributesRequest(namespace=self._client.namespace, search_attributes=missing)
                await self._client.operator_service.add_search_attributes(request, timeout=TIMEOUT)
                known = await self._known()
            wrong = sorted(name for name, kind in WANTED.items() if known.get(name) != kind)
            if wrong:
                found = f"Temporal has search attributes of other types or lacks them: {', '.join(wrong)}; {BY_HAND}"
        except (RPCError, RuntimeError, TimeoutError) as error:
            found = f"Temporal does not take the search attributes ({error}): {BY_HAND}"
        self.confirmed = not found
        if found and found != self._said:  # the same is said once
            log.warning(found)
        self._said = found

    async def _known(self) -> dict[str, int]:
        request = ListSearchAttributesRequest(namespace=self._client.namespace)
        found = await self._client.operator_service.list_search_attributes(request, timeout=TIMEOUT)
        return dict(found.custom_attributes)


class OnlyConfirmed(Interceptor):
    """Takes the attributes out of what activities answer the workflow with, while the server has not confirmed them."""

    def __init__(self, attributes: SearchAttributes | None) -> None:
        self._attributes = attributes

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Put the guard around every activity."""
        return _Guarded(next, self._attributes)


class _Guarded(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, attributes: SearchAttributes | None) -> None:
        super().__init__(inner)
        self._attributes = attributes

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        found = await super().execute_activity(input)
        if isinstance(found, PendingWork) and not (self._attributes is not None and self._attributes.confirmed):
            return replace(found, attributes=None)
        return found
