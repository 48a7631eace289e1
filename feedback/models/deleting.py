from __future__ import annotations

from typing import Any, ClassVar

from django.db import models


class DeletedInSteps(models.Model):
    """A row to which millions of others may belong.

    It is deleted in steps where they are many: see `feedback.changes.deletion`.
    """

    name: models.CharField[str, str]
    deleting_since = models.DateTimeField(null=True, editable=False)

    # Columns that others may have moved since this copy of the row was read.
    NEVER_SAVED: ClassVar[tuple[str, ...]] = ("deleting_since",)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save all but those, so that no form that was open takes them back."""
        if not self._state.adding and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = [
                field.attname
                for field in self._meta.concrete_fields
                if not field.primary_key and field.attname not in self.NEVER_SAVED
            ]
        super().save(*args, **kwargs)
