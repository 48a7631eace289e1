"""The process that takes up jobs, one after the other."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType

from django.conf import settings
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.worker import WorkerStatus

from . import queue, redis_server
from .queued_job import QueuedJob

logger = logging.getLogger(__name__)


class DeliveryWorker(SimpleWorker):
    """Delivers in its own process, which keeps its connections between jobs."""

    job_class = QueuedJob
    log_job_description = False
    # The longest pause between two attempts to reach Redis, in seconds.
    max_connection_wait_time = 5.0
    on_stop: Callable[[], None] | None = None
    is_stopping = False
    app_version = ""

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        if self.on_stop:
            self.on_stop()
        self.is_stopping = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def request_force_stop(self, signum: int, frame: FrameType | None) -> None:
        """Ignore a second signal: jobs are short, and requests have a deadline."""

    def heartbeat(
        self, timeout: int | None = None, pipeline: Pipeline | None = None
    ) -> None:
        if self.is_stopping and self.get_state() != WorkerStatus.BUSY:
            # What RQ raises in the signal handler is lost if it interrupts code that
            # catches every exception, such as a logging handler.
            raise StopRequested
        known = self.connection.sismember(self.redis_workers_keys, self.key)
        if not known and pipeline is None:
            # Redis was emptied, and has forgotten this worker.
            self.connection.delete(self.key)
            self.register_birth()  # type: ignore[no-untyped-call]
        super().heartbeat(timeout, pipeline)
        if pipeline is None:
            queue.note_process("worker", self.name, self.app_version, datetime.now(UTC))


def run_worker(on_stop: Callable[[], None], version: str = "") -> None:
    """Work until a signal to stop, or until Redis is lost.

    `on_stop` is called on the signal, before the current job ends; also if the signal
    comes after this has returned.
    """
    try:
        # Not the process's: RQ gives this one the patience of those that wait.
        line = queue.delivery_queue(redis_server.connect(settings.REDIS_URL))
        worker = DeliveryWorker(
            [line], connection=line.connection, worker_ttl=queue.WORKER_TTL
        )
        worker.on_stop = on_stop
        worker.app_version = version
        worker.work(logging_level="WARNING")
    except (RedisError, StopRequested) as error:
        # It could not register or sign off, or was stopped while it tried.
        logger.warning("The worker lost Redis: %s", error)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda signum, frame: on_stop())
