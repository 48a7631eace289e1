"""One run at work in one worker: claim, build, send, record."""

from __future__ import annotations

import logging
import time
import uuid
from collections import deque
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from feedback.changes import Change
from feedback.models import Feedback, Tester
from logs import recording
from logs.models import (
    Attempt,
    Delivery,
    DeliveryState,
    ErrorClass,
    Resend,
    Run,
    RunState,
)
from logs.recording import Outcome
from logs.recording.health import is_healthy

from ..auth.authentication import Forbidden
from ..http import TransportError, origin_of
from ..steps.compiled import Outgoing, Transport
from ..steps.errors import TooLarge
from ..steps.rendering import Plan, context_for
from ..steps.replay import sent_before
from ..tags import RenderError
from . import outcomes
from .claims import claim_due, renew
from .lanes import HOLD, PARK, Lanes
from .sender import Exchange, MailExchange

logger = logging.getLogger(__name__)

# Results wait no longer than this for the log, in seconds, and in no greater number.
FLUSH_INTERVAL = 0.5
FLUSH_SIZE = 250
# Requests that are built and wait for room on their lane.
MAX_READY = 64
_GONE = {"feedback": "was deleted", "tester": "was deleted or erased"}


class Work:
    """What a worker does for one run, all in the engine's thread."""

    def __init__(
        self, run: Run, plan: Plan, lanes: Lanes, send: Callable[[Exchange], None]
    ) -> None:
        self.run = run
        self.plan = plan
        self.lanes = lanes
        self.send = send
        self.lease = uuid.uuid4().hex
        # More may be due than was claimed.
        self.has_more = True
        self.waiting: deque[Delivery] = deque()
        self.ready: deque[Exchange] = deque()
        self.in_flight = 0
        self.results: list[Outcome] = []
        self._subjects: dict[int, Feedback | Tester] = {}
        self._sent_before: dict[int, Attempt] = {}
        self._unfinished: set[int] = set()
        # A lane waits for what its breaker says to the results.
        self._must_flush = False
        self._flushed_at = self._renewed_at = time.monotonic()

    @property
    def is_idle(self) -> bool:
        return not (self.has_more or self.waiting or self.ready or self.in_flight)

    def advance(self) -> bool:
        """Claim and send what can be now; True if anything moved."""
        before = len(self.waiting) + len(self.ready)
        claims = self.has_more and before < settings.BATCH_SIZE // 4
        if claims:
            before += self._claim()
        full: set[int] = set()
        for _ in range(len(self.ready)):
            exchange = self.ready.popleft()
            if id(exchange.lane) in full:
                self.ready.append(exchange)
                continue
            exchange.lane.held -= 1
            if not self._send_or_hold(exchange):
                full.add(id(exchange.lane))
        while self.waiting and len(self.ready) < MAX_READY:
            self._build(self.waiting.popleft())
        return claims or len(self.waiting) + len(self.ready) < before

    def finished(self, exchange: Exchange) -> None:
        """Take an exchange back from the sender."""
        self.in_flight -= 1
        outcome = outcomes.of_exchange(exchange)
        self.results.append(outcome)
        # No breaker watches over the mail server.
        is_mail = isinstance(exchange, MailExchange)
        is_up = is_mail or (outcome.attempt is not None and is_healthy(outcome.attempt))
        exchange.lane.end(exchange.token, exchange.seconds, is_up)
        self._must_flush |= exchange.lane.is_suspect

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
        for outcome in self.results:
            self._subjects.pop(outcome.delivery.subject_id, None)
        if len(self.plan.steps) > 1 and self.results:
            # A step that was delivered has made the next one due.
            self.has_more = True
        self.results = []
        self._must_flush = False
        self._flushed_at = time.monotonic()
        self._look_up()

    def give_back(self) -> None:
        """Return what is not on the wire: due again at once, no attempt used up."""
        self.has_more = False
        self._end_unsent(outcomes.given_back)

    def let_go(self) -> None:
        """Make room for others on the lanes; the leases expire by themselves."""
        for exchange in self.ready:
            exchange.lane.held -= 1
        self.ready.clear()

    def _claim(self) -> int:
        size = self._appetite()
        if not size:
            return 0
        deliveries = claim_due(self.run.pk, size, self.lease)
        self.has_more = bool(deliveries)
        fresh = [delivery for delivery in deliveries if not delivery.lease]
        now = timezone.now()
        for delivery in deliveries:
            if delivery.lease:
                lost = self._lost(delivery, now)
                self.results.append(lost)
                self.has_more |= lost.state == DeliveryState.PENDING
        self._load_subjects(fresh)
        self._unfinished.update(delivery.pk for delivery in deliveries)
        self.waiting.extend(fresh)
        if len(fresh) < len(deliveries):
            self.flush()
        return len(fresh)

    def _lost(self, delivery: Delivery, now: datetime) -> Outcome:
        if self.plan.steps[delivery.step].transport is None:
            return outcomes.of_lost_change(delivery, now)
        return outcomes.of_lost_lease(self.run, delivery, self.plan.policy, now)

    def _appetite(self) -> int:
        """How much is worth claiming, where the template alone says where it goes."""
        goes_on = self.run.is_echo or not self.plan.is_all_requests
        if self.plan.origins is None or goes_on:
            return int(settings.BATCH_SIZE)
        community = self.run.community_id
        lanes = [self.lanes.of(community, origin) for origin in self.plan.origins]
        if all(lane.is_shut for lane in lanes):
            # The clock rings again; nothing is written meanwhile.
            self.has_more = False
        return min(int(settings.BATCH_SIZE), sum(lane.appetite for lane in lanes))

    def _load_subjects(self, deliveries: list[Delivery]) -> None:
        self._subjects.update(self.plan.load_subjects(d.subject_id for d in deliveries))
        self._sent_before.update(sent_before(deliveries))

    def _build(self, delivery: Delivery) -> None:
        """Render a step: a request is sent as soon as its lane has room."""
        try:
            built = self._built(delivery)
        except TooLarge as error:
            self._refuse(delivery, str(error), ErrorClass.TOO_LARGE)
        except Forbidden as error:
            self._refuse(delivery, str(error), ErrorClass.BLOCKED)
        except RenderError as error:
            self._refuse(delivery, str(error), ErrorClass.RENDER)
        except TransportError as error:
            self._refuse(delivery, error.message, ErrorClass(error.kind))
        else:
            if isinstance(built, Outcome):
                self.results.append(built)
            else:
                self._send_or_hold(built)

    def _built(self, delivery: Delivery) -> Exchange | Outcome:
        subject = self._subjects.get(delivery.subject_id)
        if subject is None:
            kind = self.plan.subject_kind
            gone = f"The {kind.label.lower()} {_GONE[kind]}"
            raise RenderError(None, f"{gone} before the request was built.")
        step = self.plan.steps[delivery.step]
        now, secrets = timezone.now(), self.plan.vault.values
        context = context_for(subject, self.run, delivery.pk, now, secrets)
        if delivery.resend == Resend.SAME:
            step = step.repeat(self._sent_before.pop(delivery.pk, None))
        built = step.build(context)
        if isinstance(built, Change):
            return outcomes.of_change(delivery, built, now)
        return self._exchange(delivery, built)

    def _exchange(self, delivery: Delivery, built: Outgoing) -> Exchange:
        request, masked = built.request, built.masked
        token = f"{self.lease}-{delivery.pk}"
        if built.transport is Transport.MAIL:
            lane = self.lanes.mail
            return MailExchange(self, delivery, request, masked, "", lane, token)
        origin = origin_of(request.url)
        # An echo waits for nobody, and nobody for it.
        toward = "" if self.run.is_echo else origin
        lane = self.lanes.of(self.run.community_id, toward)
        row = lane.destination
        exchange = Exchange(self, delivery, request, masked, origin, lane, token)
        exchange.credentials = built.credentials
        exchange.tls = self.plan.tls_for(row)
        exchange.inside = row is not None and row.allows_inside
        return exchange

    def _refuse(
        self, delivery: Delivery, message: str, error_class: ErrorClass
    ) -> None:
        now = timezone.now()
        message = self.plan.vault.redact(message)
        self.results.append(outcomes.not_sent(delivery, message, error_class, now))

    def _send_or_hold(self, exchange: Exchange) -> bool:
        """False if it has to wait here for its lane."""
        lane = exchange.lane
        if lane.begin(exchange.token):
            self.in_flight += 1
            self.send(exchange)
        elif lane.appetite:
            lane.held += 1
            self.ready.append(exchange)
            return False
        else:
            wait = PARK if lane.is_shut else HOLD
            self.results.append(outcomes.given_back(exchange.delivery, wait))
        return True

    def _look_up(self) -> None:
        """At every flush: is the run cancelled or paused, must the lease be renewed?"""
        runs = Run.objects.filter(pk=self.run.pk)
        found = runs.values_list("state", "macro__paused_reason").first()
        state, macro_paused = found or (RunState.CANCELLED, None)
        held_up = state == RunState.ACTIVE and macro_paused and not self.run.is_test
        if state == RunState.PAUSED or held_up:
            self.give_back()
        elif state != RunState.ACTIVE:
            self.has_more = False
            self._end_unsent(outcomes.cancelled)
        if self._flushed_at - self._renewed_at > settings.LEASE_SECONDS / 3:
            renew(self.lease, self._unfinished)
            self._renewed_at = self._flushed_at

    def _end_unsent(self, outcome: Callable[[Delivery], Outcome]) -> None:
        unsent = [*self.waiting, *(exchange.delivery for exchange in self.ready)]
        for exchange in self.ready:
            exchange.lane.held -= 1
        self.waiting.clear()
        self.ready.clear()
        self.results.extend(outcome(delivery) for delivery in unsent)


def fail_all(run: Run, message: str) -> None:
    """End a run whose macro cannot be read any more, as after a downgrade."""
    lease = uuid.uuid4().hex
    while deliveries := claim_due(run.pk, settings.BATCH_SIZE, lease):
        now = timezone.now()
        results = [
            outcomes.not_sent(delivery, message, ErrorClass.RENDER, now)
            for delivery in deliveries
        ]
        recording.record(run, lease, results, now)
