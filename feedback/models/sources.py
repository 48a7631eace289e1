from __future__ import annotations

import secrets

from django.core.exceptions import ValidationError
from django.db import models

from ..access.actors import ScopedQuerySet, Tenancy
from ..access.privacy import NOTHING_PERSONAL
from .folded import unique_name
from .saved_in_part import SavedInPart
from .testers import Tester
from .tickets import Feedback
from .types import FeedbackType, Status


def new_source_key() -> str:
    """What makes an address that nobody guesses: 144 random bits."""
    return secrets.token_urlsafe(18)


class ExternalSource(SavedInPart):
    """An address to which other programs send tickets of a feedback type."""

    feedback_type = models.ForeignKey(
        FeedbackType, models.CASCADE, related_name="sources"
    )
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    is_active = models.BooleanField("on", default=True)
    key = models.CharField(
        max_length=64, unique=True, default=new_source_key, editable=False
    )
    default_status = models.ForeignKey(
        Status,
        models.RESTRICT,
        related_name="sources",
        null=True,
        blank=True,
        help_text="Leave it empty if every call is to name the status.",
    )
    default_submitter = models.ForeignKey(
        Tester,
        models.SET_NULL,
        related_name="sources",
        null=True,
        blank=True,
        help_text="Leave it empty if every call is to name the submitter, by e-mail"
        " address.",
    )
    makes_testers = models.BooleanField(
        "add unknown submitters",
        default=False,
        help_text="If this is off, a submitter whom the community does not know is"
        " refused.",
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    modified_at = models.DateTimeField("modified", auto_now=True)

    # Only a new URL moves it.
    NEVER_SAVED = ("key",)

    tenancy = Tenancy("feedback_type__project__community", "feedback_type__project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["ExternalSource"].as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            unique_name(
                "feedback_type",
                name="source_name_in_type",
                message="The type has an external source of this name.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.feedback_type_id is None:
            return
        errors = {}
        status, submitter = self.default_status, self.default_submitter
        if status and status.feedback_type_id != self.feedback_type_id:
            errors["default_status"] = "The status is of another type."
        community = self.feedback_type.project.community_id
        if submitter and submitter.community_id != community:
            errors["default_submitter"] = "The tester is of another community."
        if errors:
            raise ValidationError(errors)


class SourceTicket(models.Model):
    """A ticket that came through a source, by the idempotency key of its call."""

    source = models.ForeignKey(ExternalSource, models.CASCADE, related_name="tickets")
    feedback = models.ForeignKey(
        Feedback, models.SET_NULL, related_name="source_tickets", null=True
    )
    # Empty where the call had none.
    idempotency_key = models.CharField(max_length=32, blank=True, editable=False)
    # A hash of what the call said.
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField("time", auto_now_add=True)

    tenancy = Tenancy(
        "source__feedback_type__project__community", "source__feedback_type__project"
    )
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["SourceTicket"].as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="source_ticket_once",
            )
        ]
        indexes = [
            # The latest of a source.
            models.Index(fields=["source", "id"], name="source_ticket_latest"),
        ]

    def __str__(self) -> str:
        return f"Ticket {self.pk} from {self.source}"
