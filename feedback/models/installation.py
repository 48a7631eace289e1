"""The one row about the whole installation."""

from __future__ import annotations

import uuid

from django.db import models

from ..access.privacy import NOTHING_PERSONAL


class Mode(models.TextChoices):
    NORMAL = "normal", "Normal"
    # Nothing is sent and nothing starts until a person lets go.
    PAUSED = "paused", "Paused"
    # In addition, nothing can be changed.
    READ_ONLY = "read_only", "Read-only"


def new_key() -> str:
    return uuid.uuid4().hex


class InstallationManager(models.Manager["Installation"]):
    def the_one(self) -> Installation:
        """Made where it is missing: in a new database."""
        return self.get_or_create(pk=1)[0]


class Installation(models.Model):
    """Its mode, and what this database was last used with.

    The fingerprints tell whether the keys of now are those that its secrets, sessions
    and links were made with; nobody can get a key from them.
    """

    key = models.CharField(max_length=32, default=new_key, editable=False)
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.NORMAL)
    mode_since = models.DateTimeField(null=True)
    mode_by = models.CharField(max_length=150, blank=True)
    address = models.CharField(max_length=500, blank=True)
    secret_key = models.CharField("SECRET_KEY", max_length=32, blank=True)
    secrets_key = models.CharField("SECRETS_KEYS", max_length=32, blank=True)

    privacy = NOTHING_PERSONAL
    objects = InstallationManager()

    def __str__(self) -> str:
        return "this installation"
