"""A worker's traffic to each destination: what may go out now, and what must wait."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from logs.models import BreakerState, Destination
from logs.recording.health import THRESHOLD

from ..steps.mail import AT_ONCE
from .rate_limit import RateLimiter
from .wire import Share, Wire

# Where a window starts, and what it never goes below.
MIN_WINDOW = 8
# How often a window follows the destination's speed, in seconds.
ADAPT_EVERY = 0.25
# How often people's settings and the breaker are looked up, in seconds.
REFRESH_EVERY = 1.0
# How much work is held for a destination with a rate limit, in seconds.
HOLD = 5.0
# How long deliveries to a destination that is shut wait before they are looked at.
PARK = 15.0
# The same where it asked to wait, at most: a person may have ended the wait just when
# a worker that did not know yet gave a delivery back.
LOOK_AGAIN = 600.0


@dataclass(slots=True, eq=False)
class Throttle:
    """The traffic of one community to one origin.

    Before `held_until` nothing goes out, and after it slowly at first: a destination
    that said "too fast" is not asked by a whole window at once whether it is over.

    Its window follows Little's law: the responses per second, times the quickest of
    them, are how many requests the destination can hold without any waiting in line.
    Twice that keeps it busy and finds out whether it can do more; a fast destination
    needs few.
    """

    cap: int
    origin: str = ""
    destination: Destination | None = None
    share: Share = field(default_factory=Share)
    window: int = MIN_WINDOW
    in_flight: int = 0
    held: int = 0
    failures: int = 0
    held_until: datetime | None = None
    _limiter: RateLimiter = field(default_factory=RateLimiter)
    _not_before: float = 0.0
    _responses: int = 0
    _quickest: float = float("inf")
    _since: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.window = min(self.window, self.cap)

    def begin(self, token: str) -> bool:
        """Take a place on the wire, if there is one now; `end` gives it back."""
        if self.in_flight >= self.window or self.is_suspect:
            return False
        if not self.share.has_room(self.in_flight):
            return False
        if self.wait or time.monotonic() < self._not_before:
            return False
        if self.destination is not None and not self._permitted(token):
            return False
        self.in_flight += 1
        self.share.take()
        return True

    def end(self, token: str, seconds: float, works: bool) -> None:
        self.in_flight -= 1
        self.share.give_back()
        self.failures = 0 if works else self.failures + 1
        if self.destination is not None:
            self._limiter.give_back(self.destination, token)
        now = time.monotonic()
        if now < self._since:
            # It was on the wire when the wait began.
            return
        self._responses += 1
        self._quickest = min(self._quickest, seconds)
        if now - self._since >= ADAPT_EVERY:
            self._adapt(now - self._since)
            self._measure_from(now)

    def hold(self, until: datetime) -> None:
        """The destination wants nothing before that moment."""
        if self.held_until is None or until > self.held_until:
            self.held_until = until
        self.window = 1
        self._measure_from(time.monotonic() + self.wait)

    def look_at(self, row: Destination) -> None:
        """What people and all workers have made of it."""
        self.destination = row
        before, self.held_until = self.held_until, row.held_until
        if row.held_until is not None and row.held_until != before:
            self.hold(row.held_until)
        # A person may have ended the wait.
        self._since = min(self._since, time.monotonic() + self.wait)

    @property
    def wait(self) -> float:
        """For how many seconds it still wants nothing."""
        if self.held_until is None:
            return 0.0
        return max(0.0, (self.held_until - timezone.now()).total_seconds())

    @property
    def ready_in(self) -> float:
        """The same, or until another permit is asked for; 0 if it waits for no time."""
        return max(self.wait, self._not_before - time.monotonic())

    @property
    def is_suspect(self) -> bool:
        """Failed so often that the breaker must be asked before anything is sent."""
        return self.failures >= THRESHOLD

    @property
    def is_shut(self) -> bool:
        """Paused, held for long, or its breaker is open and no probe is due."""
        if self.wait > HOLD:
            return True
        row = self.destination
        if row is None:
            return False
        if row.is_paused:
            return True
        closed = row.breaker == BreakerState.CLOSED
        return not closed and (row.probe_at is None or row.probe_at > timezone.now())

    @property
    def capacity(self) -> int:
        """How many more deliveries are worth holding for it."""
        row = self.destination
        if self.is_shut:
            return 0
        if row is not None and row.breaker != BreakerState.CLOSED:
            return max(0, 1 - self.held)
        if self.wait:
            return max(0, MIN_WINDOW - self.held)
        if row is not None and row.rate:
            return max(0, math.ceil(HOLD * row.rate) - self.held)
        return int(settings.BATCH_SIZE)

    @property
    def look_again_in(self) -> float:
        """After how many seconds what it can't take now is looked at again.

        Whole ones, so that many deliveries share an UPDATE.
        """
        if self.wait:
            return min(math.ceil(self.wait), LOOK_AGAIN)
        return PARK if self.is_shut else HOLD

    def _permitted(self, token: str) -> bool:
        row = self.destination
        assert row is not None  # noqa: S101 - for the type checker
        if self.is_shut:
            return False
        if row.breaker != BreakerState.CLOSED:
            return self._take_probe(row)
        if row.rate is None and row.concurrency is None:
            return True
        wait = self._limiter.take(row, token)
        if wait:
            self._not_before = time.monotonic() + wait
        return not wait

    def _take_probe(self, row: Destination) -> bool:
        now = timezone.now()
        until = now + timedelta(seconds=settings.REQUEST_DEADLINE + PARK)
        taken = Destination.objects.take_probe(row.pk, now, until)
        row.probe_at = until
        return taken

    def _measure_from(self, moment: float) -> None:
        self._responses, self._quickest, self._since = 0, float("inf"), moment

    def _adapt(self, elapsed: float) -> None:
        needed = self._responses / elapsed * self._quickest
        floor = min(MIN_WINDOW, 2 * self.window)
        self.window = min(self.cap, max(floor, round(2 * needed)))


class Throttles:
    """The throttles of one worker, one for each community and origin."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._throttles: dict[tuple[int, str], Throttle] = {}
        self._refreshed_at = float("-inf")
        self._wire = Wire()
        self._shares: dict[int, Share] = {}
        # There is one mail server for all communities.
        self.mail = Throttle(min(cap, AT_ONCE), share=Share(self._wire))

    def get(self, community_id: int, origin: str) -> Throttle:
        throttle = self._throttles.get((community_id, origin))
        if throttle is None:
            self._forget_idle()
            share = self._shares.setdefault(community_id, Share(self._wire))
            throttle = Throttle(self._cap, origin, share=share)
            self._throttles[community_id, origin] = throttle
            row = _row(community_id, origin)
            if row is not None:
                throttle.look_at(row)
        return throttle

    def refresh(self) -> None:
        """Look up the settings and breakers of all destinations, now and then."""
        now = time.monotonic()
        suspects = [
            throttle for throttle in self._throttles.values() if throttle.is_suspect
        ]
        if now - self._refreshed_at < REFRESH_EVERY and not suspects:
            return
        self._refreshed_at = now
        communities = {community for community, _ in self._throttles}
        origins = {origin for _, origin in self._throttles}
        for row in Destination.objects.filter(
            community__in=communities, origin__in=origins
        ):
            throttle = self._throttles.get((row.community_id, row.origin))
            if throttle is not None:
                throttle.look_at(row)
        for throttle in suspects:
            throttle.failures = 0

    def _forget_idle(self) -> None:
        """Templates can name hosts without number; only the busy ones are kept."""
        if len(self._throttles) >= 1000:
            self._throttles = {
                key: throttle
                for key, throttle in self._throttles.items()
                if throttle.in_flight or throttle.held
            }


def _row(community_id: int, origin: str) -> Destination | None:
    """A destination that was never used has no row yet.

    But it is made here, before anything is sent, where a preset says how many requests
    the vendor takes.
    """
    mine = {"community_id": community_id, "origin": origin}
    if row := Destination.objects.filter(**mine).first():
        return row
    # A worker reads all presets only where it meets a new destination.
    from ..authoring.presets import published_rate

    rate = published_rate(origin)
    if rate is None:
        return None
    defaults = {"rate": rate.per_second, "rate_from": rate.vendor}
    return Destination.objects.get_or_create(**mine, defaults=defaults)[0]
