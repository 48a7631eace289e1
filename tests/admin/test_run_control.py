"""Pause, resume and cancel: by button, and in the middle of the work."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from centerhook.receiver import Receiver
from feedback.access.roles import Role
from feedback.models import Grant
from logs import recording
from logs.models import Attempt, Delivery, DeliveryState, Run
from logs.recording import Outcome
from macros import deliveries
from macros.deliveries.claims import claim_due
from macros.runs.control import cancel_run, pause_run, resume_run
from tests import factories
from tests.http.hostile import Peer, Server

pytestmark = pytest.mark.django_db

COUNTERS = ("state", "delivered", "cancelled", "pending")


def a_run(url: str, count: int = 3, ladder: str = "") -> Run:
    bugs = factories.feedback_type()
    factories.tickets(bugs, count)
    return factories.run(factories.macro(bugs, url, ladder=ladder))


def work(run: Run) -> tuple[object, ...]:
    deliveries.work(run.pk)
    return counters(run)


def counters(run: Run) -> tuple[object, ...]:
    run.refresh_from_db()
    return tuple(getattr(run, name) for name in COUNTERS)


def order(page: Client, run: Run, name: str) -> str:
    """Press a button on the run's page; returns the message."""
    response = page.post(reverse(f"admin:logs_run_{name}", args=[run.pk]), follow=True)
    assert response.status_code == 200
    [message] = response.context["messages"]
    return str(message)


def buttons(page: Client, run: Run) -> list[str]:
    html = page.get(reverse("admin:logs_run_change", args=[run.pk])).content.decode()
    names = ("Pause this run", "Resume this run", "Cancel this run")
    return [name for name in names if re.search(rf">{name}(</button>| …</a>)", html)]


def test_a_paused_run_sends_nothing_until_it_is_resumed(
    page: Client, receiver: Receiver
) -> None:
    run = a_run(f"{receiver.url}/ok")
    assert buttons(page, run) == ["Pause this run", "Cancel this run"]

    assert order(page, run, "pause").startswith("Paused: nothing more is sent")

    assert buttons(page, run) == ["Resume this run", "Cancel this run"]
    assert work(run) == ("paused", 0, 0, 3)
    assert not receiver.requests
    assert order(page, run, "resume") == "Resumed."
    assert work(run) == ("finished", 3, 0, 0)
    assert buttons(page, run) == []
    assert set(run.deliveries.values_list("attempts", flat=True)) == {1}


def test_resuming_notifies_the_workers(
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    run = a_run("http://127.0.0.1:9/")
    pause_run(run)
    notified: list[tuple[int, int]] = []
    monkeypatch.setattr(
        "macros.queue.notify", lambda pk, due: notified.append((pk, due))
    )
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        assert resume_run(run)
        assert not resume_run(run)
    assert notified == [(run.pk, 3)]


def test_the_clock_does_not_notify_of_a_paused_run() -> None:
    run = a_run("http://127.0.0.1:9/")
    due = Run.objects.with_due_deliveries
    assert list(due(timezone.now())) == [run]
    pause_run(run)
    assert not due(timezone.now()).exists()
    resume_run(run)
    assert list(due(timezone.now())) == [run]


def test_a_link_alone_orders_nothing(page: Client) -> None:
    run = a_run("http://127.0.0.1:9/")
    for name in ("pause", "cancel"):
        page.get(reverse(f"admin:logs_run_{name}", args=[run.pk]))
    assert counters(run) == ("active", 0, 0, 3)
    pause_run(run)
    page.get(reverse("admin:logs_run_resume", args=[run.pk]))
    assert counters(run)[0] == "paused"


def test_an_order_that_comes_too_late_is_refused_with_the_reason(
    page: Client, receiver: Receiver
) -> None:
    run = a_run(f"{receiver.url}/ok")
    work(run)
    for name in ("pause", "resume", "cancel"):
        assert order(page, run, name) == "Nothing was changed: the run is finished."
    assert counters(run) == ("finished", 3, 0, 0)


def test_a_paused_run_can_be_cancelled(page: Client) -> None:
    run = a_run("http://127.0.0.1:9/")
    order(page, run, "pause")
    assert order(page, run, "cancel").startswith("Cancelled")
    assert counters(run) == ("cancelled", 0, 3, 0)
    assert run.finished_at is not None


def test_strangers_order_nothing() -> None:
    run = a_run("http://127.0.0.1:9/")
    nora = Client()
    nora.force_login(User.objects.create_user("nora", is_staff=True))
    for name in ("pause", "resume", "cancel"):
        url = reverse(f"admin:logs_run_{name}", args=[run.pk])
        assert nora.post(url).status_code == 404
    assert counters(run) == ("active", 0, 0, 3)


def test_a_run_that_is_paused_settles_when_its_last_request_comes_back() -> None:
    run = a_run("http://127.0.0.1:9/", count=1)
    [delivery] = claim_due(run.pk, 1, "a")
    pause_run(run)
    attempt = Attempt(delivery=delivery, number=1, started_at=timezone.now())
    outcome = Outcome(delivery, DeliveryState.DELIVERED, attempt)

    recording.record(run, "a", [outcome], timezone.now())

    assert counters(run) == ("finished", 1, 0, 0)
    assert run.finished_at is not None


def test_retries_wait_too(receiver: Receiver) -> None:
    run = a_run(f"{receiver.url}/status/503", count=1, ladder="1 h")
    work(run)
    pause_run(run)
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert work(run) == ("paused", 0, 0, 1)
        assert len(receiver.requests) == 1
        resume_run(run)
        work(run)
        assert len(receiver.requests) == 2


def test_what_a_dead_worker_held_is_kept_while_the_run_is_paused(
    receiver: Receiver,
) -> None:
    run = a_run(f"{receiver.url}/ok", count=2, ladder="1 h")
    claim_due(run.pk, 1, "dead")
    pause_run(run)
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        assert work(run) == ("paused", 0, 0, 2)
        resume_run(run)
        assert work(run) == ("finished", 2, 0, 0)


def test_a_worker_in_the_middle_gives_back_what_it_has_not_sent(
    serve: Callable[..., Server], settings: object
) -> None:
    """Paused while the first requests are on the wire: they end, the rest stays."""
    settings.DESTINATION_CONCURRENCY = 2  # type: ignore[attr-defined]
    arrived, go_on = threading.Event(), threading.Event()

    def slow(peer: Peer) -> None:
        peer.request()
        arrived.set()
        go_on.wait(10)
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    server = serve(slow)
    run = a_run(server.url("/"), count=20)
    engine = deliveries.Engine()
    try:
        engine._take_up(run.pk)
        while not arrived.is_set():
            engine._step()
        assert pause_run(run)
        for _ in range(3):
            engine._step()
        go_on.set()
        while engine._works:
            engine._step()
    finally:
        go_on.set()
        engine.close()

    state, delivered, cancelled, pending = counters(run)
    assert (state, cancelled) == ("paused", 0)
    assert 0 < len(server.requests) == delivered < 20 and pending == 20 - delivered
    left = Delivery.objects.filter(state="pending")
    assert set(left.values_list("lease", "attempts")) == {("", 0)}
    assert Attempt.objects.count() == delivered

    resume_run(run)
    assert work(run) == ("finished", 20, 0, 0)
    assert len(server.requests) == 20


def test_a_paused_run_of_several_steps_stops_between_them(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 2)
    urls = [f"{receiver.url}/ok"] * 2
    run = factories.run(factories.macro(bugs, *urls))
    claimed = claim_due(run.pk, 2, "a")
    pause_run(run)
    now = timezone.now()
    outcomes = [
        Outcome(
            delivery,
            DeliveryState.DELIVERED,
            Attempt(delivery=delivery, number=1, started_at=now),
        )
        for delivery in claimed
    ]
    recording.record(run, "a", outcomes, now)

    assert work(run) == ("paused", 2, 0, 2)
    cancel_run(run)
    assert counters(run) == ("cancelled", 2, 2, 0)
    assert not receiver.requests


def test_progress_gives_the_state_so_that_an_open_page_follows(page: Client) -> None:
    run = a_run("http://127.0.0.1:9/")
    url = reverse("admin:logs_run_progress", args=[run.pk])
    assert page.get(url).json()["state"] == "active"
    pause_run(run)
    progress = page.get(url).json()
    assert (progress["state"], progress["settled"]) == ("paused", False)
    assert "The run is paused" in progress["html"]


def test_a_role_removed_while_a_run_is_on_ends_what_the_person_may_not_the_run(
    receiver: Receiver,
) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 3)
    sam = factories.member(bugs, Role.SUPPORT)
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok"), actor=sam)
    client = Client()
    client.force_login(sam)
    assert buttons(client, run) == ["Pause this run", "Cancel this run"]
    Grant.objects.filter(member__user=sam).delete()

    page = reverse("admin:logs_run_change", args=[run.pk])
    assert client.get(page).status_code == 404
    for name in ("pause", "cancel"):
        url = reverse(f"admin:logs_run_{name}", args=[run.pk])
        assert client.post(url).status_code == 404
    assert work(run) == ("finished", 3, 0, 0), "it was allowed when it began"
    assert run.actor_name == sam.username


def test_cancelling_asks_first_and_says_what_is_lost(page: Client) -> None:
    run = a_run("https://example.com/")
    held = run.deliveries.earliest("pk")
    run.deliveries.filter(pk=held.pk).update(lease="worker")
    url = reverse("admin:logs_run_cancel", args=[run.pk])

    html = " ".join(page.get(url).content.decode().split())

    assert "3 of 3 deliveries have not ended" in html
    assert "1 is on its way right now: it is finished and recorded" in html
    assert ">Cancel the run</button>" in html
    run.refresh_from_db()
    assert run.state == "active"
    page.post(url)
    run.refresh_from_db()
    assert run.state == "cancelling"
    again = page.get(url, follow=True)
    assert "Nothing can be cancelled: the run is cancelling." in again.content.decode()


def test_dropping_a_run_that_needs_confirmation_asks_too(page: Client) -> None:
    run = a_run("https://example.com/")
    Run.objects.filter(pk=run.pk).update(state="unconfirmed")
    url = reverse("admin:logs_run_cancel", args=[run.pk])
    shown = page.get(reverse("admin:logs_run_change", args=[run.pk]))
    assert f'href="{url}">Drop this run …</a>' in shown.content.decode()
    html = page.get(url).content.decode()
    assert "Nothing of it is sent." in html and ">Drop the run</button>" in html
