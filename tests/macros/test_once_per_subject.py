"""A macro that runs once on each subject."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from centerhook.receiver import Receiver
from feedback.models import Feedback, FeedbackType
from logs.models import Cause, Delivery, DeliveryState, Run
from macros import deliveries
from macros.models import Macro
from macros.runs import RunRefused, start_run, start_test
from macros.steps.kinds.web_request import WebRequest
from tests import factories

pytestmark = pytest.mark.django_db

one_writer_waits_for_another = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite has one writer at a time."
)


@contextmanager
def beside(act: Callable[[], object]) -> Iterator[threading.Thread]:
    """A thread to start, with a connection of its own; it ends with the block."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    yield thread
    if thread.ident is not None:
        thread.join()


def waits_for_a_lock(thread: threading.Thread) -> bool:
    """Whether it comes to wait for a lock; if not, it has ended."""
    with connection.cursor() as cursor:
        while thread.is_alive():
            cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
            if cursor.fetchone():
                return True
    return False


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def once(of: FeedbackType, *urls: str) -> Macro:
    made = factories.macro(of, *urls)
    made.once_per_subject = True
    made.save()
    return made


def subjects_of(run: Run) -> list[str]:
    rows = run.deliveries.filter(step=0).order_by("pk")
    return list(rows.values_list("subject_label", flat=True))


def test_what_it_has_run_on_is_left_out(bugs: FeedbackType, receiver: Receiver) -> None:
    macro = once(bugs, f"{receiver.url}/ok")
    factories.tickets(bugs, 2)
    deliveries.work(factories.run(macro).pk)
    factories.ticket(bugs)
    run = factories.run(macro)
    assert (subjects_of(run), run.total, run.left_out) == (["BUG-3"], 1, 2)
    with pytest.raises(RunRefused, match="once per ticket, and has run on all"):
        factories.run(macro)
    assert Run.objects.count() == 2


def test_what_waits_counts_and_what_failed_does_not(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    macro = once(bugs, f"{receiver.url}/status/400")
    factories.ticket(bugs)
    run = factories.run(macro)
    with pytest.raises(RunRefused):
        factories.run(macro)
    deliveries.work(run.pk)
    assert factories.run(macro).total == 1


def test_a_later_step_that_failed_does_not_open_it_again(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    macro = once(bugs, f"{receiver.url}/ok", f"{receiver.url}/status/400")
    factories.ticket(bugs)
    deliveries.work(factories.run(macro).pk)
    states = set(Delivery.objects.values_list("step", "state"))
    assert states == {(0, DeliveryState.DELIVERED), (1, DeliveryState.FAILED)}
    with pytest.raises(RunRefused):
        factories.run(macro)


def test_a_test_and_another_macro_count_for_nothing(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    macro = once(bugs, f"{receiver.url}/ok")
    ticket = factories.ticket(bugs)
    deliveries.work(factories.run(factories.macro(bugs, f"{receiver.url}/ok")).pk)
    step = WebRequest.objects.get(macro=macro)
    deliveries.work(start_test(step, ticket, actor=None).pk)
    assert factories.run(macro).total == 1
    # And a test can be made whatever was run on.
    assert start_test(step, ticket, actor=None).total == 1


@pytest.mark.django_db(transaction=True)
def test_two_starts_at_once_run_on_each_once(bugs: FeedbackType) -> None:
    macro = once(bugs, "https://example.com/")
    factories.tickets(bugs, 5)
    ready = threading.Barrier(2)
    refused = []

    def start() -> None:
        ready.wait()
        try:
            rows = Feedback.objects.filter(feedback_type=bugs)
            start_run(Macro.objects.get(pk=macro.pk), rows, cause=Cause.ACTION)
        except RunRefused as why:
            refused.append(why)
        finally:
            connection.close()

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(refused), Delivery.objects.count()) == (1, 5)


@one_writer_waits_for_another
@pytest.mark.django_db(transaction=True)
def test_a_start_waits_for_the_one_before_it(bugs: FeedbackType) -> None:
    macro = once(bugs, "https://example.com/")
    factories.ticket(bugs)
    # From here on the version exists, so that nobody waits for who makes it.
    factories.run(macro)
    factories.tickets(bugs, 5)
    refused = []

    def start() -> None:
        try:
            factories.run(Macro.objects.get(pk=macro.pk))
        except RunRefused as why:
            refused.append(why)

    with beside(start) as second, transaction.atomic():
        factories.run(macro)
        second.start()
        assert waits_for_a_lock(second)
    assert (len(refused), Delivery.objects.count()) == (1, 6)


@one_writer_waits_for_another
@pytest.mark.django_db(transaction=True)
def test_a_start_holds_up_nothing_else_that_refers_to_the_macro(
    bugs: FeedbackType,
) -> None:
    macro = once(bugs, "https://example.com/")
    ticket = factories.ticket(bugs)
    step = WebRequest.objects.get(macro=macro)

    def test_it() -> None:
        start_test(step, ticket, actor=None)

    with beside(test_it) as other, transaction.atomic():
        factories.run(macro)
        other.start()
        assert not waits_for_a_lock(other)
    assert Run.objects.count() == 2
