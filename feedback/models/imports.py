"""Imports of tickets: a file is read into parts, which are worked on one by one."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from ..access.actors import ScopedQuerySet, Tenancy
from ..access.privacy import Privacy
from .types import FeedbackType


class ImportState(models.TextChoices):
    READING = "reading", "Being read"
    CHECKING = "checking", "Being checked"
    CHECKED = "checked", "Checked, not imported yet"
    IMPORTING = "importing", "Being imported"
    DONE = "done", "Imported"
    ABORTED = "aborted", "Stopped"


AT_WORK = (ImportState.READING, ImportState.CHECKING, ImportState.IMPORTING)


class TicketImport(models.Model):
    """A file of tickets, and how far it is. Its rows are in its parts."""

    feedback_type = models.ForeignKey(
        FeedbackType, models.CASCADE, related_name="imports"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    by = models.CharField(max_length=200)
    file_name = models.CharField(max_length=200)
    state = models.CharField(
        max_length=10, choices=ImportState, default=ImportState.READING
    )
    # What the header and the rows of its parts are like. What a version that does not
    # know the column writes is of the first format; so for every such column.
    format = models.SmallIntegerField(db_default=1, editable=False)
    # The file itself, until it is read.
    upload = models.BinaryField(null=True, editable=False)
    # What was guessed about the file.
    note = models.TextField(blank=True)
    header = models.JSONField(default=list)
    # How many there are, or are read so far.
    rows = models.PositiveIntegerField(default=0)
    # Rows that were checked, or since the import began: imported or refused.
    position = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    makes_testers = models.BooleanField(default=False)
    # How many of them there would be, or since the import began: are.
    testers = models.PositiveIntegerField(default=0)
    # On how many rows triggers would start, by their keys.
    forecast = models.JSONField(default=dict)
    created_at = models.DateTimeField("uploaded", auto_now_add=True)
    # When a part of it was worked on.
    worked_at = models.DateTimeField(null=True)

    tenancy = Tenancy("feedback_type__project__community", "feedback_type__project")
    privacy = Privacy(hidden=("file_name", "upload"), texts=("file_name",))
    objects = ScopedQuerySet["TicketImport"].as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = "import"

    def __str__(self) -> str:
        return f"Import {self.pk}"


class ImportPart(models.Model):
    """Some hundred rows of a file; they are worked on in one transaction."""

    ticket_import = models.ForeignKey(
        TicketImport, models.CASCADE, related_name="parts"
    )
    # How many rows of the file stand before it.
    start = models.PositiveIntegerField()
    # Pairs of the number of a row in the file, and its cells.
    rows = models.JSONField(default=list)
    # Triples of the number of a row, the name of a column, and a sentence.
    faults = models.JSONField(default=list)
    is_done = models.BooleanField(default=False)

    tenancy = Tenancy(
        "ticket_import__feedback_type__project__community",
        "ticket_import__feedback_type__project",
    )
    privacy = Privacy(
        hidden=("rows", "faults"), texts=("rows", "faults"), is_scrubbed_whole=True
    )
    objects = ScopedQuerySet["ImportPart"].as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = "part of an import"
        verbose_name_plural = "parts of imports"

    def __str__(self) -> str:
        return f"Rows from {self.start + 1}"
