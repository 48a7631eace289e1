"""A job as workers take it from the queue."""

from __future__ import annotations

import logging
from typing import Any

from rq.job import Job

from feedback import formats

logger = logging.getLogger(__name__)


class QueuedJob(Job):
    """A job that says of which format it is."""

    def perform(self) -> Any:
        """One of a newer version is dropped: what it is about is due all the same.

        The clock notifies again, until a worker of that version takes it.
        """
        try:
            noun = f"The job {self.id}"
            formats.check(self.meta.get("format"), formats.JOB, noun)
        except formats.UNREADABLE as error:
            logger.warning("%s It was left to another worker.", error)
            return None
        return super().perform()
