"""The worker's part: from stored calls to what became of their events.

One worker at a time works on a listener's calls, in the order in which they came, so
that of two changes of a ticket the later one comes last. It holds them by a lease. A
worker that is killed leaves a call as it was, but for the events that are written down:
an event, all that is done for it and its row are one transaction.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db import Error, IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils import timezone

from feedback import mode
from feedback.database import is_away, is_gone

from .. import queue
from ..models import CallState, InboundCall, InboundOutcome, Listener
from .events import MAX_EVENTS, events_in
from .handling import Handling
from .payloads import Payload, Unreadable, read_payload
from .results import Ended, failed
from .setup import Setup

logger = logging.getLogger(__name__)

# How often work on a call may begin and be cut off.
MAX_TRIES = 3
# Calls that are leased at once.
_BATCH = 20
# After so long other work of the worker has its turn, in seconds.
_TURN = 2.0
# How often the database may refuse an event for what passes, such as a deadlock.
_MAX_REFUSALS = 3
_DONE = {"state": CallState.DONE, "lease": "", "leased_until": None}
_TOO_MANY = (
    f"The call brings more than {MAX_EVENTS} events. The others were not processed:"
    " have the sender send fewer at once."
)


def hear(listener_id: int) -> None:
    """Work on the calls of a listener that are due, for a while."""
    turn = _Turn(listener_id)
    try:
        turn.take()
    except _TurnOver:
        turn.give_back()
        queue.notify_calls(listener_id)
    except _Lost:
        pass
    except Error as error:
        # No fault of the call: it begins anew, as often as it takes.
        if is_away(error) and not is_gone(error):
            turn.give_back()
        raise


class _TurnOver(Exception):
    """Other work of the worker has its turn, or the installation was paused."""


class _Lost(Exception):
    """Another worker has the call by now."""


class _Turn:
    """What one worker does for one listener at a time."""

    def __init__(self, listener_id: int) -> None:
        self.listener_id = listener_id
        self.lease = uuid.uuid4().hex
        self.ends_at = time.monotonic() + _TURN

    def take(self) -> None:
        setup: Setup | None = None
        while calls := _lease(self.listener_id, self.lease):
            setup = setup or Setup(_listener(self.listener_id))
            for pk in calls:
                _Call(setup, pk, self).work()

    def check(self) -> None:
        if time.monotonic() >= self.ends_at or not mode.is_sending():
            raise _TurnOver

    def give_back(self) -> None:
        """Nothing that is given back was cut off."""
        held = InboundCall.objects.filter(
            listener=self.listener_id, state=CallState.WAITING, lease=self.lease
        )
        # One is left: what was begun may have events that are written down.
        held.update(lease="", leased_until=None, tries=Least("tries", 1))


def _listener(pk: int) -> Listener:
    related = (
        "feedback_type__project__community",
        "project__community",
        "community",
        "filter__feedback_type__project__community",
        "filter__project__community",
        "filter__community",
    )
    return Listener.objects.select_related(*related).get(pk=pk)


def _lease(listener_id: int, lease: str) -> list[int]:
    """The next calls, unless another worker is at work on the listener."""
    now = timezone.now()
    with transaction.atomic():
        # One at a time looks who is at work.
        rows = Listener.objects.select_for_update(no_key=True)
        rows = rows.filter(pk=listener_id, deleting_since=None)
        if not rows.values_list("pk").exists():
            return []
        waiting = InboundCall.objects.filter(
            listener=listener_id, state=CallState.WAITING
        )
        held = waiting.filter(leased_until__gt=now).exclude(lease=lease)
        if held.exists():
            return []
        pks = list(waiting.order_by("pk").values_list("pk", flat=True)[:_BATCH])
        InboundCall.objects.filter(pk__in=pks).update(
            lease=lease, leased_until=_lease_end()
        )
    return pks


def _lease_end() -> object:
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)


class _Call:
    """One call at work."""

    def __init__(self, setup: Setup, pk: int, turn: _Turn) -> None:
        self.setup = setup
        self.mine = InboundCall.objects.filter(
            pk=pk, lease=turn.lease, state=CallState.WAITING
        )
        self.turn = turn

    def work(self) -> None:
        """Raises _Lost and _TurnOver."""
        self.turn.check()
        self._hold(tries=F("tries") + 1)
        call = self.mine.get()
        done: set[int] = set()
        if call.tries > 1:
            done.update(call.events.order_by().values_list("position", flat=True))
        if call.tries > MAX_TRIES:
            cut_off = failed(
                f"Work on the call was cut off {MAX_TRIES} times, so it was given up."
            )
            self._end(call, max(done, default=-1) + 1, cut_off)
            return
        if not self.setup.listener.is_active:
            off = Ended(InboundOutcome.OFF, "The listener was off.")
            self._end(call, 0, off, done)
            return
        try:
            payloads = read_events(self.setup, call)
        except Ended as ended:
            self._end(call, 0, ended, done)
            return
        positions = [each for each in range(len(payloads)) if each not in done]
        for position in positions:
            self.turn.check()
            self._event(call, payloads[position], position, positions[-1])
        if not positions:
            self._hold(**_DONE)

    def _event(
        self, call: InboundCall, payload: Payload, position: int, last: int
    ) -> None:
        """One transaction, repeated where the database refused it for the moment."""
        for refusals in range(1, _MAX_REFUSALS + 1):
            try:
                with transaction.atomic():
                    self._hold(**(_DONE if position == last else {}))
                    now = timezone.now()
                    handling = Handling(self.setup, call, payload, position, now)
                    if position < MAX_EVENTS:
                        handling.run()
                    else:
                        handling.end(failed(_TOO_MANY))
                return
            except Error as error:
                passes = is_away(error) or isinstance(error, IntegrityError)
                if not passes or refusals == _MAX_REFUSALS or is_gone(error):
                    raise
                logger.warning(
                    "Event %s of %s is tried again: %s", position, call, error
                )

    def _hold(self, **values: object) -> None:
        """Only the holder may write what became of it; the lease goes on meanwhile."""
        if not self.mine.update(**{"leased_until": _lease_end(), **values}):
            raise _Lost

    def _end(
        self,
        call: InboundCall,
        position: int,
        ended: Ended,
        done: set[int] | None = None,
    ) -> None:
        """The whole call ends in one way, unless events of it have ended before."""
        with transaction.atomic():
            self._hold(**_DONE)
            if not done:
                now = timezone.now()
                handling = Handling(self.setup, call, Payload(None), position, now)
                handling.end(ended)


def read_events(setup: Setup, call: InboundCall) -> list[Payload]:
    """What the events of a call say. Raises Ended where it has none."""
    headers: Mapping[str, str] = {**call.headers, "content-type": call.content_type}
    try:
        payload = read_payload(
            setup.listener.payload_format, bytes(call.body), headers, call.query
        )
        payloads = events_in(payload, setup.events_at)
    except Unreadable as unreadable:
        raise Ended(InboundOutcome.UNREADABLE, str(unreadable)) from None
    if not payloads and setup.events_at is not None:
        why = f"The call brings no event ({setup.events_at.text})."
        raise Ended(InboundOutcome.IGNORED, why)
    return payloads
