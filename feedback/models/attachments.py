"""Files on tickets. The rows are in the database, the bytes in Django's storage."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models, transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from ..access.actors import ScopedQuerySet, Tenancy
from ..access.privacy import Privacy
from .tickets import Feedback


def storage() -> Storage:
    """Outside of every folder that a web server gives out."""
    return storages["attachments"]


def stored_name(instance: Attachment, filename: str) -> str:
    """Nothing of the name, which people choose; a folder for each day."""
    return f"{timezone.now():%Y/%m/%d}/{uuid.uuid4().hex}"


class Attachment(models.Model):
    """A file on a ticket; its bytes never change."""

    feedback = models.ForeignKey(Feedback, models.CASCADE, related_name="attachments")
    file = models.FileField(storage=storage, upload_to=stored_name, max_length=200)
    name = models.CharField(max_length=200)
    # What its content says, whatever the sender did.
    content_type = models.CharField("kind", max_length=100)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField("SHA-256", max_length=64)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True
    )
    # The user's name, the API key's or the source's.
    added_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField("added", auto_now_add=True)

    # What is read of rows that are deleted by the thousand: where their files are.
    READ_TO_DELETE = ("file",)

    tenancy = Tenancy(
        "feedback__feedback_type__project__community",
        "feedback__feedback_type__project",
    )
    privacy = Privacy(hidden=("name",), texts=("name",), about=("feedback__submitter",))
    objects = ScopedQuerySet["Attachment"].as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    def audit_name(self) -> str:
        return f"Attachment {self.pk}"


@receiver(post_delete, sender=Attachment, dispatch_uid="attachment file")
def _delete_file(instance: Attachment, **signal: Any) -> None:
    """However the row goes: alone, with its ticket, or in a step of a deletion.

    A file that the store keeps nevertheless is an orphan, and is pruned.
    """
    name = instance.file.name
    if name:
        remove = partial(instance.file.storage.delete, name)
        transaction.on_commit(remove, robust=True)
