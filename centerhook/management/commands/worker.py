from __future__ import annotations

import time

from django.core.checks import Tags
from django.core.management.base import BaseCommand

from centerhook import __version__
from macros import deliveries
from macros.worker import run_worker

# Before a worker that lost Redis tries again, in seconds.
PAUSE = 1.0


class Command(BaseCommand):
    help = "Deliver what is due. Start as many as you like, on any machine."
    # Others look at pages, and load them.
    requires_system_checks = [Tags.security, Tags.models]

    def handle(self, *args: object, **options: object) -> None:
        engine = deliveries.start()
        while not engine.is_stopping:
            run_worker(engine.stop, __version__)
            time.sleep(0 if engine.is_stopping else PAUSE)
        engine.join()
