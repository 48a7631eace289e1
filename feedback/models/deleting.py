from __future__ import annotations

from typing import ClassVar

from django.db import models

from .saved_in_part import SavedInPart


class DeletedInSteps(SavedInPart):
    """A row to which millions of others may belong.

    It is deleted in steps where they are many: see `feedback.changes.deletion`.
    """

    name: models.CharField[str, str]
    deleting_since = models.DateTimeField(null=True, editable=False)

    NEVER_SAVED: ClassVar[tuple[str, ...]] = ("deleting_since",)

    class Meta:
        abstract = True
