from __future__ import annotations

import logging
import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error, connection
from redis.exceptions import RedisError

from macros import jobs

logger = logging.getLogger(__name__)

INTERVAL = 1.0


class Command(BaseCommand):
    help = "Wake what is due: retries, lost bells, deliveries of dead workers."

    def handle(self, *args: Any, **options: Any) -> None:
        stopped = threading.Event()

        def stop(signum: int, frame: FrameType | None) -> None:
            stopped.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        while not stopped.wait(INTERVAL):
            try:
                jobs.wake()
            except (Error, RedisError) as error:
                logger.warning("The clock could not look: %s", error)
                connection.close()
