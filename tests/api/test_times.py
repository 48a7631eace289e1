"""The API speaks UTC, whatever the time zone of the admin is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.models import Feedback
from feedback.selection.conditions import MomentField
from tests import factories

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db

ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
LISTS = ("feedback", "testers", "macros", "secrets", "runs", "deliveries")


@pytest.fixture(params=ZONES)
def page(request: pytest.FixtureRequest, settings: SettingsWrapper) -> Client:
    settings.TIME_ZONE = request.param
    client = Client(raise_request_exception=True)
    client.force_login(factories.superuser())
    return client


def moments_in(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for below in value.values():
            yield from moments_in(below)
    elif isinstance(value, list):
        for below in value:
            yield from moments_in(below)
    elif isinstance(value, str) and MOMENT.match(value):
        yield value


def test_every_moment_of_every_route_is_in_utc(page: Client) -> None:
    factories.one_of_everything(factories.feedback_type())
    for name in LISTS:
        [*rows] = page.get(f"/api/v1/{name}/").json()["results"]
        moments = list(moments_in(rows))
        for row in rows:
            moments += moments_in(page.get(f"/api/v1/{name}/{row['id']}/").json())
        assert moments or name == "testers", name
        assert [each for each in moments if not each.endswith("Z")] == [], name


def test_what_is_made_is_told_in_utc(page: Client) -> None:
    bugs = factories.feedback_type()
    ticket = factories.ticket(bugs)
    macro = factories.macro(bugs, "https://example.com/")
    url = f"/api/v1/macros/{macro.pk}/runs/"
    run = page.post(url, {"ids": [ticket.pk]}, "application/json").json()
    assert run["created_at"].endswith("Z")


def matches(page: Client, **conditions: str) -> int:
    return len(page.get("/api/v1/feedback/", conditions).json()["results"])


def test_a_day_of_a_filter_is_a_day_of_utc(page: Client) -> None:
    ticket = factories.ticket(factories.feedback_type())
    for hour, inside in ((0, True), (23, True)):
        moment = datetime(2026, 11, 23, hour, 30, tzinfo=UTC)
        Feedback.objects.filter(pk=ticket.pk).update(created_at=moment)
        day = {"created_after": "2026-11-23", "created_before": "2026-11-24"}
        assert matches(page, **day) == inside
        assert matches(page, created_after="2026-11-24") == 0
        assert matches(page, created_before="2026-11-23") == 0
    assert matches(page, created_after="2026-11-23T23:30:00") == 1
    assert matches(page, created_after="2026-11-23T23:30:01") == 0
    assert matches(page, created_after="2026-11-24T00:30:00+01:00") == 1


def test_a_filter_that_starts_a_run_reads_utc_too(page: Client) -> None:
    bugs = factories.feedback_type()
    ticket = factories.ticket(bugs)
    moment = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
    Feedback.objects.filter(pk=ticket.pk).update(created_at=moment)
    macro = factories.macro(bugs, "https://example.com/")
    asked = {"filter": {"created_after": "2026-11-23", "created_before": "2026-11-24"}}
    url = f"/api/v1/macros/{macro.pk}/runs/"
    run = page.post(url, asked, "application/json").json()
    assert run["counts"]["total"] == 1


@pytest.mark.parametrize("offset", ["+16:00", "+16:23", "-23:59", "+23:59"])
def test_an_offset_that_nobody_has_is_read_all_the_same(
    page: Client, offset: str
) -> None:
    """PostgreSQL itself takes none of 16 hours or more."""
    for moment in (f"2026-11-23T12:00:00{offset}", f"6004-08-26T14:38:39{offset}"):
        for path in ("feedback", "testers", "runs"):
            response = page.get(f"/api/v1/{path}/", {"created_after": moment})
            assert response.status_code == 200, (path, moment, response.content)


@pytest.mark.parametrize("moment", ["2026-03-08T02:30:00", "2026-11-01T01:30:00"])
def test_no_clock_skips_or_repeats_a_moment_of_the_api(
    page: Client, moment: str
) -> None:
    assert page.get("/api/v1/feedback/", {"created_after": moment}).status_code == 200


def read(text: str) -> Any:
    return MomentField(lookup="created_at").read(text).astimezone(UTC).isoformat()[:16]


def test_the_admin_reads_its_own_zone_by_a_stated_rule(
    settings: SettingsWrapper, client: Client
) -> None:
    settings.TIME_ZONE = "America/New_York"
    assert read("2026-11-23") == "2026-11-23T05:00"
    # Skipped: as if the clock had not been set forward yet.
    assert read("2026-03-08T02:30:00") == "2026-03-08T07:30"
    # Twice: the first.
    assert read("2026-11-01T01:30:00") == "2026-11-01T05:30"
    assert read("2026-11-01T01:30:00Z") == "2026-11-01T01:30"
    client.force_login(factories.superuser())
    url = reverse("admin:feedback_feedback_changelist")
    shown = client.get(url, {"created_after": "2026-03-08T02:30:00"})
    assert "as in ISO 8601" not in shown.content.decode()
