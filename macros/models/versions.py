from __future__ import annotations

from django.conf import settings
from django.db import models

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import Privacy

from .macros import Macro


class MacroVersion(models.Model):
    """A macro as it was saved at one time. Written once, by `macros.config`."""

    macro = models.ForeignKey(Macro, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True
    )
    actor_name = models.CharField("saved by", max_length=150, blank=True)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField("saved", auto_now_add=True)

    tenancy = Tenancy("macro__community", "macro__project")
    # A macro can be edited by hand; what it was before can't.
    privacy = Privacy(texts=("document",))
    objects = ScopedQuerySet["MacroVersion"].as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["macro", "number"], name="version_number_in_macro"
            )
        ]

    def __str__(self) -> str:
        return f"Version {self.number} of {self.macro}"
