"""How each person likes to see pages."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from ..access.privacy import NOTHING_PERSONAL


class Preference(models.Model):
    """One setting of one person, such as the columns of a list; never of a tenant.

    What was stored may be of an older page: whoever reads it checks it.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="preferences"
    )
    name = models.CharField(max_length=100)
    value = models.JSONField()

    privacy = NOTHING_PERSONAL

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="preference_of_user")
        ]

    def __str__(self) -> str:
        return self.name
