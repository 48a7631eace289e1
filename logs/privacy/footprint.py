"""What an erasure will reach, and what it can't."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q

from feedback.models import Attachment, Comment, Tester

from ..models import Attempt, Delivery, DeliveryState
from ..models.attempts import AttemptQuerySet
from ..models.deliveries import DeliveryQuerySet

OUT_OF_REACH = (
    "What was sent to other systems stays there: ask each of them to erase it too.",
    "Backups of the database still hold it, until they are replaced.",
    "E-mails that were sent, and files that were exported, can't be taken back.",
    "Macros, filters and secrets in which somebody wrote the person's data are kept"
    " as they are.",
)


@dataclass(frozen=True, slots=True)
class Copy:
    """Another system that got, or may have got, requests about the tester."""

    origin: str
    requests: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Footprint:
    """How many rows an erasure will reach, and where copies are."""

    tickets: int
    comments: int
    attachments: int
    attempts: int
    pending: int
    sending: int
    copies: list[Copy]


def footprint(tester: Tester) -> Footprint:
    """Counts now what an erasure of the tester would reach."""
    to_do = [DeliveryState.PENDING, DeliveryState.WAITING]
    left = deliveries_about(tester).filter(state__in=to_do)
    return Footprint(
        tickets=tester.tickets.count(),
        comments=Comment.objects.filter(feedback__submitter=tester).count(),
        attachments=Attachment.objects.filter(feedback__submitter=tester).count(),
        attempts=attempts_about(tester).count(),
        pending=left.filter(lease="").count(),
        sending=left.exclude(lease="").count(),
        copies=copies_of(tester),
    )


def deliveries_about(tester: Tester) -> DeliveryQuerySet:
    """Those of the tester's tickets, and those of the tester."""
    # Found by an index each; with OR, databases read the whole table.
    rows = Delivery.objects.order_by()
    tickets = rows.filter(feedback__submitter=tester).values("pk")
    own = rows.filter(tester=tester).values("pk")
    return Delivery.objects.filter(pk__in=tickets.union(own, all=True))


def attempts_about(tester: Tester) -> AttemptQuerySet:
    """The tries of those deliveries."""
    own = deliveries_about(tester).order_by()
    return Attempt.objects.filter(delivery__in=own.values("pk"))


def copies_of(tester: Tester) -> list[Copy]:
    """Where requests went, the first system first."""
    arrived = Q(status__isnull=False) | Q(outcome_unknown=True)
    rows = attempts_about(tester).filter(arrived).order_by()
    origins = rows.values("delivery__destination__origin").annotate(
        count=Count("pk"), first=Min("started_at"), last=Max("started_at")
    )
    copies = [
        Copy(
            row["delivery__destination__origin"] or "an unknown destination",
            row["count"],
            row["first"],
            row["last"],
        )
        for row in origins
    ]
    return sorted(copies, key=lambda copy: (copy.first_at, copy.origin))
