from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db import models
from django.db.models import OuterRef, Subquery

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import Privacy
from feedback.models import QuickLoading

from .deliveries import Delivery
from .transcripts import KEY, TEXTS, Transcript
from .writing_rows import write_rows


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


class AttemptQuerySet(ScopedQuerySet["Attempt"]):
    def write(self, attempts: Sequence[Attempt]) -> None:
        """Insert new rows at a third of what `bulk_create` costs; they get no `pk`."""
        write_rows(self.db, attempts)
        texts = [each.texts for each in attempts if each.texts.is_kept]
        if texts:
            write_rows(self.db, texts)

    def bulk_create(self, objs: Iterable[Attempt], *args: Any, **kwargs: Any) -> Any:
        """As Django's, with what was sent and came back."""
        created = super().bulk_create(objs, *args, **kwargs)
        texts = [each.texts for each in created if each.texts.is_kept]
        Transcript.objects.using(self.db).bulk_create(texts)
        return created

    def with_texts(self, *names: str) -> AttemptQuerySet:
        """Loaded with some texts of the transcripts, or with all."""
        rows = self.select_related("transcript")
        if not names:
            return rows
        own = [field.name for field in self.model._meta.concrete_fields]
        return rows.only(*own, *(f"transcript__{name}" for name in names))

    def last_sent(self) -> AttemptQuerySet:
        """The newest attempt of each delivery that had a request to send."""
        sent = Attempt.objects.filter(delivery=OuterRef("delivery")).exclude(method="")
        return self.filter(pk=Subquery(sent.order_by("-pk").values("pk")[:1]))


def _kept(name: str) -> Any:
    """One of the texts of an attempt's transcript."""

    def read(attempt: Attempt) -> str:
        return str(getattr(attempt.texts, name))

    def write(attempt: Attempt, text: str) -> None:
        setattr(attempt.texts, name, text)

    return property(read, write)


class Attempt(QuickLoading):
    """One try on the wire, written once by `logs.recording` and never changed.

    What was sent and what came back stands in its transcript, which is kept for a
    shorter time. Only its message may be emptied, by the same module, when a person is
    erased. Times are in milliseconds.
    """

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempt_log")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField("started")
    connect_ms = models.PositiveIntegerField(null=True)
    first_byte_ms = models.PositiveIntegerField(null=True)
    total_ms = models.PositiveIntegerField("duration", null=True)
    method = models.CharField(max_length=10, blank=True)
    status = models.PositiveSmallIntegerField("response", null=True)
    response_cut = models.CharField(max_length=10, choices=Cut, blank=True)
    error_class = models.CharField(
        "error", max_length=10, choices=ErrorClass, blank=True
    )
    message = models.TextField(blank=True)
    outcome_unknown = models.BooleanField(
        default=False, help_text="The destination may have acted on the request."
    )
    transcript = models.ForeignObject(
        Transcript,
        models.DO_NOTHING,
        from_fields=["delivery", "number", "started_at"],
        to_fields=["delivery", "number", "started_at"],
        related_name="+",
        null=True,
        editable=False,
    )
    url: str = _kept("url")
    request_headers: str = _kept("request_headers")
    request_body: str = _kept("request_body")
    response_headers: str = _kept("response_headers")
    response_body: str = _kept("response_body")

    tenancy = Tenancy("delivery__run__community", "delivery__run__project")
    privacy = Privacy(
        texts=("message",),
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
        names, defaults = _columns(cls)
        attempt = cls.from_db(None, names, defaults)
        # Not by the descriptor of the foreign key, which looks after a cache.
        attempt.__dict__["delivery_id"] = delivery.pk
        attempt.number = delivery.attempts + 1
        attempt.started_at = started_at
        attempt._state.adding = True
        return attempt

    def save(self, *args: object, **kwargs: object) -> None:
        raise TypeError("An attempt is written by logs.recording and never changed.")

    @property
    def texts(self) -> Transcript:
        """Its transcript; an empty one where none is kept."""
        cache = self._state.fields_cache
        texts: Transcript | None = cache.get("transcript")
        if texts is None:
            if "transcript" not in cache and not self._state.adding:
                texts = self._loaded()
            if texts is None:
                texts = Transcript.from_db(None, *_columns(Transcript))
                texts._state.adding = True
            cache["transcript"] = texts
        if texts._state.adding:
            key = {name: self.__dict__.get(name) for name in KEY}
            texts.__dict__.update(key)
        return texts

    def _loaded(self) -> Transcript | None:
        key = {name: getattr(self, name) for name in KEY}
        return Transcript.objects.filter(**key).first()

    def all_texts(self) -> list[str]:
        """All that may say whom it was about."""
        texts = self.texts.__dict__
        return [self.message, *(texts[name] for name in TEXTS)]

    def change_texts(self, change: Callable[[str], str]) -> None:
        """Each of them, before it is written."""
        for row, names in ((self, ("message",)), (self.texts, TEXTS)):
            for name in names:
                text = row.__dict__[name]
                if (changed := change(text)) is not text:
                    row.__dict__[name] = changed

    @property
    def is_emptied(self) -> bool:
        """Whether a request was sent whose texts are gone."""
        return bool(self.method) and not self.url


@cache
def _columns(model: type[models.Model]) -> tuple[list[str], list[object]]:
    fields = model._meta.concrete_fields
    return [field.attname for field in fields], [
        field.get_default() for field in fields
    ]
