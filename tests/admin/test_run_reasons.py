"""A run's page in true colours: its heading, its bar, and why deliveries failed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from logs.console import failures, failures_of, run_badge, run_bar
from logs.models import Attempt, Cause, Delivery, Destination, Run
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> Run:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 6)
    return factories.run(factories.macro(bugs, "https://example.com/", name="Post"))


def end(run: Run, *ends: tuple[str, int | None, str, str]) -> None:
    """Give the deliveries of a run their state, status, error and message."""
    destination, _ = Destination.objects.get_or_create(
        community=run.community, origin="https://example.com:443"
    )
    attempts = []
    for delivery, (state, status, error, message) in zip(
        run.deliveries.order_by("pk"), ends, strict=False
    ):
        delivery.state, delivery.last_status, delivery.last_error = state, status, error
        delivery.attempts, delivery.finished_at = 1, timezone.now()
        delivery.destination = destination if status else None
        delivery.save()
        attempt = Attempt.begun(delivery, timezone.now())
        attempt.number, attempt.status, attempt.error_class = 1, status, error
        attempt.message, attempt.total_ms = message, 210
        attempts.append(attempt)
    Attempt.objects.write(attempts)
    rows = Delivery.objects.filter(run=run)
    for state in ("delivered", "failed"):
        setattr(run, state, rows.filter(state=state).count())
    run.state = "active" if run.pending else "finished"
    run.save()


def page_of(page: Client, run: Run) -> str:
    url = reverse("admin:logs_run_change", args=[run.pk])
    return page.get(url).content.decode()


def test_reasons_come_with_their_number_and_a_first_example(
    page: Client, run: Run
) -> None:
    refused = ("failed", 403, "http", "")
    end(
        run,
        ("delivered", 201, "", ""),
        refused,
        ("failed", None, "render", "The tag ((Title)) has no value."),
        refused,
        refused,
        ("failed", 500, "http", ""),
    )
    first = [each.subject_label for each in run.deliveries.order_by("pk")]

    groups = failures_of(run)

    assert [(each.heading, str(each.example)) for each in groups] == [
        ("403 from example.com, 3 times", first[1]),
        ("Could not be built, once", first[2]),
        ("500 from example.com, once", first[5]),
    ]
    assert groups[0].explanation.startswith("The credentials are known, but may not")
    assert groups[1].explanation.startswith("The tag ((Title)) has no value.")
    html = page_of(page, run)
    assert "<strong>403 from example.com, 3 times.</strong>" in html
    assert f">First example: {first[1]}</a>" in html
    assert "0.21 s</strong>" in html


def test_a_run_that_failed_is_never_good(page: Client, run: Run) -> None:
    end(run, *[("failed", 403, "http", "")] * 6)
    badge = '<span class="badge bad">Finished, 6 of 6 failed</span>'
    assert run_badge(run) == badge
    assert badge in page_of(page, run)
    listed = page.get(reverse("admin:logs_run_changelist")).content.decode()
    assert badge in listed and 'class="good"' not in listed


@pytest.mark.parametrize(
    ("counts", "meanings"),
    [
        ({"delivered": 6}, ["good"]),
        ({"failed": 6}, ["bad"]),
        ({"cancelled": 6}, ["idle"]),
        ({"skipped": 2, "cancelled": 4}, ["idle", "idle"]),
        ({"delivered": 3, "failed": 1}, ["good", "bad", "rest"]),
        ({"delivered": 3, "problems": 2}, ["good", "waiting", "rest"]),
        ({}, ["rest"]),
        ({"total": 0}, []),
        ({"total": 1_000_000, "delivered": 999_999, "failed": 1}, ["good", "bad"]),
    ],
)
def test_the_bar_has_a_part_for_each_outcome(
    counts: dict[str, int], meanings: list[str]
) -> None:
    bar = run_bar(Run(pk=1, macro_name="<Post>", **{"total": 6, **counts}))
    assert re.findall(r'<rect class="(\w+)"', bar) == meanings
    widths = [float(each) for each in re.findall(r' width="([\d.]+)"', bar)]
    assert not widths or abs(sum(widths) - 100) < 0.1 and min(widths) > 0.5
    assert "&lt;Post&gt;" in bar


def test_reasons_are_looked_for_among_the_first_failures_only(
    run: Run, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    end(run, *[("failed", 403, "http", "")] * 6)
    monkeypatch.setattr(failures, "MAX_GROUPED", 4)
    with django_assert_num_queries(3):
        [group] = failures_of(run)
    assert group.count == 4


def test_a_run_without_failures_asks_for_none(
    run: Run, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        assert failures_of(run) == []


def test_tests_are_marked_and_not_among_the_overviews_runs(
    page: Client, run: Run
) -> None:
    end(run, *[("delivered", 200, "", "")] * 6)
    Run.objects.filter(pk=run.pk).update(cause=Cause.TEST)
    mark = '<span class="badge violet">Test</span>'
    for name in ("logs_run_changelist", "logs_delivery_changelist"):
        assert mark in page.get(reverse(f"admin:{name}")).content.decode()
    assert mark in page_of(page, run)
    overview = page.get(reverse("admin:index")).content.decode()
    assert reverse("admin:logs_run_change", args=[run.pk]) not in overview
    Run.objects.filter(pk=run.pk).update(cause=Cause.API)
    overview = page.get(reverse("admin:index")).content.decode()
    assert reverse("admin:logs_run_change", args=[run.pk]) in overview
