"""A destination that is held: who is woken, what people see, and how they end it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import django_rq
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from logs.models import AuditEntry, Delivery, Destination
from logs.recording.waiting import moment
from logs.rest import RunDetailSerializer
from macros import jobs, queue
from tests import factories
from tests.http.hostile import OK
from tests.macros.busy import Moods, Serve, a_run, in_seconds, slow_down, type_of, work

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_queue() -> Iterator[None]:
    django_rq.get_queue(queue.QUEUE).empty()
    yield
    django_rq.get_queue(queue.QUEUE).empty()


def test_a_run_that_is_held_wakes_nobody_until_it_may_go_on(serve: Serve) -> None:
    busy, fine = Moods(serve, slow_down()), Moods(serve)
    run = work(a_run(busy.url, 3))
    bugs = type_of(run)
    both = factories.run(factories.macro(bugs, busy.url, fine.url))
    changes = factories.macro(bugs, busy.url)
    also = factories.run(factories.steps(changes, *factories.ONE_OF_EACH_CHANGE))
    django_rq.get_queue(queue.QUEUE).empty()

    jobs.wake()
    assert queue.notified_runs() == {both.pk, also.pk}

    with in_seconds(40):
        jobs.wake()
    assert queue.notified_runs() == {run.pk, both.pk, also.pk}


def test_somebody_who_may_ends_the_wait_with_one_deed(serve: Serve) -> None:
    busy = Moods(serve, slow_down("3600"))
    run = work(a_run(busy.url, 30))
    later = run.deliveries.filter(attempts=0).last()
    row = Destination.objects.get()
    assert later is not None
    # Another retry of its own, which nobody has put off.
    far = timezone.now() + timedelta(days=2)
    Delivery.objects.filter(pk=later.pk).update(destination=row, next_attempt_at=far)
    page = Client()
    page.force_login(factories.superuser())
    shown = page.get(reverse("admin:logs_destination_change", args=[row.pk]))
    html = shown.content.decode()
    assert "Wait no longer: send now" in html
    assert "UTC; 30 deliveries wait and go then." in html

    page.post(reverse("admin:logs_destination_resume", args=[row.pk]))

    busy.reply = OK
    assert work(run).delivered == 29
    row.refresh_from_db()
    assert row.held_until is None
    detail = AuditEntry.objects.get(action="resumed").detail
    assert detail.startswith("Its wait until ") and detail.endswith("ended by hand.")
    html = page.get(shown.request["PATH_INFO"]).content.decode()
    assert "Wait no longer" not in html


def test_the_wait_is_shown_on_the_run_in_the_menu_and_in_the_api(serve: Serve) -> None:
    run = work(a_run(Moods(serve, slow_down("3600")).url, 30))
    row = Destination.objects.get()
    now = timezone.now()
    assert row.held_until is not None
    sentence = f"asked to wait until {moment(row.held_until, now)}; "
    page = Client()
    page.force_login(factories.superuser())

    html = page.get(reverse("admin:logs_run_change", args=[run.pk])).content.decode()
    assert f"{sentence}30 deliveries wait and go then." in html
    log = reverse("admin:logs_delivery_change", args=[run.deliveries.all()[0].pk])
    assert (
        f"{sentence}30 deliveries wait and go then." in page.get(log).content.decode()
    )
    assert (
        f"{sentence}its deliveries wait and go then."
        in page.get("/admin/").content.decode()
    )
    api = RunDetailSerializer(run, context={"has_worker": lambda: True}).data
    assert api["notice"] == f"{row} {sentence}30 deliveries wait and go then."

    with in_seconds(3700):
        api = RunDetailSerializer(run, context={"has_worker": lambda: True}).data
        assert api["notice"] == ""


def test_a_moment_names_its_day_where_it_is_another_one() -> None:
    now = datetime(2026, 11, 6, 23, 59, 50, tzinfo=UTC)
    assert moment(now + timedelta(seconds=5), now) == "23:59:55 UTC"
    assert moment(now + timedelta(seconds=15), now) == "2026-11-07 00:00 UTC"
