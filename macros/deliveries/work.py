"""One run at work in one worker: claim, build, send, record."""

from __future__ import annotations

import math
import time
import uuid
from collections import deque
from collections.abc import Callable

from django.conf import settings
from django.utils import timezone

from logs import recording
from logs.models import Delivery, Run, RunState
from logs.recording import Outcome
from logs.recording.health import held_until, is_healthy

from ..steps.rendering import Plan
from . import outcomes
from .building import Builder, Sending
from .claims import claim_any, claim_due, claim_suspect, has_suspect, renew
from .losses import lost
from .sender import MailExchange
from .throttle import Throttle, Throttles

# Results wait no longer than this for the log, in seconds, and in no greater number.
FLUSH_INTERVAL = 0.5
FLUSH_SIZE = 250
# Requests that are built and wait for room at their destination.
MAX_READY = 64


class Work:
    """What a worker does for one run, all in the engine's thread."""

    def __init__(
        self,
        run: Run,
        plan: Plan,
        throttles: Throttles,
        send: Callable[[Work, Sending], None],
    ) -> None:
        self.run = run
        self.plan = plan
        self.lease = uuid.uuid4().hex
        # More may be due than was claimed.
        self.has_more = True
        # Something is due that is to be worked on alone.
        self.has_suspects = False
        self._is_alone = False
        self.results: list[Outcome] = []
        self._throttles = throttles
        self._send = send
        self._builder = Builder(run, plan, throttles)
        self._waiting: deque[Delivery] = deque()
        self._ready: dict[Throttle, deque[Sending]] = {}
        self._ready_count = 0
        self._in_flight = 0
        self._unfinished: set[int] = set()
        # A throttle waits for what its breaker makes of the results, and other workers
        # for what a destination has asked for.
        self._must_flush = False
        self._flushed_at = self._renewed_at = time.monotonic()

    @property
    def is_idle(self) -> bool:
        at_work = self._unsent or self._in_flight
        return not (self.has_more or self.has_suspects or at_work)

    @property
    def is_quiet(self) -> bool:
        """Nothing is held, and all results are written down."""
        return not (self._unsent or self._in_flight or self.results)

    @property
    def waits(self) -> list[float]:
        """In how many seconds what is ready may go out, where it waits for a time."""
        return [wait for each in self._ready if (wait := each.ready_in)]

    @property
    def _unsent(self) -> int:
        return len(self._waiting) + self._ready_count

    def advance(self, until: float = math.inf, may_claim: bool = True) -> bool:
        """Claim and send what can be now; True if anything moved.

        No other request is built once the monotonic clock shows `until`.
        """
        may_claim &= self.has_more and self._unsent < settings.BATCH_SIZE // 4
        claims = may_claim and self._claim()
        before = self._unsent
        for throttle in list(self._ready):
            self._send_ready(throttle)
        while self._waiting and self._ready_count < MAX_READY:
            self._build(self._waiting.popleft())
            if time.monotonic() >= until:
                return True
        return claims or self._unsent < before

    def claim_suspect(self) -> bool:
        """Hold one delivery that is to be worked on alone; False if there is none."""
        deliveries = claim_suspect(self.run.pk, self.lease)
        self.has_suspects, self.has_more = False, True
        self._is_alone = bool(deliveries)
        self._take_on(deliveries)
        return self._is_alone

    def finished(self, sending: Sending) -> None:
        """Take a delivery back from the network."""
        self._in_flight -= 1
        exchange, throttle = sending.exchange, sending.throttle
        outcome = outcomes.of_exchange(
            sending.delivery, exchange, self.run, self.plan, throttle.origin
        )
        self.results.append(outcome)
        # No breaker watches over the mail server.
        is_up = isinstance(exchange, MailExchange) or (
            outcome.attempt is not None and is_healthy(outcome.attempt)
        )
        throttle.end(self._token(sending), exchange.seconds, is_up)
        self._hold(throttle, outcome)
        self._must_flush |= throttle.is_suspect

    def _hold(self, throttle: Throttle, outcome: Outcome) -> None:
        """In this worker at once; in the others as soon as they look it up."""
        row = throttle.destination
        until = held_until(outcome, timezone.now(), 0 if row is None else row.holds)
        if until is not None:
            throttle.hold(until)
            self._must_flush = True

    def flush_if_due(self) -> None:
        waited = time.monotonic() - self._flushed_at
        full = len(self.results) >= FLUSH_SIZE
        if full or self._must_flush or waited >= FLUSH_INTERVAL:
            self.flush()

    def flush(self) -> None:
        """Write the results down. On an error they stay, for the next time."""
        now = timezone.now()
        outcomes.pause_if_gone(self.run, self.results, now)
        recording.record(self.run, self.lease, self.results, now)
        self._unfinished -= {outcome.delivery.pk for outcome in self.results}
        self._builder.forget(outcome.delivery for outcome in self.results)
        if len(self.plan.steps) > 1 and self.results:
            # A step that was delivered has made the next one due.
            self.has_more = True
        self.results = []
        self._must_flush = False
        self._flushed_at = time.monotonic()
        self._look_up()

    def give_back(self) -> None:
        """Return what is not on the wire: due again at once, no attempt used up."""
        self.has_more = self.has_suspects = False
        self._end_unsent(outcomes.given_back)

    def let_go(self) -> list[Sending]:
        """Make room for others at the destinations; the leases expire by themselves.

        Returns what was ready.
        """
        unsent = [each for queue in self._ready.values() for each in queue]
        for sending in unsent:
            sending.throttle.held -= 1
        self._ready.clear()
        self._ready_count = 0
        return unsent

    def _claim(self) -> bool:
        """False if there is no room for more, and what waits for it is as before."""
        size = self._capacity()
        if not size:
            return not self.has_more
        deliveries = claim_due(self.run.pk, size, self.lease)
        self.has_more = bool(deliveries)
        fresh = [delivery for delivery in deliveries if not delivery.lease]
        now = timezone.now()
        for delivery in deliveries:
            if delivery.lease:
                self.results.append(lost(self.run, self.plan, delivery, now))
        self._is_alone = False
        self._unfinished.update(delivery.pk for delivery in deliveries)
        self._take_on(fresh)
        if len(fresh) != len(deliveries):
            self.flush()
        if not deliveries:
            self.has_suspects = has_suspect(self.run.pk)
        return True

    def _take_on(self, deliveries: list[Delivery]) -> None:
        self._builder.load(deliveries)
        self._unfinished.update(delivery.pk for delivery in deliveries)
        self._waiting.extend(deliveries)

    def _capacity(self) -> int:
        """How much is worth claiming, where the template alone says where it goes."""
        goes_on = self.run.is_echo or not self.plan.is_all_requests
        if self.plan.origins is None or goes_on:
            return int(settings.BATCH_SIZE)
        community = self.run.community_id
        throttles = [self._throttles.get(community, each) for each in self.plan.origins]
        if all(throttle.is_shut for throttle in throttles):
            # The clock process notifies again; nothing is written meanwhile.
            self.has_more = False
        capacity = sum(throttle.capacity for throttle in throttles)
        return min(int(settings.BATCH_SIZE), capacity)

    def _build(self, delivery: Delivery) -> None:
        built = self._builder.build(delivery)
        if isinstance(built, Outcome):
            self.results.append(built)
        elif not self._begin(built):
            built.throttle.held += 1
            self._ready_count += 1
            self._ready.setdefault(built.throttle, deque()).append(built)

    def _send_ready(self, throttle: Throttle) -> None:
        queue = self._ready[throttle]
        while queue:
            throttle.held -= 1
            if not self._begin(queue[0]):
                throttle.held += 1
                return
            queue.popleft()
            self._ready_count -= 1
        del self._ready[throttle]

    def _begin(self, sending: Sending) -> bool:
        """False if it has to wait here for its destination."""
        throttle = sending.throttle
        if throttle.begin(self._token(sending)):
            self._in_flight += 1
            self._send(self, sending)
            return True
        if throttle.capacity and not self._is_alone:
            return False
        wait, origin = throttle.look_again_in, self.plan.vault.redact(throttle.origin)
        self.results.append(outcomes.given_back(sending.delivery, wait, origin))
        return True

    def _token(self, sending: Sending) -> str:
        return f"{self.lease}-{sending.delivery.pk}"

    def _look_up(self) -> None:
        """At every flush: is the run cancelled or paused, must the lease be renewed?"""
        runs = Run.objects.filter(pk=self.run.pk)
        row = runs.values_list("state", "macro__paused_reason").first()
        state, macro_paused = row or (RunState.CANCELLED, None)
        held_up = state == RunState.ACTIVE and macro_paused and not self.run.is_test
        if state == RunState.PAUSED or held_up:
            self.give_back()
        elif state != RunState.ACTIVE:
            self.has_more = self.has_suspects = False
            self._end_unsent(outcomes.cancelled)
        if self._flushed_at - self._renewed_at > settings.LEASE_SECONDS / 3:
            renew(self.lease, self._unfinished)
            self._renewed_at = self._flushed_at

    def _end_unsent(self, outcome: Callable[[Delivery], Outcome]) -> None:
        ready = [sending.delivery for sending in self.let_go()]
        self.results.extend(outcome(delivery) for delivery in [*self._waiting, *ready])
        self._waiting.clear()


def fail_all(run: Run, message: str) -> None:
    """End a run whose macro cannot be read any more, as after a downgrade."""
    lease = uuid.uuid4().hex
    while deliveries := claim_any(run.pk, settings.BATCH_SIZE, lease):
        now = timezone.now()
        results = [outcomes.unreadable(each, message, now) for each in deliveries]
        recording.record(run, lease, results, now)
