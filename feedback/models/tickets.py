from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from ..access.actors import Tenancy
from ..access.privacy import Privacy
from ..units import Announced, AnnouncedQuerySet, AnnouncedRow, Reference, unit
from .folded import Folded
from .loading import QuickLoading
from .numbers import ExactDecoder, ExactEncoder
from .testers import Tester
from .types import FeedbackType, Status


class Visibility(models.TextChoices):
    PUBLIC = "public", "Public"
    PRIVATE = "private", "Private"


class FeedbackQuerySet(AnnouncedQuerySet["Feedback"]):
    def open(self) -> FeedbackQuerySet:
        # A join would take four times as long to count a million.
        return self.filter(status__in=Status.objects.filter(is_open=True))

    def submit_many(
        self, feedback_type: FeedbackType, tickets: Iterable[Feedback]
    ) -> list[Feedback]:
        """Number and insert new tickets of one type, all or none."""
        rows = list(tickets)
        with transaction.atomic():
            numbers = feedback_type.reserve_numbers(len(rows))
            first_status = feedback_type.first_status()
            for ticket, number in zip(rows, numbers, strict=True):
                ticket.feedback_type = feedback_type
                if ticket.status_id is None:
                    ticket.status = first_status
                ticket.number_as(number)
            return self.bulk_create(rows, batch_size=1000)


class Feedback(QuickLoading, AnnouncedRow):
    """A ticket: one report by a tester."""

    feedback_type = models.ForeignKey(
        FeedbackType, models.CASCADE, related_name="tickets", db_index=False
    )
    number = models.PositiveIntegerField(editable=False)
    # Kept as it was given out, since other systems quote it: a later change of the
    # type's prefix does not touch it.
    reference = models.CharField(max_length=24, editable=False)
    title = models.CharField(max_length=250)
    description = models.TextField(blank=True)
    status = models.ForeignKey(
        Status, models.RESTRICT, related_name="tickets", null=True, blank=True
    )
    visibility = models.CharField(
        max_length=10, choices=Visibility, default=Visibility.PUBLIC
    )
    submitter = models.ForeignKey(
        Tester, models.SET_NULL, related_name="tickets", null=True, blank=True
    )
    form_values = models.JSONField(
        default=dict, blank=True, encoder=ExactEncoder, decoder=ExactDecoder
    )
    external_data = models.JSONField(
        default=dict, blank=True, encoder=ExactEncoder, decoder=ExactDecoder
    )
    # What set each key (see `logs.recording.captures`); changes with the data only.
    external_provenance = models.JSONField(default=dict, blank=True, editable=False)
    # Made up by CenterHook to try things on, and removed together.
    is_sample = models.BooleanField(default=False, db_default=False, editable=False)
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)
    modified_at = models.DateTimeField("modified", auto_now=True)

    tenancy = Tenancy(
        "feedback_type__project__community",
        "feedback_type__project",
        via="feedback_type",
    )
    privacy = Privacy(
        hidden=("title", "description", "form_values", "external_data"),
        texts=(
            "title",
            "description",
            "form_values",
            "external_data",
            "external_provenance",
        ),
        about=("submitter",),
    )
    announced = Announced(
        plain=("title", "description", "visibility"),
        references={
            "status_id": Reference("status", "name", "status_id"),
            "submitter_id": Reference("submitter_email", "email"),
        },
        answers={"form_values": "field_"},
        values={"external_data": "external_"},
        modified="modified_at",
        unmodifying=("external_data", "external_provenance"),
    )
    objects = FeedbackQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = "ticket"
        constraints = [
            models.UniqueConstraint(
                fields=["feedback_type", "number"], name="ticket_number_in_type"
            )
        ]
        indexes = [
            # The list of a type, newest first.
            models.Index(fields=["feedback_type", "id"], name="ticket_in_type"),
            models.Index(
                fields=["feedback_type", "status", "id"], name="ticket_by_status"
            ),
            # Whoever searches for a reference means that ticket.
            models.Index(Folded("reference"), name="ticket_by_reference"),
            models.Index(fields=["feedback_type", "created_at"], name="ticket_by_date"),
            # Orders of the API, over all types.
            models.Index(fields=["created_at", "id"], name="ticket_by_created"),
            models.Index(fields=["modified_at", "id"], name="ticket_by_modified"),
            models.Index(
                fields=["feedback_type"],
                name="ticket_sample",
                condition=models.Q(is_sample=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        with unit():
            if self.pk is None:
                self.number_as(self.feedback_type.reserve_numbers(1)[0])
            super().save(*args, **kwargs)

    def clean(self) -> None:
        if self.feedback_type_id is None:
            return
        if self.status and self.status.feedback_type_id != self.feedback_type_id:
            raise ValidationError({"status": "The status is of another type."})
        community = self.feedback_type.project.community_id
        if self.submitter and self.submitter.community_id != community:
            raise ValidationError({"submitter": "The tester is of another community."})

    def audit_name(self) -> str:
        return self.reference

    def number_as(self, number: int) -> None:
        """Give a new ticket its number, reference and first status."""
        self.number = number
        self.reference = f"{self.feedback_type.prefix}-{number}"
        if self.status_id is None:
            self.status = self.feedback_type.first_status()
