"""Waking the workers: the only module that knows django_rq.

What is due stands in the database; a job only says that a run is worth a look.
"""

from __future__ import annotations

import logging
import math
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache

import django_rq
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker

from feedback import formats

from . import redis_server, signs_of_life
from .signs_of_life import Process

logger = logging.getLogger(__name__)

QUEUE = "deliveries"
# A worker without a sign of life for this long, in seconds, is taken for dead.
WORKER_TTL = 30
# How long a job for a listener's calls is trusted to be waiting, should it be lost.
MARKED_SECONDS = 5
# What a web process waits for Redis, and how long it then leaves it alone.
_HASTE = 0.5
_LEFT_ALONE_SECONDS = 2.0
_left_alone_until = 0.0


def notify(run_id: int, due: int = 1) -> None:
    """Wake the workers for a run: one for each batch of its `due` deliveries.

    That Redis is away is not an error: the clock notifies again.
    """
    try:
        queue = delivery_queue()
        batches = math.ceil(due / settings.BATCH_SIZE)
        for _ in range(max(1, min(batches, Worker.count(queue=queue)))):
            _enqueue(queue, "macros.jobs.deliver", "run", run_id)
    except RedisError as error:
        logger.warning(
            "Redis is away (%s); the clock will notify of run %s",
            error,
            run_id,
            extra={"run": run_id},
        )


def notify_calls(listener_id: int) -> None:
    """Wake a worker for a listener's calls, unless a job for them waits already.

    One that calls for it has no time to wait for Redis: where that is away it is left
    alone for a moment, and the clock notifies.
    """
    global _left_alone_until
    if time.monotonic() < _left_alone_until:
        return
    try:
        connection = _hasty()
        is_first = connection.set(_mark(listener_id), 1, nx=True, ex=MARKED_SECONDS)
        if not is_first:
            return
        _enqueue(delivery_queue(connection), "macros.jobs.hear", "calls", listener_id)
    except RedisError as error:
        _left_alone_until = time.monotonic() + _LEFT_ALONE_SECONDS
        logger.warning(
            "Redis is away (%s); the clock will notify of listener %s",
            error,
            listener_id,
        )


def notify_import(import_id: int) -> None:
    """Wake a worker for an import; the clock notifies again where Redis is away."""
    _notify("macros.jobs.go_on_importing", "import", import_id)


def notify_snapshot(snapshot_id: int) -> None:
    """The same for a data package that is to be made."""
    _notify("macros.jobs.make_snapshot", "snapshot", snapshot_id)


def _notify(job: str, noun: str, pk: int) -> None:
    try:
        _enqueue(delivery_queue(), job, noun, pk)
    except RedisError as error:
        logger.warning("Redis is away (%s); %s %s waits", error, noun, pk)


def _enqueue(queue: Queue, job: str, noun: str, pk: int) -> None:
    queue.enqueue(
        job,
        pk,
        job_id=f"{noun}-{pk}-{uuid.uuid4().hex}",
        meta={"format": formats.JOB},
        result_ttl=0,
        failure_ttl=3600,
    )


def count_call(name: str, kept_seconds: int) -> int | None:
    """How many calls of this name there were; None where Redis does not say."""
    global _left_alone_until
    if time.monotonic() < _left_alone_until:
        return None
    try:
        count = int(_hasty().incr(name))
        if count == 1:
            _hasty().expire(name, kept_seconds)
        return count
    except RedisError as error:
        _left_alone_until = time.monotonic() + _LEFT_ALONE_SECONDS
        logger.warning("Redis is away (%s); calls of the API are not counted", error)
        return None


def take_up_calls(listener_id: int) -> None:
    """The waiting job begins: whatever is stored from now on needs another one."""
    with suppress(RedisError):
        redis().delete(_mark(listener_id))


def _mark(listener_id: int) -> str:
    return f"centerhook:calls-wait:{listener_id}"


@cache
def _hasty() -> Redis:
    """A client that does not try again, for web processes."""
    return redis_server.connect(
        settings.REDIS_URL,
        socket_timeout=_HASTE,
        socket_connect_timeout=_HASTE,
        retry=Retry(NoBackoff(), 0),
    )


def notified_runs() -> set[int]:
    """The runs that a waiting job asks to work on. Raises RedisError."""
    job_ids = delivery_queue().get_job_ids()
    return {
        int(job_id.split("-")[1]) for job_id in job_ids if job_id.startswith("run-")
    }


@cache
def redis() -> Redis:
    """The process's one client: it keeps its connections, for any thread."""
    return redis_server.connect(settings.REDIS_URL)


def delivery_queue(connection: Redis | None = None) -> Queue:
    return django_rq.get_queue(QUEUE, connection=connection or redis())


@cache
def script(source: str) -> Script:
    """A Lua script to call; it is sent once and from then on called by its hash."""
    return redis().register_script(source)


def count_workers() -> int:
    """The workers that are alive. Raises RedisError."""
    return len(Worker.all(queue=delivery_queue()))


def waiting_jobs(now: datetime) -> tuple[int, float]:
    """How many jobs wait, and for how many seconds the oldest. Raises RedisError."""
    queue = delivery_queue()
    first = next(iter(queue.get_jobs(0, 1)), None)
    if first is None or first.enqueued_at is None:
        return queue.count, 0.0
    since = first.enqueued_at
    waited = now - since.replace(tzinfo=since.tzinfo or UTC)
    return queue.count, max(0.0, waited.total_seconds())


def note_process(kind: str, name: str, version: str, now: datetime) -> None:
    """A sign of life. Raises RedisError."""
    signs_of_life.note(redis(), kind, name, version, now)


def processes(now: datetime) -> list[Process]:
    """The youngest signs of life first. Raises RedisError."""
    return signs_of_life.processes(redis(), now)


def has_worker() -> bool:
    """Whether any worker is alive, as far as Redis knows."""
    try:
        return count_workers() > 0
    except RedisError:
        return False
