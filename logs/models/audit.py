from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import NOTHING_PERSONAL
from feedback.models import Community, Project

from .runs import Run
from .writing_rows import write_rows


class Action(models.TextChoices):
    CREATED = "created", "Created"
    CHANGED = "changed", "Changed"
    DELETED = "deleted", "Deleted"
    SWITCHED_ON = "on", "Switched on"
    SWITCHED_OFF = "off", "Switched off"
    RAN = "ran", "Ran"
    CONFIRMED = "confirmed", "Confirmed"
    PAUSED = "paused", "Paused"
    RESUMED = "resumed", "Resumed"
    CANCELLED = "cancelled", "Cancelled"
    RESENT = "resent", "Resent"
    EXPORTED = "exported", "Exported"
    IMPORTED = "imported", "Imported"
    CLONED = "cloned", "Cloned"
    RESTORED = "restored", "Restored"
    REVEALED = "revealed", "Revealed"
    ERASED = "erased", "Erased"
    ROLE_GIVEN = "given", "Role given"
    ROLE_TAKEN = "taken", "Role taken"
    SIGNED_IN = "signed_in", "Signed in"
    SIGN_IN_REFUSED = "refused", "Sign-in refused"
    SIGNED_OUT = "signed_out", "Signed out"


class WrittenOnce(TypeError):
    """Somebody tried to change or delete an entry of the audit log."""

    def __init__(self) -> None:
        super().__init__("An entry of the audit log is never changed or deleted.")


class AuditQuerySet(ScopedQuerySet["AuditEntry"]):
    def write(self, entries: Iterable[AuditEntry]) -> None:
        """Insert many new entries; they get no `pk`."""
        write_rows(self.db, list(entries))

    def update(self, **values: object) -> NoReturn:
        raise WrittenOnce

    def delete(self) -> NoReturn:
        raise WrittenOnce


class AuditEntry(models.Model):
    """Who did what, when and from where. Written once, by `logs.audit`.

    All that it points at may be deleted: the ids stay as they are, which is why no
    constraint holds them, and the names are kept beside them.
    """

    moment = models.DateTimeField("when", default=timezone.now, db_index=True)
    action = models.CharField(max_length=10, choices=Action)
    community = models.ForeignKey(
        Community,
        models.DO_NOTHING,
        related_name="+",
        null=True,
        db_constraint=False,
        db_index=False,
    )
    community_name = models.CharField("community", max_length=100, blank=True)
    project = models.ForeignKey(
        Project,
        models.DO_NOTHING,
        related_name="+",
        null=True,
        db_constraint=False,
        db_index=False,
    )
    project_name = models.CharField("project", max_length=100, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        related_name="+",
        null=True,
        db_constraint=False,
        db_index=False,
    )
    actor_name = models.CharField("who", max_length=150, blank=True)
    api_key = models.CharField(
        "API key", max_length=40, blank=True, help_text="What its token begins with."
    )
    address = models.CharField(max_length=45, blank=True)
    object_type = models.CharField(max_length=100, blank=True)
    object_id = models.BigIntegerField(null=True)
    object_name = models.CharField("object", max_length=200, blank=True)
    changes = models.JSONField(
        default=dict, help_text="By field: the value before and the value after."
    )
    detail = models.CharField(max_length=500, blank=True)
    run = models.ForeignKey(
        Run,
        models.DO_NOTHING,
        related_name="+",
        null=True,
        db_constraint=False,
        db_index=False,
    )

    # Without a project: a role in one of them does not show it.
    tenancy = Tenancy("community")
    # It repeats nothing that other models hide, and can't be changed.
    privacy = NOTHING_PERSONAL
    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["community", "-id"], name="audit_of_community"),
            models.Index(
                fields=["object_type", "object_id", "-id"], name="audit_of_object"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.object_name}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise WrittenOnce
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        raise WrittenOnce
