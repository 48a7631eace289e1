"""While the installation is paused nothing is sent; all of it goes on afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import django_rq
import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import Settings

from centerhook import installation
from centerhook.receiver import Receiver
from feedback.access.keys import authenticate
from feedback.attachments import pruning as attachments
from feedback.models import Comment, FeedbackType, Mode, TicketImport
from logs.models import Attempt, BreakerState, Delivery, Destination, Run, RunState
from macros import deliveries, jobs, queue
from macros.deliveries import Engine
from macros.models import InboundCall, Schedule
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def paused(bugs: FeedbackType) -> None:
    installation.set_mode(Mode.PAUSED, "olivia")


def let_go() -> None:
    installation.set_mode(Mode.NORMAL, "olivia")


def waiting_jobs() -> list[str]:
    return [each.func_name for each in django_rq.get_queue(queue.QUEUE).get_jobs()]


def test_nothing_is_claimed_until_it_sends_again(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    factories.tickets(bugs, 3)
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok"))
    installation.set_mode(Mode.PAUSED, "olivia")
    deliveries.work(run.pk)
    assert not receiver.ids
    assert not Delivery.objects.exclude(state="pending", lease="", attempts=0).exists()
    let_go()
    deliveries.work(run.pk)
    run.refresh_from_db()
    assert run.delivered == len(receiver.ids) == 3


def test_what_is_on_the_wire_comes_to_its_end_and_the_rest_is_given_back(
    bugs: FeedbackType, receiver: Receiver, short_naps: None
) -> None:
    factories.tickets(bugs, 60)
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok"))
    engine = Engine()
    engine._take_up(run.pk)
    engine._turns.round()
    engine._advance_all()
    on_the_wire = len(engine._on_the_wire)
    assert 0 < on_the_wire < 60
    installation.set_mode(Mode.PAUSED, "olivia")
    while engine._works:
        engine._step()
    engine.close()
    run.refresh_from_db()
    assert run.delivered == len(receiver.ids) == on_the_wire
    left = Delivery.objects.filter(state="pending", lease="", attempts=0)
    assert left.count() == 60 - on_the_wire


def test_the_clock_starts_nothing_and_wakes_nobody(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    macro = factories.macro(bugs, "https://a.example/")
    factories.run(macro)
    factories.schedule(macro)
    past = timezone.now() - timedelta(minutes=1)
    Schedule.objects.update(is_active=True, next_run_at=past)
    factories.inbound_call(factories.listener(bugs), b"{}")
    installation.set_mode(Mode.PAUSED, "olivia")
    django_rq.get_queue(queue.QUEUE).empty()
    jobs.wake()
    assert waiting_jobs() == [] and Run.objects.count() == 1
    let_go()
    jobs.wake()
    assert set(waiting_jobs()) == {"macros.jobs.deliver", "macros.jobs.hear"}
    assert Run.objects.count() == 2


def test_a_job_that_waited_ends_at_once(bugs: FeedbackType) -> None:
    bug = factories.ticket(bugs)
    comment = {"kind": "comment", "value": "Heard"}
    finds = {"record_by": "id", "record_at": "$.id"}
    listener = factories.listener(bugs, comment, **finds)
    factories.inbound_call(listener, b'{"id": %d}' % bug.pk)
    installation.set_mode(Mode.PAUSED, "olivia")
    jobs.hear(listener.pk)
    assert InboundCall.objects.get().state == "waiting"
    let_go()
    jobs.hear(listener.pk)
    assert Comment.objects.get().text == "Heard"


def test_no_notice_goes_out_and_none_is_forgotten(bugs: FeedbackType) -> None:
    community = bugs.project.community
    community.alert_emails = "ops@example.com"
    community.save()
    origin = "https://a.example"
    Destination.objects.create(
        community=community, origin=origin, breaker=BreakerState.OPEN
    )
    key, token = factories.api_key(community, notify_emails="ops@example.com")
    installation.set_mode(Mode.PAUSED, "olivia")
    jobs.wake()
    authenticate(token, "127.0.0.1")
    key.refresh_from_db()
    assert mail.outbox == [] and key.notified_at is None
    let_go()
    jobs.wake()
    authenticate(token, "127.0.0.1")
    key.refresh_from_db()
    assert key.notified_at is not None
    assert [each.subject for each in mail.outbox] == [
        f"{origin} failed 0 times in a row"
    ]


def test_cancelling_goes_on(bugs: FeedbackType, paused: None) -> None:
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://a.example/"))
    Run.objects.update(state=RunState.CANCELLING)
    jobs.wake()
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED


@pytest.mark.parametrize(("retries", "state"), [(True, "pending"), (False, "failed")])
def test_what_was_on_the_way_is_written_down_as_unknown_before_anything_is_sent(
    bugs: FeedbackType, receiver: Receiver, retries: bool, state: str
) -> None:
    factories.tickets(bugs, 2)
    macro = factories.macro(bugs, f"{receiver.url}/ok", ladder="1 s")
    macro.retry_unknown = retries
    macro.save()
    run = factories.run(macro)
    held = Delivery.objects.order_by("pk")[:1].get()
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(pk=held.pk).update(lease="gone", next_attempt_at=past)
    installation.set_mode(Mode.PAUSED, "olivia")
    deliveries.work(run.pk)
    attempt = Attempt.objects.get()
    assert (attempt.delivery_id, attempt.error_class) == (held.pk, "lost")
    assert attempt.outcome_unknown and not receiver.ids
    held.refresh_from_db()
    assert (held.state, held.lease) == (state, "")


def test_the_clock_looks_for_those_once_in_a_lease(
    bugs: FeedbackType, paused: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_losses_looked_at", float("-inf"))
    factories.tickets(bugs, 2)
    run = factories.run(factories.macro(bugs, "https://a.example/"))
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(run=run).update(lease="gone", next_attempt_at=past)
    django_rq.get_queue(queue.QUEUE).empty()
    jobs.wake()
    jobs.wake()
    assert waiting_jobs() == ["macros.jobs.deliver"]


def test_read_only_writes_nothing_at_all(
    bugs: FeedbackType,
    receiver: Receiver,
    django_assert_num_queries: Callable[..., object],
) -> None:
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok"))
    Delivery.objects.update(
        lease="gone", next_attempt_at=timezone.now() - timedelta(seconds=1)
    )
    Run.objects.update(state=RunState.CANCELLING)
    installation.set_mode(Mode.READ_ONLY, "olivia")
    jobs.wake()  # Looks the mode up.
    with django_assert_num_queries(0):
        jobs.wake()
    deliveries.work(run.pk)
    assert not Attempt.objects.exists() and not receiver.ids


def test_it_is_looked_up_once_a_second_however_many_deliveries(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    """`tests/conftest.py` lets a look hold for ever: there is one after the change."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from feedback import mode

    factories.tickets(bugs, 200)
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok"))
    mode.forget()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        deliveries.work(run.pk)
    looks = [each for each in queries if "feedback_installation" in each["sql"]]
    assert len(looks) == 1 and len(receiver.ids) == 200


def test_what_this_version_can_not_read_fails_only_when_it_sends(
    bugs: FeedbackType, paused: None
) -> None:
    """After a restore the code may be an older one."""
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://a.example/"))
    Run.objects.update(snapshot={"of": "another version"})
    deliveries.work(run.pk)
    assert Delivery.objects.get().state == "pending"
    let_go()
    deliveries.work(run.pk)
    assert Delivery.objects.get().state == "failed"


def test_no_import_goes_on(bugs: FeedbackType) -> None:
    made = factories.ticket_import(bugs)
    made.parts.update(is_done=False)
    TicketImport.objects.update(state="importing", created=0)
    installation.set_mode(Mode.PAUSED, "olivia")
    jobs.go_on_importing(made.pk)
    assert not bugs.tickets.exists()
    let_go()
    jobs.go_on_importing(made.pk)
    assert bugs.tickets.get().title == "It breaks"


def test_nothing_old_is_deleted(
    bugs: FeedbackType, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restore, files that are newer than the rows are not to go at once."""
    old = timezone.now() - timedelta(days=settings.INBOUND_KEPT_DAYS + 1)
    call = factories.inbound_call(factories.listener(bugs), b"{}")
    InboundCall.objects.filter(pk=call.pk).update(state="done", received_at=old)
    walk: list[int] = []
    monkeypatch.setattr(attachments, "prune", lambda: walk.append(1))
    installation.set_mode(Mode.PAUSED, "olivia")
    jobs.wake()
    assert InboundCall.objects.exists() and not walk
    let_go()
    jobs.wake()
    assert walk and not InboundCall.objects.exists()
