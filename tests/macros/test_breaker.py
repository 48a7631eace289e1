"""The circuit breaker of a destination, from failures to recovery."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from centerhook.receiver import Receiver
from logs.models import Attempt, BreakerState, Delivery, Destination, Run
from logs.recording import health
from macros import deliveries, jobs
from macros.deliveries import alerts
from macros.retries import DEFAULT_LADDER
from tests import factories
from tests.http.hostile import OK, Peer, Server

pytestmark = pytest.mark.django_db


def broken_run(receiver: Receiver, count: int) -> Run:
    bugs = factories.feedback_type()
    factories.tickets(bugs, count)
    url = f"{receiver.url}/status/503"
    return factories.run(factories.macro(bugs, url, ladder="1 h"))


def test_failures_in_a_row_open_it_and_the_rest_waits_without_a_try(
    receiver: Receiver,
) -> None:
    run = broken_run(receiver, 300)

    deliveries.work(run.pk)

    row = Destination.objects.get()
    assert row.breaker == BreakerState.OPEN
    assert row.probe_at is not None
    untried = Delivery.objects.filter(attempts=0, state="pending", lease="")
    assert untried.count() == 300 - Attempt.objects.count() > 200
    before = len(receiver.ids)
    deliveries.work(run.pk)
    assert len(receiver.ids) == before, "nothing goes out while it is open"


def test_one_probe_goes_through_and_closes_it(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 20)
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok"))
    row = Destination.objects.create(
        community=run.community,
        origin=receiver.url,
        breaker=BreakerState.OPEN,
        probe_at=timezone.now() - timedelta(seconds=1),
        trips=3,
        consecutive_failures=40,
    )

    deliveries.work(run.pk)

    row.refresh_from_db()
    assert (row.breaker, row.trips, row.consecutive_failures) == ("closed", 0, 0)
    assert len(receiver.ids) >= 1
    with time_machine.travel(timezone.now() + timedelta(seconds=30)):
        deliveries.work(run.pk)
    run.refresh_from_db()
    assert (run.delivered, run.state) == (20, "finished")


def test_a_failed_probe_opens_it_for_longer(receiver: Receiver) -> None:
    run = broken_run(receiver, 5)
    now = timezone.now()
    row = Destination.objects.create(
        community=run.community,
        origin=receiver.url,
        breaker=BreakerState.OPEN,
        probe_at=now - timedelta(seconds=1),
        trips=1,
    )

    deliveries.work(run.pk)

    row.refresh_from_db()
    assert (row.breaker, row.trips) == ("open", 2)
    assert row.probe_at is not None
    assert (row.probe_at - now).total_seconds() >= 2 * health.FIRST_PAUSE
    assert Attempt.objects.count() == 1, "one probe, no more"


def test_refusals_do_not_open_it(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 30)
    run = factories.run(factories.macro(bugs, f"{receiver.url}/status/404"))
    deliveries.work(run.pk)
    assert Destination.objects.get().breaker == BreakerState.CLOSED


def test_a_paused_destination_gets_nothing_until_it_is_resumed(
    receiver: Receiver,
) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 3)
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok"))
    row = Destination.objects.create(
        community=run.community, origin=receiver.url, is_paused=True
    )
    deliveries.work(run.pk)
    assert not receiver.ids
    assert Delivery.objects.filter(state="pending", attempts=0).count() == 3

    Destination.objects.filter(pk=row.pk).update(is_paused=False)
    deliveries.work(run.pk)

    run.refresh_from_db()
    assert run.delivered == 3


def test_the_rate_limit_of_a_destination_is_kept(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 12)
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok"))
    Destination.objects.create(community=run.community, origin=receiver.url, rate=8.0)

    deliveries.work(run.pk)

    times = sorted(request.at for request in receiver.requests)
    assert len(times) == 12
    assert times[8] - times[0] >= 0.9, "the ninth has to wait for the next second"


def test_managers_are_told_once_when_it_opens_and_once_when_it_closes(
    receiver: Receiver, settings: object
) -> None:
    run = broken_run(receiver, 30)
    run.community.alert_emails = "maya@example.com, noah@example.com"
    run.community.save()
    deliveries.work(run.pk)
    jobs.wake()
    jobs.wake()
    failures = Destination.objects.get().consecutive_failures
    assert failures >= health.THRESHOLD
    assert [(sent.subject, sent.to) for sent in mail.outbox] == [
        (
            f"{receiver.url} failed {failures} times in a row",
            ["maya@example.com", "noah@example.com"],
        )
    ]

    row = Destination.objects.get()
    row.close_breaker()
    row.save(update_fields=row.BREAKER_FIELDS)
    jobs.wake()
    jobs.wake()

    assert [sent.subject for sent in mail.outbox][1:] == [f"{receiver.url} is back"]


def test_two_clocks_at_once_send_each_notice_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    community = factories.feedback_type().project.community
    community.alert_emails = "maya@example.com"
    community.save()
    for name in ("a", "b"):
        Destination.objects.create(
            community=community,
            origin=f"https://{name}.example:443",
            breaker=BreakerState.OPEN,
            consecutive_failures=12,
        )
    subjects: list[str] = []

    def send(subject: str, *_: object) -> None:
        """The other clock comes while the first notice is on its way."""
        subjects.append(subject)
        if len(subjects) == 1:
            alerts.announce()

    monkeypatch.setattr("macros.deliveries.alerts.send_mail", send)

    alerts.announce()

    assert subjects == [
        "https://a.example:443 failed 12 times in a row",
        "https://b.example:443 failed 12 times in a row",
    ]


def test_a_mail_server_that_is_broken_costs_its_notice_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    community = factories.feedback_type().project.community
    community.alert_emails = "maya@example.com"
    community.save()
    for name in ("a", "b"):
        Destination.objects.create(
            community=community, origin=f"https://{name}", breaker=BreakerState.OPEN
        )

    def fails(*_: object) -> None:
        raise OSError("no server")

    monkeypatch.setattr("macros.deliveries.alerts.send_mail", fails)
    alerts.announce()
    alerts.announce()
    assert caplog.text.count("The notice could not be sent: no server") == 2


def test_a_person_can_close_it_by_hand(receiver: Receiver) -> None:
    run = broken_run(receiver, 30)
    deliveries.work(run.pk)
    row = Destination.objects.get()
    page = Client()
    page.force_login(factories.superuser())
    shown = page.get(reverse("admin:logs_destination_change", args=[row.pk]))
    assert "It works again: send now" in shown.content.decode()

    page.post(reverse("admin:logs_destination_resume", args=[row.pk]))

    row.refresh_from_db()
    assert (row.breaker, row.consecutive_failures) == ("closed", 0)


@pytest.mark.parametrize(("field", "value"), [("rate", "0"), ("concurrency", "0")])
def test_a_rate_limit_of_nothing_is_refused(
    receiver: Receiver, field: str, value: str
) -> None:
    run = broken_run(receiver, 1)
    row = Destination.objects.create(community=run.community, origin=receiver.url)
    page = Client()
    page.force_login(factories.superuser())
    url = reverse("admin:logs_destination_change", args=[row.pk])
    html = page.post(url, {field: value}).content.decode()
    assert "or leave it empty." in html
    row.refresh_from_db()
    assert row.rate is None and row.concurrency is None


def test_a_destination_that_is_down_for_a_day_loses_nothing(
    serve: Callable[..., Server],
) -> None:
    is_up = False

    def respond(peer: Peer) -> None:
        while peer.request():
            peer.say(OK if is_up else OK.replace(b"200 OK", b"503 Down"))

    bugs = factories.feedback_type()
    factories.tickets(bugs, 40)
    macro = factories.macro(bugs, serve(respond).url("/"), ladder=DEFAULT_LADDER)
    run = factories.run(macro)
    for hour in range(25):
        is_up = hour == 24
        with time_machine.travel(run.created_at + timedelta(hours=hour), tick=False):
            deliveries.work(run.pk)
            deliveries.work(run.pk)
            last_wait = timezone.now() + timedelta(hours=11)
    with time_machine.travel(last_wait, tick=False):
        deliveries.work(run.pk)

    run.refresh_from_db()
    assert (run.delivered, run.state) == (40, "finished")
    tries = Delivery.objects.values_list("attempts", flat=True)
    assert max(tries) <= 8, "waiting used none of the eight tries up"
    assert Attempt.objects.filter(status=503).count() < 80
