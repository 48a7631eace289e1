from __future__ import annotations

import logging
import os
import signal
import socket
import time
from types import FrameType

from django.core.checks import Tags
from django.core.management.base import BaseCommand
from django.db import Error, connection
from django.utils import timezone
from redis.exceptions import RedisError

from centerhook import __version__, installation
from macros import jobs, queue

logger = logging.getLogger(__name__)

INTERVAL = 1.0


class Command(BaseCommand):
    help = "Wake what is due: retries, lost wake-ups, deliveries of dead workers."
    # Others look at pages, and load them.
    requires_system_checks = [Tags.security, Tags.models, "retention"]
    _stopped = False

    def handle(self, *args: object, **options: object) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        name = f"{socket.gethostname()}-{os.getpid()}"
        is_noted = False
        while not self._stopped:
            try:
                if not is_noted:
                    installation.note_first_use()
                    is_noted = True
                jobs.wake()
                queue.note_process("clock", name, __version__, timezone.now())
            except (Error, RedisError) as error:
                logger.warning("The clock could not look for what is due: %s", error)
                connection.close()
            time.sleep(INTERVAL)

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        # A plain flag, since setting an Event in a signal handler can deadlock.
        self._stopped = True
