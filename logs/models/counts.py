"""Figures that are kept as things happen, so that no page counts the log."""

from __future__ import annotations

from django.db import models

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import NOTHING_PERSONAL
from feedback.models import Community, FeedbackType

# Up to so many milliseconds: a response is counted in the first that holds it.
BOUNDS = (
    *(10, 25, 50, 100, 150, 200, 300, 500, 750),
    *(1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 30_000),
)
# The columns that count responses by those bounds; the last one, all that are slower.
BUCKETS = (*(f"ms_{bound}" for bound in BOUNDS), "ms_over")


class Span(models.TextChoices):
    HOUR = "hour", "Hour"
    DAY = "day", "Day"
    # All that was kept before, of a destination.
    EVER = "ever", "Ever before"


class DeliveryCount(models.Model):
    """How deliveries ended, and how fast responses came, in one hour or one day.

    A row is about one macro and one destination, so that the sums of rows are the
    figures of a project, a macro or a destination. Written by `logs.recording.counts`
    alone. A delivery that is resent counts again when it ends again.

    What a row is about is a number without a foreign key, 0 for none: figures outlive
    what they are about, and two rows never become one when a macro goes.
    """

    span = models.CharField(max_length=4, choices=Span)
    # When it begins. Days are those of TIME_ZONE.
    moment = models.DateTimeField()
    community = models.ForeignKey(
        Community, models.CASCADE, related_name="delivery_counts"
    )
    project = models.BigIntegerField(default=0)
    macro = models.BigIntegerField(default=0)
    # What was skipped or cancelled went to none.
    destination = models.BigIntegerField(default=0)
    delivered = models.IntegerField(default=0)
    # How many of those delivered lack a return value that their step requires.
    problems = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    skipped = models.IntegerField(default=0)
    cancelled = models.IntegerField(default=0)
    # The newest delivery that failed, 0 for none: why, stands there.
    last_failed = models.BigIntegerField(default=0)
    ms_10 = models.IntegerField(default=0)
    ms_25 = models.IntegerField(default=0)
    ms_50 = models.IntegerField(default=0)
    ms_100 = models.IntegerField(default=0)
    ms_150 = models.IntegerField(default=0)
    ms_200 = models.IntegerField(default=0)
    ms_300 = models.IntegerField(default=0)
    ms_500 = models.IntegerField(default=0)
    ms_750 = models.IntegerField(default=0)
    ms_1000 = models.IntegerField(default=0)
    ms_1500 = models.IntegerField(default=0)
    ms_2000 = models.IntegerField(default=0)
    ms_3000 = models.IntegerField(default=0)
    ms_5000 = models.IntegerField(default=0)
    ms_10000 = models.IntegerField(default=0)
    ms_30000 = models.IntegerField(default=0)
    ms_over = models.IntegerField(default=0)

    # The columns that tell rows apart, and those that are added up.
    KEY = ("span", "moment", "community_id", "project", "macro", "destination")
    OUTCOMES = ("delivered", "problems", "failed", "skipped", "cancelled")

    tenancy = Tenancy("community", "project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["DeliveryCount"].as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = "row of delivery figures"
        verbose_name_plural = "rows of delivery figures"
        constraints = [
            models.UniqueConstraint(
                # The moment first: pages read all of a period.
                fields=[
                    *("moment", "span", "community"),
                    *("project", "macro", "destination"),
                ],
                name="delivery_count_of",
            )
        ]
        indexes = [
            models.Index(fields=["macro", "moment"], name="delivery_count_macro"),
            models.Index(
                fields=["destination", "moment"], name="delivery_count_destination"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_span_display()} of {self.moment:%Y-%m-%d %H:%M}"


class TicketCount(models.Model):
    """How many tickets of a type stood in a status at the end of a day.

    The row of today is how they stood when the clock last looked. It is a count of the
    tickets there were, so that no way to delete or move a ticket can make it wrong.
    """

    day = models.DateField()
    feedback_type = models.ForeignKey(
        FeedbackType, models.CASCADE, related_name="ticket_counts"
    )
    # Its number and name then, since a status may be gone; 0 for tickets without one.
    status = models.BigIntegerField(default=0)
    status_name = models.CharField(max_length=50, blank=True)
    count = models.IntegerField()
    taken_at = models.DateTimeField()

    tenancy = Tenancy("feedback_type__project__community", "feedback_type__project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["TicketCount"].as_manager()

    class Meta:
        ordering = ["day", "pk"]
        verbose_name = "row of ticket figures"
        verbose_name_plural = "rows of ticket figures"
        constraints = [
            models.UniqueConstraint(
                fields=["day", "feedback_type", "status"], name="ticket_count_of"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.count} {self.status_name}".strip()
