from django.db import models

from feedback.access import ScopedQuerySet
from feedback.models import Community


class Destination(models.Model):
    """An origin that a community sends to, made when it is first reached."""

    community = models.ForeignKey(
        Community, models.CASCADE, related_name="destinations"
    )
    origin = models.CharField(
        max_length=300, help_text="Scheme, host and port: https://example.com:443"
    )
    created_at = models.DateTimeField("first used", auto_now_add=True)
    last_success_at = models.DateTimeField("last success", null=True, blank=True)
    last_failure_at = models.DateTimeField("last failure", null=True, blank=True)
    consecutive_failures = models.PositiveIntegerField("failures in a row", default=0)

    objects = ScopedQuerySet["Destination"].as_manager()

    class Meta:
        ordering = ["origin"]
        constraints = [
            models.UniqueConstraint(
                fields=["community", "origin"], name="destination_in_community"
            )
        ]

    def __str__(self) -> str:
        return self.origin
