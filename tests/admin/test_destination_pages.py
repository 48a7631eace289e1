"""How destinations stand, in words that need no explanation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.access.roles import Role
from feedback.models import FeedbackType
from logs.models import Destination
from tests import factories

pytestmark = pytest.mark.django_db

LIST = reverse("admin:logs_destination_changelist")
SOON = timezone.now() + timedelta(hours=1)
STANDINGS: list[tuple[dict[str, Any], str, str, str]] = [
    ({}, "works", "idle", "No success yet"),
    ({"last_success_at": SOON}, "works", "good", "Works"),
    ({"consecutive_failures": 3}, "works", "waiting", "Failing: 3 in a row"),
    ({"breaker": "open", "probe_at": SOON}, "down", "bad", "Down"),
    ({"breaker": "half_open"}, "down", "bad", "Down, one request tries"),
    ({"is_paused": True}, "held", "waiting", "Paused"),
    ({"held_until": SOON}, "held", "waiting", "Asked to wait until "),
]


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def destination(bugs: FeedbackType, **values: Any) -> Destination:
    return Destination.objects.create(
        community=bugs.project.community, origin="https://example.com:443", **values
    )


@pytest.mark.parametrize(("values", "standing", "meaning", "words"), STANDINGS)
def test_the_list_and_the_page_say_how_it_stands(
    page: Client,
    bugs: FeedbackType,
    values: dict[str, Any],
    standing: str,
    meaning: str,
    words: str,
) -> None:
    row = destination(bugs, **values)
    badge = f'<span class="badge {meaning}">{words}'
    for url in (LIST, reverse("admin:logs_destination_change", args=[row.pk])):
        html = page.get(url).content.decode()
        assert badge in html
        assert "icon-no.svg" not in html and "ircuit breaker" not in html
    for each in ("works", "down", "held"):
        rows = page.get(LIST, {"standing": each}).context["cl"].result_list
        assert bool(rows) == (each == standing), each


def test_who_only_looks_reads_sentences_in_place_of_switches(
    client: Client, bugs: FeedbackType
) -> None:
    row = destination(bugs, rate=2.5, concurrency=3)
    client.force_login(factories.member(bugs, Role.OBSERVER))
    url = reverse("admin:logs_destination_change", args=[row.pk])
    html = client.get(url).content.decode()
    assert "Public addresses only." in html and "icon-no.svg" not in html
    assert "2.5 a second, 3 at once" in client.get(LIST).content.decode()


def test_a_host_is_written_as_people_write_it() -> None:
    for origin, host in (
        ("https://example.com:443", "example.com"),
        ("http://example.com:80", "example.com"),
        ("https://example.com:8443", "example.com:8443"),
        ("http://example.com:443", "example.com:443"),
        ("http://[::1]:80", "[::1]"),
    ):
        assert Destination(origin=origin).host == host


def test_deliveries_outlive_their_destination(page: Client, bugs: FeedbackType) -> None:
    row = destination(bugs)
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://example.com/"))
    run.deliveries.update(destination=row)
    page.post(reverse("admin:logs_destination_delete", args=[row.pk]), {"post": "yes"})
    assert not Destination.objects.exists()
    delivery = run.deliveries.get()
    for url in (
        reverse("admin:logs_delivery_change", args=[delivery.pk]),
        reverse("admin:logs_delivery_changelist"),
        reverse("admin:logs_run_change", args=[run.pk]),
        f"/api/v1/deliveries/{delivery.pk}/",
    ):
        assert page.get(url).status_code == 200, url
    assert page.get(LIST).status_code == 200
