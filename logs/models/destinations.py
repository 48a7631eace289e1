from __future__ import annotations

from datetime import datetime

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import NOTHING_PERSONAL
from feedback.models import Community, SavedInPart


class BreakerState(models.TextChoices):
    CLOSED = "closed", "Closed: requests go through"
    OPEN = "open", "Open: nothing is sent"
    HALF_OPEN = "half_open", "Half open: one request is trying"


class DestinationQuerySet(ScopedQuerySet["Destination"]):
    def take_probe(self, pk: int, now: datetime, until: datetime) -> bool:
        """Claim the one request that may try an open breaker; True if it is ours.

        A claim that never reports back lapses at `until`.
        """
        due = self.filter(pk=pk, probe_at__lte=now).exclude(breaker=BreakerState.CLOSED)
        return bool(due.update(breaker=BreakerState.HALF_OPEN, probe_at=until))

    def troubled(self) -> DestinationQuerySet:
        """Those to which nothing is sent for now, but for a probe."""
        return self.filter(_held_up() | ~Q(breaker=BreakerState.CLOSED))

    def resting(self) -> DestinationQuerySet:
        """Those to which not even a probe may be sent now."""
        no_probe = Q(probe_at=None) | Q(probe_at__gt=timezone.now())
        return self.filter(_held_up() | (~Q(breaker=BreakerState.CLOSED) & no_probe))

    def unannounced(self) -> DestinationQuerySet:
        """Those whose managers don't know yet that they went down, or are back."""
        down = ~Q(breaker=BreakerState.CLOSED)
        return self.filter(
            (down & Q(is_announced_down=False)) | (~down & Q(is_announced_down=True))
        )


def _held_up() -> Q:
    return Q(is_paused=True) | Q(held_until__gt=timezone.now())


class Destination(SavedInPart):
    """An origin that a community sends to, made when it is first reached.

    The circuit breaker: after `logs.recording.health.THRESHOLD` failures in a row it
    opens, and deliveries wait without using up tries. At `probe_at` one of them goes
    through (half open): if a response comes the breaker closes, otherwise it opens for
    longer.

    Nothing is sent to it before `held_until`: a response asked all to wait.
    """

    community = models.ForeignKey(
        Community, models.CASCADE, related_name="destinations"
    )
    origin = models.CharField(
        max_length=300, help_text="Scheme, host and port: https://example.com:443"
    )
    rate = models.FloatField(
        "requests per second",
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01, "Give at least 0.01, or leave it empty.")],
        help_text="The most that all workers together may send. Leave it empty for"
        " no limit.",
    )
    # The vendor whose preset it is from; empty once a person has set it.
    rate_from = models.CharField(max_length=100, blank=True, editable=False)
    concurrency = models.PositiveSmallIntegerField(
        "requests at once",
        null=True,
        blank=True,
        validators=[MinValueValidator(1, "Give at least 1, or leave it empty.")],
        help_text="The most that may be under way at one time, over all workers.",
    )
    is_paused = models.BooleanField(
        "paused", default=False, help_text="Deliveries wait until this is switched off."
    )
    allows_inside = models.BooleanField(
        "inside address",
        default=False,
        help_text="It may be on a private network or this machine. For superusers only;"
        " cloud metadata stays out of reach.",
    )
    ca_certificates = models.TextField(
        "extra CA certificates",
        blank=True,
        help_text="PEM, trusted beside the public authorities: for a destination whose"
        " certificate is of your own making.",
    )
    client_certificate = models.TextField(
        blank=True,
        help_text="PEM, with its chain, for a destination that asks for one (mTLS).",
    )
    client_key_secret = models.CharField(
        "secret with the client key",
        max_length=100,
        blank=True,
        help_text="The name of the community's secret that holds the certificate's"
        " private key, as PEM without a password.",
    )
    breaker = models.CharField(
        max_length=10, choices=BreakerState, default=BreakerState.CLOSED
    )
    # How often in a row the breaker has opened; each time it stays open for longer.
    trips = models.PositiveSmallIntegerField(default=0, editable=False)
    probe_at = models.DateTimeField("tries again", null=True, editable=False)
    held_until = models.DateTimeField("asked to wait until", null=True, editable=False)
    # How often in a row it has asked without a time; each time the wait is longer.
    holds = models.PositiveSmallIntegerField(default=0, editable=False)
    is_announced_down = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField("first used", auto_now_add=True)
    last_success_at = models.DateTimeField("last success", null=True, blank=True)
    last_failure_at = models.DateTimeField("last failure", null=True, blank=True)
    consecutive_failures = models.PositiveIntegerField("failures in a row", default=0)

    # The columns that make up the breaker's state.
    BREAKER_FIELDS = ("breaker", "trips", "probe_at", "consecutive_failures")
    HOLD_FIELDS = ("held_until", "holds")
    NEVER_SAVED = (
        *(*BREAKER_FIELDS, *HOLD_FIELDS, "is_announced_down"),
        *("last_success_at", "last_failure_at"),
    )

    # Projects share it, so a role in any of them shows it.
    tenancy = Tenancy("community", "community__projects", is_many=True)
    privacy = NOTHING_PERSONAL
    objects = DestinationQuerySet.as_manager()

    class Meta:
        ordering = ["origin"]
        constraints = [
            models.UniqueConstraint(
                fields=["community", "origin"], name="destination_in_community"
            )
        ]

    def __str__(self) -> str:
        return self.origin

    @property
    def host(self) -> str:
        """As people write it: `example.com`, with the port where it is unusual."""
        scheme, _, rest = self.origin.partition("://")
        usual = {"https": ":443", "http": ":80"}.get(scheme, "")
        return rest.removesuffix(usual) if usual else rest

    def close_breaker(self) -> None:
        """Let requests through again, as after a response."""
        self.breaker = BreakerState.CLOSED
        self.consecutive_failures = self.trips = 0
        self.probe_at = None

    def end_hold(self) -> None:
        """Wait no longer, whatever a response has asked for."""
        self.held_until = None
        self.holds = 0

    def wait_until(self, now: datetime) -> datetime | None:
        """When its hold ends; None if it has ended, or there is none."""
        is_held = self.held_until is not None and self.held_until > now
        return self.held_until if is_held else None

    def takes_nothing(self, now: datetime) -> bool:
        """Whether it is among the `troubled`: nothing is sent to it but a probe."""
        is_down = self.breaker != BreakerState.CLOSED
        return self.is_paused or is_down or self.wait_until(now) is not None
