from __future__ import annotations

from typing import Any, ClassVar

from django.db import models


class SavedInPart(models.Model):
    """A row of which others move columns while a copy of it is open in a form.

    Workers count uses or open breakers, and a click gives another token: they name the
    columns that they write. A save of the whole row leaves those as they are by then.
    """

    NEVER_SAVED: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = [
                field.attname
                for field in self._meta.concrete_fields
                if not field.primary_key and field.attname not in self.NEVER_SAVED
            ]
        super().save(*args, **kwargs)
