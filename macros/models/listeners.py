from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.addresses import parse_networks
from feedback.access.privacy import NOTHING_PERSONAL
from feedback.models import (
    Community,
    DeletedInSteps,
    FeedbackType,
    Filter,
    Project,
    SubjectKind,
)
from feedback.models.folded import unique_name
from feedback.models.owned import Owned

LOCATION_HELP = (
    "A JSONPath such as <code>$.issue.key</code>, <code>header: X-Event</code> or"
    " <code>query: id</code>."
)


class PayloadFormat(models.TextChoices):
    JSON = "json", "JSON"
    FORM = "form", "Form"
    XML = "xml", "XML"
    TEXT = "text", "Text"


class RecordBy(models.TextChoices):
    """What the ticket or tester of an event is looked up by."""

    NONE = "", "No ticket or tester is looked up"
    REFERENCE = "reference", "Reference, such as BUG-12"
    ID = "id", "ID in CenterHook"
    EMAIL = "email", "E-mail address"
    EXTERNAL = "external", "External data"


class Listener(Owned, DeletedInSteps):
    """Lets another system call: what a call finds, and what it does there.

    Of a feedback type it finds its tickets; of a project its tickets, or the testers
    who submitted in it; of a community its tickets or testers. A location says where in
    a call a value is: see `macros.listeners.locations`.
    """

    community = models.ForeignKey(
        Community, models.CASCADE, related_name="listeners", editable=False
    )
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="listeners", null=True, editable=False
    )
    feedback_type = models.ForeignKey(
        FeedbackType, models.CASCADE, related_name="listeners", null=True, blank=True
    )
    subject_kind = models.CharField(
        "works on", max_length=10, choices=SubjectKind, default=SubjectKind.FEEDBACK
    )
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    is_active = models.BooleanField("on", default=True)
    method = models.CharField(
        max_length=4, choices=[("POST", "POST"), ("PUT", "PUT")], default="POST"
    )
    payload_format = models.CharField(
        "format", max_length=4, choices=PayloadFormat, default=PayloadFormat.JSON
    )
    allowed_ips = models.TextField(
        "allowed addresses",
        blank=True,
        help_text="IP addresses and networks, one per line. Any other is refused."
        " Leave it empty to allow every address.",
    )
    # Which record
    record_by = models.CharField(
        "find it by", max_length=10, choices=RecordBy, blank=True
    )
    record_external = models.CharField(
        "name of the external data", max_length=100, blank=True
    )
    record_at = models.CharField(
        "its value in the call", max_length=500, blank=True, help_text=LOCATION_HELP
    )
    filter = models.ForeignKey(
        Filter,
        models.RESTRICT,
        related_name="listeners",
        null=True,
        blank=True,
        help_text="Only what it selects can be found. Leave it empty to find"
        " everything.",
    )
    # Which events
    events_at = models.CharField(
        "list of events",
        max_length=500,
        blank=True,
        help_text="Where one call brings several events: a JSONPath to their list,"
        " such as <code>$.events</code>. The other JSONPaths begin at an event then.",
    )
    name_at = models.CharField(
        "name of the event", max_length=500, blank=True, help_text=LOCATION_HELP
    )
    names = models.TextField(
        "only events", blank=True, help_text="One per line. Leave it empty for all."
    )
    id_at = models.CharField(
        "id of the event",
        max_length=500,
        blank=True,
        help_text="Where the sender's id of the event is, by which repeats are known."
        f" {LOCATION_HELP}",
    )
    repeat_seconds = models.PositiveIntegerField(
        "same body again within",
        default=0,
        help_text="Seconds within which the same body is a repeat. 0: never.",
    )
    ignored_at = models.CharField(
        "ignore events by", max_length=500, blank=True, help_text=LOCATION_HELP
    )
    ignored = models.TextField(
        "where that is",
        blank=True,
        help_text="One per line, such as the id of our own account there: a two-way"
        " sync then hears no echo.",
    )
    time_at = models.CharField(
        "time of the event",
        max_length=500,
        blank=True,
        help_text=f"Events older than what was applied change nothing. {LOCATION_HELP}",
    )
    # What the sender gets
    response_status = models.PositiveSmallIntegerField(default=200)
    response_type = models.CharField(
        "content type", max_length=100, blank=True, default="application/json"
    )
    response_body = models.TextField(
        blank=True, max_length=10_000, default='{"received": true}'
    )
    challenge_at = models.CharField(
        "challenge",
        max_length=500,
        blank=True,
        help_text="A call that has a value here is a handshake: the value is sent back"
        f" as text, and nothing else is done. {LOCATION_HELP}",
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    modified_at = models.DateTimeField("modified", auto_now=True)

    # `macros.listeners.checking` reads locations and templates, and stands above this:
    # what is wrong with a listener, its checks and its actions, by setting.
    find_problems: ClassVar[Callable[..., dict[str, list[str]]]]

    tenancy = Tenancy("community", "project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["Listener"].as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            unique_name(
                "project",
                name="listener_name_in_project",
                message="The project has a listener of this name.",
            ),
            unique_name(
                "community",
                within=Q(project=None),
                name="listener_name_in_community",
                message="The community has a listener of this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.find_owners()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        self.find_owners()
        try:
            parse_networks(self.allowed_ips)
        except ValueError as error:
            raise ValidationError({"allowed_ips": str(error)}) from error

    @property
    def key(self) -> str:
        """The one in its present address; empty before there is any."""
        present = self.keys.filter(ends_at=None).first()
        return present.key if present else ""

    def renew_key(self, until: datetime) -> str:
        """Give it another address; calls to the one before are taken until then."""
        self.keys.filter(ends_at=None).update(ends_at=until)
        return self.keys.create(key=new_key()).key


def new_key() -> str:
    """What makes an address that nobody guesses: 144 random bits."""
    return secrets.token_urlsafe(18)


class ListenerKey(models.Model):
    """A key in a listener's address. Those before are kept: they get a 410."""

    listener = models.ForeignKey(Listener, models.CASCADE, related_name="keys")
    key = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # Empty for the present one.
    ends_at = models.DateTimeField(null=True)

    tenancy = Tenancy("listener__community", "listener__project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["ListenerKey"].as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["listener"],
                condition=Q(ends_at=None),
                name="listener_key_present_once",
            )
        ]

    def __str__(self) -> str:
        return f"Key {self.pk}"
