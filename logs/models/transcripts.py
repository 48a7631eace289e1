from __future__ import annotations

from django.db import models

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import Privacy
from feedback.models import QuickLoading

from .deliveries import Delivery

# The columns that may say whom an attempt was about.
TEXTS = (
    "url",
    "request_headers",
    "request_body",
    "response_headers",
    "response_body",
)
# What an attempt and its transcript have in common.
KEY = ("delivery_id", "number", "started_at")


class Transcript(QuickLoading):
    """What one attempt sent and what came back, with secrets masked.

    Most of the log's bytes are here, and they are the first to go: nothing refers to a
    row, and on PostgreSQL the rows of a month are a partition, which goes at once (see
    `logs.retention.partitions`). Headers are kept as lines, `Name: value`.
    """

    pk = models.CompositePrimaryKey("delivery", "number", "started_at")
    delivery = models.ForeignKey(
        Delivery,
        models.CASCADE,
        related_name="transcripts",
        db_index=False,
        db_constraint=False,
    )
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField("started")
    url = models.TextField("URL", blank=True)
    request_headers = models.TextField(blank=True)
    request_body = models.TextField(blank=True)
    response_headers = models.TextField(blank=True)
    response_body = models.TextField(blank=True)

    tenancy = Tenancy("delivery__run__community", "delivery__run__project")
    privacy = Privacy(
        texts=TEXTS,
        about=("delivery__feedback__submitter", "delivery__tester"),
        is_scrubbed_whole=True,
    )
    objects = ScopedQuerySet["Transcript"].as_manager()

    class Meta:
        verbose_name = "transcript of a delivery"
        verbose_name_plural = "transcripts of deliveries"

    def __str__(self) -> str:
        return f"Transcript of attempt {self.number}"

    def save(self, *args: object, **kwargs: object) -> None:
        raise TypeError("A transcript is written with its attempt and never changed.")

    @property
    def is_kept(self) -> bool:
        """Whether it says anything."""
        return any(self.__dict__[name] for name in TEXTS)
