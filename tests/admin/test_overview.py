"""The first page: what needs attention, what is at work, and the figures."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from feedback.access.roles import Role
from feedback.models import FeedbackType
from logs.models import (
    BreakerState,
    Cause,
    Delivery,
    DeliveryCount,
    Destination,
    Run,
    RunState,
)
from logs.recording import counts
from macros.models import Macro
from tests import factories

# Queries that look at rows of the log, and how many of them a page may count.
LOG = re.compile(r'(COUNT|SUM)\(.*"logs_(delivery|attempt|run)"', re.DOTALL)


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def add(
    of: FeedbackType, destination: int = 1, macro: int = 1, **tally: int
) -> datetime:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    about = of.project.community_id, of.project_id, macro, destination
    counts.add({("hour", hour, *about): Counter(tally)})
    return hour


def words(client: Client, url: str = "", **parameters: Any) -> str:
    html = client.get(url or reverse("admin:index"), parameters).content.decode()
    text = unescape(re.sub(r"<[^>]*>", " ", html.partition('id="content-main"')[2]))
    return re.sub(r"\s+", " ", text).replace(" ,", ",")


def test_it_shows_open_tickets_runs_and_destinations_in_trouble(page: Client) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 4)
    run = factories.run(factories.macro(bugs, "https://example.com/"))
    for origin, options in {
        "https://fine.example": {},
        "https://down.example": {
            "breaker": BreakerState.OPEN,
            "consecutive_failures": 12,
        },
        "https://paused.example": {"is_paused": True},
    }.items():
        Destination.objects.create(community=run.community, origin=origin, **options)

    html = page.get(reverse("admin:index")).content.decode()

    text = words(page)
    assert "4 open: Bug Report" in text
    assert reverse("admin:logs_run_change", args=[run.pk]) in html
    assert "https://down.example failed 12 times in a row" in text
    assert "https://paused.example is paused" in text
    assert "https://fine.example" not in html


def test_a_run_that_nobody_started_is_by_what_did(page: Client) -> None:
    bugs = factories.feedback_type()
    waiting = factories.trigger(
        factories.macro(bugs, "https://example.com/"), name="New bugs"
    )
    factories.ticket(bugs)
    assert waiting.runs.count() == 1
    assert "started by Trigger New bugs," in words(page)
    Run.objects.update(state=RunState.FINISHED)
    assert "just now by Trigger New bugs" in words(page)


def test_tests_are_not_among_its_runs(page: Client, bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    factories.run(factories.macro(bugs, "https://example.com/", name="Try me"))
    assert "Try me" in words(page)
    Run.objects.update(cause=Cause.TEST)
    assert "Try me" not in words(page)


def test_paused_runs_are_in_progress_too(page: Client, bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    factories.run(factories.macro(bugs, "https://example.com/", name="Held"))
    Run.objects.update(state=RunState.PAUSED)
    assert "Runs in progress Run" in words(page) and "Held Paused" in words(page)


def test_what_stops_work_is_said_first(page: Client, bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    made = factories.macro(bugs, "https://example.com/", name="Post it")
    factories.run(made)
    fresh = words(page)
    assert "No worker is running . Nothing is delivered until one does" in fresh
    assert "was due" not in fresh
    late = timezone.now() - timedelta(minutes=7, seconds=5)
    Delivery.objects.update(next_attempt_at=late)
    assert "has a delivery that was due 7 minutes ago" in words(page)
    Macro.objects.update(paused_reason="Gone.", paused_at=timezone.now())
    assert "Post it is paused: Gone. What it has to deliver waits." in words(page)
    assert "was due" not in words(page), "a paused macro's deliveries may be late"


def test_figures_are_of_the_period_asked_for(page: Client, bugs: FeedbackType) -> None:
    to = Destination.objects.create(
        community=bugs.project.community, origin="https://a"
    )
    factories.ticket(bugs)
    made = factories.macro(bugs, "https://a/", name="Post it")
    add(bugs, to.pk, made.pk, delivered=1999, failed=1, ms_200=2000)
    DeliveryCount.objects.update(moment=timezone.now() - timedelta(days=3))
    assert "No delivery has ended in the last 24 hours." in words(page)
    for period in ("7d", "30d"):
        text = words(page, period=period)
        assert "Success rate 99.9 % Delivered 1,999 Failed 1" in text
        assert "Typical response up to 200 ms" in text
        assert "no exact time" in text
        assert "1,999 delivered, 1 failed, 99.9 %" in text
    for rubbish in ("1y", "7d'", "\0", "x" * 5000):
        assert "in the last 24 hours." in words(page, period=rubbish)


def test_each_chart_has_a_table_behind_it(page: Client, bugs: FeedbackType) -> None:
    factories.tickets(bugs, 3)
    hour = add(bugs, delivered=5, failed=2)
    html = page.get(reverse("admin:index")).content.decode()
    assert html.count("<figure") == html.count('class="behind"') == 2
    row = html.partition(f'data-start="{int(hour.timestamp())}"')[2]
    assert re.findall(r"<td>(\d+)</td>", row.partition("</tr>")[0]) == ["5", "2"]
    assert "style=" not in html.partition('id="content-main"')[2]


def test_macros_and_destinations_have_pages_with_the_same_figures(
    page: Client, bugs: FeedbackType
) -> None:
    to = Destination.objects.create(
        community=bugs.project.community, origin="https://a.example"
    )
    made = factories.macro(bugs, "https://a.example/", name="Post it")
    add(bugs, to.pk, made.pk, delivered=8)
    add(bugs, to.pk + 1, made.pk + 1, delivered=80)
    for kind, row, other in (
        ("macro", made, "https://a.example"),
        ("destination", to, "Post it"),
    ):
        url = reverse(f"admin:{kind}_figures", args=[row.pk])
        text = words(page, url)
        assert "Delivered 8 Failed 0" in text and other in text
        change = reverse(
            f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]
        )
        assert f'href="{url}"' in page.get(change).content.decode()
        assert page.get(
            reverse(f"admin:{kind}_figures", args=[10**18 - 1])
        ).status_code in (404,)


def test_each_sees_their_own_figures(client: Client, bugs: FeedbackType) -> None:
    other = factories.feedback_type("Idea", "IDEA")
    shared = Destination.objects.create(
        community=bugs.project.community, origin="https://a.example"
    )
    add(bugs, shared.pk, delivered=3)
    DeliveryCount.objects.create(
        span="hour",
        moment=timezone.now(),
        community=bugs.project.community,
        project=other.project_id,
        destination=shared.pk,
        delivered=700,
    )
    add(other, shared.pk, delivered=9000)
    client.force_login(factories.member(bugs, Role.PROJECT_MANAGER, in_project=True))
    for url in ("", reverse("admin:destination_figures", args=[shared.pk])):
        assert "Delivered 3 Failed 0" in words(client, url)


def test_no_page_counts_the_log_and_queries_stay_few(
    page: Client, bugs: FeedbackType
) -> None:
    factories.tickets(bugs, 3)
    made = factories.macro(bugs, "https://example.com/")
    for _ in range(3):
        factories.run(made)
    Run.objects.filter(pk=Run.objects.latest("pk").pk).update(
        state=RunState.UNCONFIRMED
    )
    to = Destination.objects.create(
        community=bugs.project.community, origin="https://a.example"
    )
    add(bugs, to.pk, made.pk, failed=9, last_failed=Delivery.objects.latest("pk").pk)
    for url in (
        reverse("admin:index"),
        reverse("admin:macro_figures", args=[made.pk]),
        reverse("admin:destination_figures", args=[to.pk]),
    ):
        with CaptureQueriesContext(connection) as queries:
            assert page.get(url).status_code == 200
        assert [each["sql"] for each in queries if LOG.search(each["sql"])] == []
        assert len(queries) <= 30, url
