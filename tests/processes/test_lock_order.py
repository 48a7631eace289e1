"""Whoever writes beside a worker waits for it, or it for them: never both.

One writer is stopped after each statement that locks what both take, until the other
one has done all it can. Only PostgreSQL has locks of single rows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from feedback.changes import deletion
from feedback.models import Community, Feedback, FeedbackType, Project, Status
from feedback.models import Tester as Person
from logs import recording
from logs.figures import keeping
from logs.models import (
    Attempt,
    Delivery,
    DeliveryCount,
    DeliveryState,
    Destination,
    ErrorClass,
    Resend,
    Run,
    TicketCount,
)
from logs.recording import Captured, Outcome, requeue, waiting
from macros.models import Macro
from macros.runs.control import cancel_run
from tests import factories

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

LEASE = "mine"
ORIGIN = "https://a.example:443"
# What a worker that writes down results locks, in its order.
SHARED = (Delivery, Feedback, Person, Macro, Destination, Run, DeliveryCount, Community)
SHARED += (TicketCount,)
Deed = Callable[[], object]


@dataclass
class Scene:
    """A run at work: of two tickets, one is delivered and the other one fails."""

    kind: FeedbackType
    run: Run
    outcomes: list[Outcome]

    def record(self) -> None:
        recording.record(self.run, LEASE, self.outcomes, timezone.now())

    def cancel(self) -> None:
        cancel_run(Run.objects.get(pk=self.run.pk))

    def withdraw(self) -> None:
        mine = Delivery.objects.filter(feedback__feedback_type=self.kind)
        recording.withdraw(mine, timezone.now())

    def resend(self) -> None:
        requeue.requeue(self.run.deliveries.all(), Resend.ANEW, "me", timezone.now())

    def resume(self) -> None:
        waiting.resume(
            Destination.objects.get(community=self.run.community_id), timezone.now()
        )

    def delete(self, model: Any) -> None:
        project = self.kind.project
        pk = {
            FeedbackType: self.kind.pk,
            Macro: self.run.macro_id,
            Project: project.pk,
            Community: project.community_id,
        }[model]
        deletion.delete(model.objects.get(pk=pk))

    def delete_in_steps(self) -> None:
        rows = Community.objects.filter(pk=self.kind.project.community_id)
        rows.update(deleting_since=timezone.now())
        while rows.exists():
            deletion.go_on()

    def delete_tickets(self) -> None:
        deletion.delete_all(Feedback.objects.filter(feedback_type=self.kind))

    def delete_testers(self) -> None:
        community = self.kind.project.community
        deletion.delete_all(Person.objects.filter(community=community))


def a_scene() -> Scene:
    kind = factories.feedback_type()
    community = kind.project.community
    for _ in range(2):
        factories.ticket(kind, submitter=factories.tester(kind))
    Destination.objects.create(
        community=community,
        origin=ORIGIN,
        held_until=timezone.now() + timedelta(hours=1),
    )
    follower = factories.macro(kind, "https://b.example/")
    macro = factories.macro(kind, "https://a.example/", "https://a.example/2")
    factories.trigger(follower, "modified")
    run = factories.run(macro)
    # As it is on a table that lived: rows stand elsewhere than their keys say.
    first, second = run.deliveries.filter(step=0).order_by("pk")
    for row in (second, first):
        Delivery.objects.filter(pk=row.pk).update(lease=LEASE)
    return Scene(kind, run, [_delivered(first), _failed(second)])


def _attempt(delivery: Delivery, **values: Any) -> Attempt:
    return Attempt(
        delivery=delivery, number=1, started_at=timezone.now(), total_ms=5, **values
    )


def _delivered(delivery: Delivery) -> Outcome:
    attempt = _attempt(delivery, status=200)
    captured = [Captured("key", "NW-1", "$.key")]
    return Outcome(
        delivery, DeliveryState.DELIVERED, attempt, origin=ORIGIN, captured=captured
    )


def _failed(delivery: Delivery) -> Outcome:
    attempt = _attempt(delivery, status=500, error_class=ErrorClass.HTTP)
    return Outcome(delivery, DeliveryState.FAILED, attempt, origin=ORIGIN)


class Writer(threading.Thread):
    """Does its deed, and stops after a statement until it may go on."""

    def __init__(self, deed: Deed, stop_after: int = 0) -> None:
        super().__init__()
        self.deed, self.stop_after = deed, stop_after
        self.failure: BaseException | None = None
        self.pid, self.statements = 0, 0
        self.stopped, self.may_go_on = threading.Event(), threading.Event()

    def run(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self.pid = cursor.fetchone()[0]
            with connection.execute_wrapper(self._count):
                self.deed()
        except BaseException as error:
            self.failure = error
        finally:
            self.stopped.set()
            connection.close()

    def _count(self, execute: Any, sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        is_read = sql.startswith("SELECT") and " FOR " not in sql
        is_shared = any(f'"{model._meta.db_table}"' in sql for model in SHARED)
        if is_read or not is_shared or rest[-1]["cursor"].rowcount < 1:
            return result
        self.statements += 1
        if self.statements == self.stop_after:
            self.stopped.set()
            self.may_go_on.wait(60)
        return result

    @property
    def waits(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_blocking_pids(%s)", [self.pid])
            return bool(cursor.fetchone()[0])


@contextmanager
def stopped(deed: Deed, after: int) -> Iterator[Writer]:
    writer = Writer(deed, after)
    writer.start()
    assert writer.stopped.wait(60)
    try:
        yield writer
    finally:
        writer.may_go_on.set()
        writer.join()


def beside(first: Deed, second: Deed, after: int) -> bool:
    """False where the first one has no so many statements."""
    with stopped(first, after) as one:
        is_over = not one.is_alive() or one.statements < after
        other = Writer(second)
        other.start()
        while other.is_alive() and not other.waits:
            time.sleep(0.002)
    other.join()
    assert (one.failure, other.failure) == (None, None), after
    return not is_over


WRITERS: dict[str, Callable[[Scene], object]] = {
    "cancels the run": Scene.cancel,
    "erases": Scene.withdraw,
    "resends": Scene.resend,
    "ends the wait": Scene.resume,
    **{
        f"deletes the {model._meta.verbose_name}": lambda at, model=model: at.delete(
            model
        )
        for model in (Macro, FeedbackType, Project, Community)
    },
    "deletes in steps": Scene.delete_in_steps,
    "deletes tickets": Scene.delete_tickets,
    "deletes testers": Scene.delete_testers,
}


# It locks a hundred times, and the same again for each model.
STRIDES = {"deletes in steps": 6}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "second"])
def test_nobody_and_a_worker_wait_for_each_other(name: str, is_first: bool) -> None:
    after, goes_on = 1, True
    while goes_on:
        scene = a_scene()
        deeds = [scene.record, lambda scene=scene: WRITERS[name](scene)]
        if not is_first:
            deeds.reverse()
        goes_on = beside(deeds[0], deeds[1], after)
        after += 1 if is_first else STRIDES.get(name, 1)
        _check_counters(scene.run)


def _check_counters(run: Run) -> None:
    """What the run says is what its deliveries say."""
    states = list(run.deliveries.values_list("state", flat=True))
    for kept in Run.objects.filter(pk=run.pk):
        for name in ("delivered", "failed", "skipped", "cancelled"):
            assert getattr(kept, name) == states.count(name), name


def test_two_clocks_that_count_tickets_do_not_wait_for_each_other() -> None:
    after, goes_on = 1, True
    while goes_on:
        kind = factories.feedback_type()
        first, second = Status.objects.filter(feedback_type=kind).order_by("pk")
        for status in (first, second):
            factories.ticket(kind, status=status)
        keeping.count_tickets(timezone.now())
        Feedback.objects.filter(feedback_type=kind).update(status=second)

        def moves(kind: FeedbackType = kind, to: Status = first) -> None:
            Feedback.objects.filter(feedback_type=kind).update(status=to)
            keeping.count_tickets(timezone.now())

        goes_on = beside(lambda: keeping.count_tickets(timezone.now()), moves, after)
        after += 1
    assert TicketCount.objects.filter(status=first.pk).exists()
