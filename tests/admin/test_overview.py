"""The first page: types, runs, and what is in trouble."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from logs.models import BreakerState, Destination
from tests import factories


def test_the_overview_shows_open_tickets_runs_and_destinations_in_trouble(
    page: Client,
) -> None:
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

    assert "<strong>4</strong> open: Bug Report" in html
    assert reverse("admin:logs_run_change", args=[run.pk]) in html
    words = " ".join(html.split())
    assert "https://down.example</a> failed 12 times in a row" in words
    assert "https://paused.example</a> is paused" in words
    assert "https://fine.example" not in html


def test_a_run_that_nobody_started_is_by_what_did(page: Client) -> None:
    bugs = factories.feedback_type()
    waiting = factories.trigger(
        factories.macro(bugs, "https://example.com/"), name="New bugs"
    )
    factories.ticket(bugs)
    assert waiting.runs.count() == 1
    html = " ".join(page.get(reverse("admin:index")).content.decode().split())
    assert "ago by Trigger New bugs</td>" in html
