"""Work on a run: claim, build, send, record, until nothing of it is due."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from feedback.models import Feedback
from logs import recording
from logs.models import Delivery, ErrorClass, Run, RunState
from logs.recording import Outcome

from ..http import AddressPolicy, Client, Limits
from ..rendering import Plan, TooLarge, context_for
from ..tags import RenderError, TemplateError
from . import outcomes
from .claims import Claim, claim_due, renew
from .sender import Exchange, Sender

# A run gives way to others after this long, in seconds.
SLICE = 2.0
# Results wait no longer than this, in seconds, and in no greater number, for the log.
FLUSH_INTERVAL = 0.5
FLUSH_SIZE = 250

_stopping = threading.Event()
_sender: tuple[int, Sender] | None = None


def stop() -> None:
    """Start nothing new in this process; what is on the wire is seen through."""
    _stopping.set()


def is_stopping() -> bool:
    return _stopping.is_set()


def work(run_id: int) -> bool:
    """Deliver what is due of a run; True if more is due and somebody should go on.

    Safe to call at any time, twice or in parallel: whoever claims a delivery sends it.
    """
    run = Run.objects.filter(pk=run_id).first()
    if run is None:
        return False
    try:
        plan = Plan.from_snapshot(run.snapshot)
    except TemplateError as error:
        _fail_all(run, str(error))
        return False
    until = time.monotonic() + SLICE
    while not _stopping.is_set() and time.monotonic() < until:
        claim = claim_due(run_id, settings.BATCH_SIZE)
        if not claim.deliveries:
            return False
        Batch(run, plan, claim, shared_sender(), until).run()
    return True


def _fail_all(run: Run, message: str) -> None:
    """End a run whose macro cannot be read any more, as after a downgrade."""
    while (claim := claim_due(run.pk, settings.BATCH_SIZE)).deliveries:
        now = timezone.now()
        results = [
            outcomes.of_render_error(delivery, message, now)
            for delivery in claim.deliveries
        ]
        recording.record(run, claim.lease, results, now)


def shared_sender() -> Sender:
    """This process's threads and kept connections, made at first use."""
    global _sender
    if _sender is None or _sender[0] != os.getpid():
        policy = AddressPolicy(settings.ALLOWED_NETWORKS, settings.ALLOWED_TARGET_HOSTS)
        limits = Limits(
            connect=settings.CONNECT_TIMEOUT,
            read=settings.READ_TIMEOUT,
            deadline=settings.REQUEST_DEADLINE,
            max_bytes=settings.RESPONSE_MAX_BYTES,
        )
        threads = settings.WORKER_THREADS
        sender = Sender(Client(policy, connections=threads), limits, threads)
        _sender = (os.getpid(), sender)
    return _sender[1]


def close() -> None:
    """End this process's threads and connections; the next use makes new ones."""
    global _sender
    if _sender is not None and _sender[0] == os.getpid():
        _sender[1].close()
    _sender = None


class Batch:
    """One claim on its way: this thread owns the database, the sender the network."""

    def __init__(
        self, run: Run, plan: Plan, claim: Claim, sender: Sender, until: float
    ) -> None:
        self.run_row = run
        self.plan = plan
        self.claim = claim
        self.sender = sender
        self.until = until
        self.waiting = deque(claim.deliveries)
        self.unfinished = {delivery.pk for delivery in claim.deliveries}
        self.in_flight = 0
        self.finished: SimpleQueue[Exchange] = SimpleQueue()
        self.results: list[Outcome] = []
        self.flushed_at = self.renewed_at = time.monotonic()

    def run(self) -> None:
        self._settle_abandoned()
        self.tickets = self._load_tickets()
        self._flush()
        while self.waiting or self.in_flight:
            self._feed()
            self._collect()
            if self._flush_is_due():
                self._flush()
        self._flush()

    def _settle_abandoned(self) -> None:
        """Log the try that a silent worker took with it; it is due again at once."""
        now = timezone.now()
        for delivery in self.claim.deliveries:
            if delivery.pk in self.claim.abandoned:
                self.waiting.remove(delivery)
                self._done(outcomes.of_lost_lease(delivery, self.plan.ladder, now))

    def _load_tickets(self) -> dict[int, Feedback]:
        rows = Feedback.objects.filter(pk__in={d.feedback_id for d in self.waiting})
        rows = rows.select_related("status", "submitter")
        return {ticket.pk: ticket for ticket in rows}

    def _feed(self) -> None:
        """Keep the threads busy, but build no more requests than they can take."""
        if _stopping.is_set() or time.monotonic() > self.until:
            while self.waiting:
                self._done(outcomes.given_back(self.waiting.popleft()))
        while self.waiting and self.in_flight < 2 * self.sender.size:
            self._submit(self.waiting.popleft())

    def _submit(self, delivery: Delivery) -> None:
        now = timezone.now()
        ticket = self.tickets.get(delivery.feedback_id or 0)
        if ticket is None:
            message = "The ticket was deleted before the request was built."
            self._done(outcomes.of_render_error(delivery, message, now))
            return
        template = self.plan.steps[delivery.step]
        context = context_for(ticket, self.run_row, delivery.pk, now)
        try:
            request = template.render(context)
            masked = (
                template.render_masked(context) if template.uses_secrets else request
            )
        except TooLarge as error:
            too_large = outcomes.of_render_error(
                delivery, str(error), now, ErrorClass.TOO_LARGE
            )
            self._done(too_large)
            return
        except RenderError as error:
            self._done(outcomes.of_render_error(delivery, str(error), now))
            return
        self.in_flight += 1
        self.sender.submit(Exchange(delivery, request, masked, self.finished))

    def _collect(self) -> None:
        """Take what has come back, waiting for the first result only."""
        wait = max(0.01, self.flushed_at + FLUSH_INTERVAL - time.monotonic())
        try:
            while self.in_flight:
                exchange = self.finished.get(timeout=wait)
                self.in_flight -= 1
                self._done(outcomes.of_exchange(exchange, self.plan.ladder))
                wait = 0
        except Empty:
            pass

    def _done(self, outcome: Outcome) -> None:
        self.results.append(outcome)

    def _flush_is_due(self) -> bool:
        waited = time.monotonic() - self.flushed_at
        return len(self.results) >= FLUSH_SIZE or waited >= FLUSH_INTERVAL

    def _flush(self) -> None:
        self._record()
        self.unfinished -= {outcome.delivery.pk for outcome in self.results}
        self.results = []
        self.flushed_at = time.monotonic()
        self._look_up()

    def _record(self) -> None:
        """Write the results; a database that is away is waited for while we may."""
        give_up = self.renewed_at + settings.LEASE_SECONDS
        while True:
            try:
                recording.record(
                    self.run_row, self.claim.lease, self.results, timezone.now()
                )
                return
            except OperationalError:
                if connection.in_atomic_block or time.monotonic() > give_up:
                    raise
                connection.close()
                time.sleep(FLUSH_INTERVAL)

    def _look_up(self) -> None:
        """Between flushes: is the run cancelled, does the lease need renewing?"""
        states = Run.objects.filter(pk=self.run_row.pk).values_list("state", flat=True)
        if self.waiting and states.first() != RunState.ACTIVE:
            while self.waiting:
                self._done(outcomes.cancelled(self.waiting.popleft()))
        if self.flushed_at - self.renewed_at > settings.LEASE_SECONDS / 3:
            renew(self.claim, self.unfinished)
            self.renewed_at = self.flushed_at
