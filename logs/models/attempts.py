from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from operator import attrgetter

from django.db import connections, models
from django.db.models import OuterRef, Subquery

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import Privacy
from feedback.models import QuickLoading

from .deliveries import Delivery


class ErrorClass(models.TextChoices):
    DNS = "dns", "Name not found"
    CONNECT = "connect", "No connection"
    TLS = "tls", "Secure connection failed"
    TIMEOUT = "timeout", "Timed out"
    BLOCKED = "blocked", "Blocked by policy"
    RENDER = "render", "Could not be built"
    TOO_LARGE = "too_large", "Request too large"
    REDIRECT = "redirect", "Redirected"
    HTTP = "http", "Refused by the destination"
    BUSY = "busy", "Too fast for the destination"
    LOST = "lost", "Worker stopped"
    # The request was accepted: it is delivered, with a problem.
    VALUE = "value", "Return value missing"

    @classmethod
    def of_status(cls, status: int) -> str:
        """What a response's status says; nothing where it is a success."""
        if 200 <= status <= 299:
            return ""
        return cls.REDIRECT if 300 <= status <= 399 else cls.HTTP


class Cut(models.TextChoices):
    SIZE = "size", "longer than what is kept"
    DEADLINE = "deadline", "not finished in time"
    CONNECTION = "connection", "the connection broke"
    ENCODING = "encoding", "could not be decompressed"


# The columns that may say whom an attempt was about.
TEXTS = (
    "url",
    "request_headers",
    "request_body",
    "response_headers",
    "response_body",
    "message",
)


class AttemptQuerySet(ScopedQuerySet["Attempt"]):
    def write(self, attempts: Iterable[Attempt]) -> None:
        """Insert new rows at a third of what `bulk_create` costs; they get no `pk`."""
        fields = self.model._meta.concrete_fields[1:]
        read = attrgetter(*[field.attname for field in fields])
        columns = ", ".join(str(field.column) for field in fields)
        table = self.model._meta.db_table
        connection = connections[self.db]
        with connection.wrap_database_errors, connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # Table and columns are the model's own names.
                copied = f"COPY {table} ({columns}) FROM STDIN"
                with cursor.copy(copied) as copy:
                    for attempt in attempts:
                        copy.write_row(read(attempt))
                return
            marks = ", ".join(["%s"] * len(fields))
            inserted = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608
            adapt = connection.ops.adapt_datetimefield_value
            started = [field.name for field in fields].index("started_at")
            rows = [list(read(attempt)) for attempt in attempts]
            for row in rows:
                row[started] = adapt(row[started])
            cursor.executemany(inserted, rows)

    def last_sent(self) -> AttemptQuerySet:
        """The newest attempt of each delivery that had a request to send."""
        sent = Attempt.objects.filter(delivery=OuterRef("delivery")).exclude(method="")
        return self.filter(pk=Subquery(sent.order_by("-pk").values("pk")[:1]))


class Attempt(QuickLoading):
    """One try on the wire, written once by `logs.recording` and never changed.

    Only its texts may be emptied, by the same module, when a person is erased.
    Headers are kept as lines, `Name: value`. Times are in milliseconds.
    """

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempt_log")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField("started")
    connect_ms = models.PositiveIntegerField(null=True)
    first_byte_ms = models.PositiveIntegerField(null=True)
    total_ms = models.PositiveIntegerField("duration", null=True)
    method = models.CharField(max_length=10, blank=True)
    url = models.TextField("URL", blank=True)
    request_headers = models.TextField(blank=True)
    request_body = models.TextField(blank=True)
    status = models.PositiveSmallIntegerField("response", null=True)
    response_headers = models.TextField(blank=True)
    response_body = models.TextField(blank=True)
    response_cut = models.CharField(max_length=10, choices=Cut, blank=True)
    error_class = models.CharField(
        "error", max_length=10, choices=ErrorClass, blank=True
    )
    message = models.TextField(blank=True)
    outcome_unknown = models.BooleanField(
        default=False, help_text="The destination may have acted on the request."
    )

    tenancy = Tenancy("delivery__run__community", "delivery__run__project")
    privacy = Privacy(
        texts=TEXTS,
        about=("delivery__feedback__submitter", "delivery__tester"),
        is_scrubbed_whole=True,
    )
    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"Attempt {self.number}"

    @classmethod
    def begun(cls, delivery: Delivery, started_at: datetime) -> Attempt:
        """The next one of a delivery, to be filled in; made without `__init__`."""
        names, defaults = _columns()
        attempt = cls.from_db(None, names, defaults)
        # Not by the descriptor of the foreign key, which looks after a cache.
        attempt.__dict__["delivery_id"] = delivery.pk
        attempt.number = delivery.attempts + 1
        attempt.started_at = started_at
        return attempt

    def save(self, *args: object, **kwargs: object) -> None:
        raise TypeError("An attempt is written by logs.recording and never changed.")

    @property
    def is_emptied(self) -> bool:
        """Whether a request was sent whose texts are gone."""
        return bool(self.method) and not self.url


@cache
def _columns() -> tuple[list[str], list[object]]:
    fields = Attempt._meta.concrete_fields
    return [field.attname for field in fields], [
        field.get_default() for field in fields
    ]
