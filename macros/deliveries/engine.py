"""The engine: one thread of a worker works on every run it was notified of.

It owns the database connection; the sender's threads own the network. Between the two
lies one inbox, which carries finished exchanges and notifications of runs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db import (
    DataError,
    Error,
    IntegrityError,
    close_old_connections,
    connection,
)

from feedback import mode
from feedback.formats import NewerFormat
from feedback.models import Mode
from logs.models import Run

from ..http import AddressPolicy, Limits
from ..steps.rendering import Plan
from ..tags import TemplateError
from .building import Sending
from .losses import note_losses
from .sender import Clients, Exchange, Sender
from .suspects import Isolation
from .throttle import Throttles
from .turns import TURN, Turns
from .work import Work, fail_all

logger = logging.getLogger(__name__)

# The longest nap, in seconds.
TICK = 0.5
# Before looking again after the database was away, in seconds.
PAUSE = 1.0
# How often the age of the database connection is looked at, in seconds.
TEND_EVERY = 1.0
# What a stopping engine may take beyond a request's deadline, in seconds.
GRACE = 10.0
_UNREADABLE = (
    "The macro could not be read, by a fault inside CenterHook; its log says more."
)
# The database is there, but will never take these rows.
REFUSED = (DataError, IntegrityError)


class Engine:
    """Works on any number of runs side by side, none of which holds up another."""

    def __init__(self) -> None:
        # None only wakes.
        self._inbox: SimpleQueue[Exchange | int | None] = SimpleQueue()
        self._sender = _sender(self._inbox)
        self._throttles = Throttles(settings.DESTINATION_CONCURRENCY)
        self._works: dict[int, Work] = {}
        self._turns = Turns()
        # Runs of newer versions, of which the log has been told.
        self._left: set[int] = set()
        self._isolation = Isolation()
        self._on_the_wire: dict[Exchange, tuple[Work, Sending]] = {}
        self._tended_at = float("-inf")
        # A plain flag: setting an Event in a handler can wait for itself.
        self._stopping = False
        self._thread = threading.Thread(target=self._loop, name="engine", daemon=True)

    def notify(self, run_id: int) -> None:
        """Look at a run. May be called from any thread, as often as you like."""
        self._inbox.put(run_id)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Start nothing new: what is on the wire is seen through, the rest given back.

        Safe in a signal handler, since this queue's `put` may interrupt itself.
        """
        self._stopping = True
        self._inbox.put(None)

    @property
    def is_stopping(self) -> bool:
        return self._stopping

    @property
    def _is_resting(self) -> bool:
        """What is on the wire is finished, and the rest given back."""
        return self._stopping or not mode.is_sending()

    def join(self) -> None:
        """Wait until a stopped engine is done; a little over a request's deadline.

        If the database stays away for that long, the leases of what could not be
        written expire, and others go on with it.
        """
        self._thread.join(settings.REQUEST_DEADLINE + GRACE)
        if self._thread.is_alive():
            logger.warning("Stopped before everything was written down")
            return
        self._sender.close()

    def drain(self, run_id: int) -> None:
        """Work on one run in the caller's thread until nothing of it is due."""
        self._take_up(run_id)
        while self._works or self._turns:
            self._step()

    def close(self) -> None:
        self._sender.close()

    def _loop(self) -> None:
        while not self.is_stopping or self._works or self._turns:
            try:
                self._tend_connection()
                self._step()
            except Error as error:
                # Results are kept, and written when the database is back.
                logger.warning("The database is away: %s", error)
                connection.close()
                time.sleep(PAUSE)
            except Exception:
                # Without this thread the worker would be notified and do nothing.
                logger.exception("The engine stumbled")
                time.sleep(PAUSE)
        connection.close()

    def _tend_connection(self) -> None:
        """Let go of a connection that is too old or has failed, now and then."""
        now = time.monotonic()
        if now - self._tended_at >= TEND_EVERY:
            close_old_connections()
            self._tended_at = now

    def _step(self) -> None:
        """Claim, build, send; take in what came back; write it down."""
        self._throttles.refresh()
        moved = self._advance_all()
        self._receive(0.0 if moved or self._turns else self._nap)
        self._turns.round()
        for work in list(self._works.values()):
            self._try(self._write_down, work)

    @property
    def _nap(self) -> float:
        """Until something may go out."""
        works = self._works.values()
        return min([TICK, *(wait for work in works for wait in work.waits)])

    def _try(self, act: Callable[[Work], object], work: Work) -> bool:
        """What it says. A fault of ours in one run must not stop the others.

        The run is dropped: its leases expire, and what was lost is logged as such.
        """
        try:
            return bool(act(work))
        except Exception as error:
            if isinstance(error, Error) and not isinstance(error, REFUSED):
                raise
            logger.exception(
                "Run %s was dropped", work.run.pk, extra={"run": work.run.pk}
            )
            work.let_go()
            # Dropped already, if this came from the network afterwards.
            self._works.pop(work.run.pk, None)
            return False

    def _advance_all(self) -> bool:
        """A turn for each community's runs; True if anything moved."""
        moved = False
        works = self._works.values()
        is_resting = bool(works) and self._is_resting
        may_claim = is_resting or self._isolation.may_claim(works)
        ends_at: dict[int, float] = {}
        for pk, work in list(self._works.items()):
            now = time.monotonic()
            end = ends_at.setdefault(work.run.community_id, now + TURN)
            if is_resting:
                self._try(Work.give_back, work)
                continue
            if now >= end:
                moved = True
                continue
            act = partial(Work.advance, until=end, may_claim=may_claim)
            if self._try(act, work):
                moved = True
                # The others come first in the next round.
                self._works[pk] = self._works.pop(pk)
        return moved

    def _write_down(self, work: Work) -> None:
        work.flush_if_due()
        if work.is_idle:
            work.flush()
            if work.is_idle and not work.results:
                del self._works[work.run.pk]

    def _receive(self, wait: float) -> None:
        """Sort what has arrived into turns; waits for the first of it only."""
        try:
            while True:
                arrived = self._inbox.get(block=wait > 0, timeout=wait or None)
                wait = 0.0
                if isinstance(arrived, Exchange):
                    work, sending = self._on_the_wire.pop(arrived)
                    finished = partial(Work.finished, sending=sending)
                    act = partial(self._try, finished, work)
                    self._turns.add(work.run.community_id, act)
                elif arrived is not None:
                    self._take_up(arrived)
        except Empty:
            pass

    def _take_up(self, run_id: int) -> None:
        if run_id in self._works:
            self._works[run_id].has_more = True
            return
        run = Run.objects.filter(pk=run_id).first()
        if run is not None:
            self._turns.add(run.community_id, partial(self._begin, run))

    def _begin(self, run: Run) -> None:
        if run.pk in self._works:
            self._works[run.pk].has_more = True
            return
        if self.is_stopping or mode.current() == Mode.READ_ONLY:
            return
        try:
            plan = Plan.from_snapshot(run.snapshot)
        except NewerFormat as error:
            self._leave(run, error)
            return
        except TemplateError as error:
            self._give_up(run, str(error))
            return
        except Error:
            raise
        except Exception:
            logger.exception(
                "The macro of run %s can't be read", run.pk, extra={"run": run.pk}
            )
            self._give_up(run, _UNREADABLE)
            return
        if mode.is_sending():
            self._works[run.pk] = Work(run, plan, self._throttles, self._send)
        else:
            note_losses(run, plan)

    def _give_up(self, run: Run, message: str) -> None:
        """But not while it is paused: after a restore the code may be an older one."""
        if mode.is_sending():
            fail_all(run, message)

    def _leave(self, run: Run, error: NewerFormat) -> None:
        """It stays due, and a worker of that version is notified as well."""
        if run.pk not in self._left:
            self._left.add(run.pk)
            logger.warning("%s Run %s waits for it.", error, run.pk)

    def _send(self, work: Work, sending: Sending) -> None:
        self._on_the_wire[sending.exchange] = work, sending
        self._sender.submit(sending.exchange, len(self._on_the_wire))


def _sender(finished: SimpleQueue[Exchange | int | None]) -> Sender:
    policy = AddressPolicy(
        settings.ALLOWED_NETWORKS, settings.ALLOWED_DESTINATION_HOSTS
    )
    limits = Limits(
        connect=settings.CONNECT_TIMEOUT,
        read=settings.READ_TIMEOUT,
        deadline=settings.REQUEST_DEADLINE,
        max_bytes=settings.RESPONSE_LOG_BYTES,
    )
    clients = Clients(policy, limits, settings.DESTINATION_CONCURRENCY)
    return Sender(clients, finished, settings.WORKER_THREADS)
