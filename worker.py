"""The composition root of the Temporal worker: builds the parts, polls, relays, leaves cleanly."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from temporalio.client import Client
from temporalio.worker import Worker

from activities.crews import Crews
from activities.outside import Outside
from activities.people import People
from activities.requests import Requests, Send, leave_to_relay
from fixline import __version__
from fixline.catalog import Organisation
from fixline.outbound import KINDS, Channel, LogChannel, Outgoing, WebhookChannel
from fixline.service.commands import Commands
from fixline.service.effects import Effects
from fixline.service.scheduling import Scheduling
from fixline.settings import Settings, read_secret
from fixline.store.checkpoints import keep_checkpointing
from fixline.store.store import Store
from fixline.store.versions import Versions
from fixline.temporal.attributes import OnlyConfirmed, SearchAttributes
from fixline.temporal.client import keep_bytecode, sandboxed_runner
from fixline.temporal.health import while_database_answers
from fixline.temporal.relay import Relay
from fixline.temporal.signals import Signals
from workflows.service_request import ServiceRequest

STICKY_TIMEOUT = timedelta(seconds=2)
"""How long a signal waits for a worker that is gone before another one is asked."""
LEAVE_WITHIN = timedelta(seconds=5)


def build_activities(
    store: Store,
    organisation: Organisation,
    channel: Channel | None = None,
    send: Send = leave_to_relay,
    outgoing: Outgoing | None = None,
    scheduling: Scheduling | None = None,
) -> list[Callable[..., Any]]:
    """Every activity, with its dependencies. Without `send` the relay signals what requests tell each other;
    without `outgoing` the environment's secrets hold, and no private host may be called."""
    effects = Effects(store, Commands(store, Versions(), scheduling))
    channel, out = channel or LogChannel(), outgoing or Outgoing(read_secret)
    told = {key: WebhookChannel(out, to.url, to.secret_from) for key, to in organisation.notices.items()}
    crews = Crews(effects, organisation)
    people = People(effects, organisation, told.pop("", channel), told)
    outside = Outside(effects, organisation, channel, out)
    requests = Requests(effects, ZoneInfo(organisation.city.timezone), send)
    return [
        *(crews.dispatch, crews.order_inspection, people.notify, people.escalate, outside.ask_agency, outside.call),
        *(requests.decide_due, requests.tell_request, requests.open_follow_on),
    ]


def build_worker(
    client: Client,
    activities: list[Callable[..., Any]],
    *,
    task_queue: str,
    slots: int,
    attributes: SearchAttributes | None = None,
    **options: Any,
) -> Worker:
    """A worker whose workflow-task slots never exceed its local-activity slots, nor those its connections."""
    keep_bytecode()
    gc.freeze()  # what is loaded by now stays: the collector need not go through it again and again
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[ServiceRequest],
        activities=activities,
        activity_executor=ThreadPoolExecutor(slots, "activity"),
        workflow_runner=sandboxed_runner(),
        interceptors=[OnlyConfirmed(attributes)],
        max_concurrent_workflow_tasks=slots,
        max_concurrent_local_activities=slots,
        max_concurrent_activities=slots,
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        graceful_shutdown_timeout=LEAVE_WITHIN,
        build_id=__version__,  # else the SDK hashes every loaded module: seconds at each start
        **options,
    )


async def run_worker(client: Client, store: Store, organisation: Organisation, settings: Settings) -> None:
    """Work until cancelled: poll while the database answers, and relay what no workflow was told."""
    queue, attributes, url = settings.task_queue, SearchAttributes(client), settings.notices_url
    scheduling = Scheduling(settings.due_per_second, KINDS if url or organisation.notices else ())
    signals = Signals(client, store, task_queue=queue, attributes=attributes)
    out = Outgoing(read_secret, private_hosts=settings.private_hosts)
    channel = WebhookChannel(out, url, settings.notices_secret_from) if url else LogChannel()
    activities = build_activities(store, organisation, channel, signals.send, out, scheduling)
    relay = Relay(store, signals, Commands(store, Versions(), scheduling))
    slots = settings.worker_slots
    new_worker = partial(build_worker, client, activities, task_queue=queue, slots=slots, attributes=attributes)
    async with asyncio.TaskGroup() as group:
        group.create_task(attributes.keep())
        group.create_task(relay.run())
        group.create_task(keep_checkpointing(store))
        group.create_task(while_database_answers(store, new_worker))
