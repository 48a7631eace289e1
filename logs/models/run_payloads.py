from __future__ import annotations

from django.db import models

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import Privacy

from .runs import Run


class RunPayload(models.Model):
    """What the event said that a listener's run was started by.

    Kept only where the run's templates read it, so that a retry or a resend says the
    same as the first try, whatever is left of the call by then.
    """

    run = models.OneToOneField(Run, models.CASCADE, related_name="payload")
    # JSON in ASCII: no column of JSON takes whatever strangers write.
    text = models.TextField()

    tenancy = Tenancy("run__community", "run__project")
    privacy = Privacy(hidden=("text",), texts=("text",), is_scrubbed_whole=True)
    objects = ScopedQuerySet["RunPayload"].as_manager()

    class Meta:
        verbose_name = "payload of a run"
        verbose_name_plural = "payloads of runs"

    def __str__(self) -> str:
        return f"Payload {self.pk}"
