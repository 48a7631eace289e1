from __future__ import annotations

from django.db import models


class DeletedInSteps(models.Model):
    """A row to which millions of others may belong.

    It is deleted in steps where they are many: see `feedback.changes.deletion`.
    """

    name: models.CharField[str, str]
    deleting_since = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True
