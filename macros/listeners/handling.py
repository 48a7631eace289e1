"""One event, from what it says to what became of it; both for real and for a trial.

All that is done for an event is one transaction with the row that says so. Whatever
keeps it from acting ends it with a sentence, and undoes what was done so far.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from django.db import IntegrityError, transaction

from feedback.changes import READ, Origin, unit
from feedback.database import is_away
from feedback.models import Feedback, Tester
from feedback.models.numbers import ExactEncoder
from feedback.texts import storable

from ..models import (
    ActionKind,
    InboundCall,
    InboundEvent,
    InboundOutcome,
)
from .actions import Doing
from .events import (
    check_author,
    check_name,
    happened_at,
    is_known_by_body,
    name_of,
    repeat_key,
)
from .loops import check_loop
from .payloads import Payload, Unreadable
from .records import check_filter, find_record, none_found
from .results import Ended, Result, failed
from .setup import Setup

logger = logging.getLogger(__name__)

FAULT = "An error inside CenterHook; its log says more."
NOTHING_DIFFERED = "Nothing changed."


class Handling:
    """One event at a position of its call, which the caller has locked."""

    def __init__(
        self,
        setup: Setup,
        call: InboundCall,
        payload: Payload,
        position: int,
        now: datetime,
    ) -> None:
        self.setup = setup
        self.call = call
        self.payload = payload
        self.result = Result()
        self.event = InboundEvent(
            call=call,
            listener=setup.listener,
            position=position,
            outcome=InboundOutcome.ACTED,
            created_at=now,
        )

    def run(self) -> Result:
        """Inside a transaction. Raises what the database raises while it is away."""
        try:
            self._work()
        except Ended as ended:
            self.result.end(ended)
        except Unreadable as unreadable:
            self.result.end(Ended(InboundOutcome.UNREADABLE, str(unreadable)))
        except Exception as error:
            if is_away(error):
                raise
            logger.exception(
                "A fault at event %s of %s", self.event.position, self.call
            )
            self.result.end(failed(FAULT))
        self._write()
        return self.result

    def end(self, ended: Ended) -> None:
        """Write down that nothing is done."""
        self.result.end(ended)
        self._write()

    def _work(self) -> None:
        setup, payload, result = self.setup, self.payload, self.result
        result.name = storable(name_of(setup, payload))
        if setup.problems:
            problem = setup.problems[0]
            raise failed(f"The listener can't work: {problem.sentence}")
        if setup.lock:
            raise Ended(InboundOutcome.PAUSED, setup.lock)
        check_name(setup, result.name)
        check_author(setup, payload)
        body = bytes(self.call.body)
        key = repeat_key(setup, payload, body, self.event.position)
        self._check_repeat(key)
        result.happened_at = happened_at(setup, payload, self.call.received_at)
        result.record = find_record(setup, payload)
        creates = any(each.kind == ActionKind.CREATE for each in setup.actions)
        if result.record is None and not creates:
            raise Ended(InboundOutcome.NO_RECORD, none_found(setup, payload))
        if result.record is not None:
            check_filter(setup, result.record)
        chain = check_loop(setup, self.call)
        self._hold(key)
        self._act(chain)

    def _act(self, chain: tuple[int, ...]) -> None:
        """What was found is changed by automation; what is new was submitted."""
        name, record = self.setup.listener.name, self.result.record
        origin = Origin(listener=name, chain=chain)
        if record is None:
            origin = Origin(actor=f"Listener {name}", chain=chain)
        doing = Doing(
            self.setup, self.payload, self.event, self.result, origin, self._kept
        )
        try:
            with unit(origin) as opened:
                if record is not None:
                    # What the changes read is read with the lock.
                    columns = READ if isinstance(record, Feedback) else ()
                    if not opened.lock(type(record), [record.pk], columns):
                        record = None
                        raise Ended(InboundOutcome.NO_RECORD, "It was just deleted.")
                    self._check_older(record)
                doing.do_all()
        except Exception:
            # What was created is undone.
            self.result.record = record
            raise
        if not (self.result.changes or self.result.macros):
            self.result.detail = NOTHING_DIFFERED

    @property
    def _kept(self) -> Callable[[], str]:
        """What runs keep of the event: JSON in ASCII, made when a run is started."""
        members = self.payload.members
        return cache(lambda: json.dumps(members, cls=ExactEncoder))

    def _check_repeat(self, key: str) -> None:
        if not key or self.call.replayed_by:
            return
        first = self._holder(key)
        if first is None:
            return
        if is_known_by_body(self.setup, self.payload):
            seconds = self.setup.listener.repeat_seconds
            if self.event.created_at - first.created_at > timedelta(seconds=seconds):
                # It is not repeated any more: the next one holds the key.
                InboundEvent.objects.filter(pk=first.pk).update(repeat_key="")
                return
        raise self._repeat(first)

    def _holder(self, key: str) -> InboundEvent | None:
        rows = InboundEvent.objects.filter(listener=self.setup.listener)
        return rows.filter(repeat_key=key).only("created_at").order_by().first()

    def _repeat(self, first: InboundEvent | None) -> Ended:
        by = "body" if is_known_by_body(self.setup, self.payload) else "id"
        detail = f"An event with the same {by} was acted on before."
        return Ended(InboundOutcome.REPEAT, detail, first)

    def _hold(self, key: str) -> None:
        """Write the event down, so that no other of its key acts as well.

        Another that is at work on the same waits here until this one is done.
        """
        self.event.repeat_key = self.result.repeat_key = key
        try:
            with transaction.atomic():
                self.event.save()
        except IntegrityError:
            if not self.call.replayed_by:
                raise self._repeat(self._holder(key)) from None
            # A person wants it done again, and the first one keeps the key.
            self.event.repeat_key = self.result.repeat_key = ""
            self.event.save()

    def _check_older(self, record: Feedback | Tester) -> None:
        moment = self.result.happened_at
        if moment is None:
            return
        own = "tester" if isinstance(record, Tester) else "feedback"
        applied = InboundEvent.objects.filter(
            listener=self.setup.listener,
            outcome=InboundOutcome.ACTED,
            happened_at__gt=moment,
            **{own: record.pk},
        ).exclude(pk=self.event.pk)
        moments = applied.order_by("-happened_at").values_list("happened_at", flat=True)
        if newest := moments.first():
            raise Ended(
                InboundOutcome.OLDER,
                f"It happened at {moment.isoformat()}, and what happened at"
                f" {newest.isoformat()} was applied before.",
            )

    def _write(self) -> None:
        event, result = self.event, self.result
        event.name = result.name
        event.outcome = result.outcome
        event.detail = storable(result.detail)
        runs = [f"The macro {name} was started." for name in result.macros]
        event.changes = storable("\n".join([*result.changes, *runs]))
        event.repeat_key = result.repeat_key
        event.repeat_of = result.repeat_of
        event.happened_at = result.happened_at
        record = result.record
        event.feedback = record if isinstance(record, Feedback) else None
        event.tester = record if isinstance(record, Tester) else None
        event.save()
