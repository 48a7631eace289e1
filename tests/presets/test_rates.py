"""What presets know of a vendor's limits: a rate for its hosts, and how it refuses."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.models import Community
from logs.models import Destination
from macros.authoring.presets import Preset, all_presets, published_rate
from macros.deliveries.rate_limit import amount_and_window
from macros.deliveries.throttle import Throttles
from macros.retries import asked_to_wait, check_conditions, compile_conditions
from macros.retries.conditions import first_match
from tests import factories

RATED = [preset for preset in all_presets().values() if preset.rate]
SLACK = "https://hooks.slack.com:443"
each_rated = pytest.mark.parametrize("preset", RATED, ids=lambda preset: preset.id)


@each_rated
def test_a_rate_is_kept_exactly_and_for_the_hosts_that_the_preset_sends_to(
    preset: Preset,
) -> None:
    rate = preset.rate
    assert rate is not None and rate.vendor == preset.vendor
    amount, window = amount_and_window(rate.per_second)
    assert amount / window == pytest.approx(rate.requests / rate.seconds)
    # A URL that is a whole secret is known to nobody.
    urls = [request["url"] for request in preset.requests]
    urls += [each.example for each in preset.settings if each.kind == "url"]
    hosts = [urlsplit(url).hostname for url in urls if url.startswith("https://")]
    assert all(rate.holds_for(host or "") for host in hosts)


def test_presets_agree_about_a_host() -> None:
    rates: dict[str, set[float]] = {}
    for preset in RATED:
        assert preset.rate is not None
        for host in preset.rate.hosts:
            rates.setdefault(host, set()).add(preset.rate.per_second)
    assert {len(each) for each in rates.values()} == {1}
    assert len(rates) > 8


@pytest.mark.parametrize(
    ("origin", "vendor"),
    [
        (SLACK, "Slack"),
        ("https://hooks.slack.com:8443", "Slack"),
        ("https://acme.atlassian.net:443", "Jira"),
        ("https://atlassian.net:443", ""),
        ("https://hooks.slack.com.example.com:443", ""),
        ("https://xhooks.slack.com:443", ""),
        ("https://discord.com:443", ""),
        ("http://[::1]:80", ""),
        ("", ""),
    ],
)
def test_a_rate_is_for_its_hosts_only(origin: str, vendor: str) -> None:
    rate = published_rate(origin)
    assert (rate.vendor if rate else "") == vendor


@pytest.fixture
def community() -> Community:
    return factories.feedback_type().project.community


@pytest.mark.django_db
def test_a_destination_has_the_rate_before_the_first_request(
    community: Community,
) -> None:
    throttle = Throttles(8).get(community.pk, SLACK)
    row = Destination.objects.get()
    assert (row.rate, row.rate_from, row.community) == (1.0, "Slack", community)
    assert [throttle.begin(token) for token in "abc"] == [True, False, False]


@pytest.mark.django_db
@pytest.mark.parametrize("rate", [7.0, None])
def test_what_a_person_has_set_is_never_overwritten(
    community: Community, rate: float | None
) -> None:
    Destination.objects.create(community=community, origin=SLACK, rate=rate)
    Throttles(8).get(community.pk, SLACK)
    row = Destination.objects.get()
    assert (row.rate, row.rate_from) == (rate, "")


@pytest.mark.django_db
def test_nothing_is_made_for_a_host_that_no_preset_knows(community: Community) -> None:
    throttle = Throttles(8).get(community.pk, "https://a.example:443")
    assert throttle.destination is None
    assert not Destination.objects.exists()


@pytest.mark.django_db
def test_the_page_says_whose_rate_it_is(community: Community) -> None:
    Throttles(8).get(community.pk, SLACK)
    row = Destination.objects.get()
    page = Client()
    page.force_login(factories.superuser())
    url = reverse("admin:logs_destination_change", args=[row.pk])
    assert "the preset for Slack: 1 in 1 s" in page.get(url).content.decode()

    page.post(url, {"rate": "1.0", "concurrency": "2"})
    row.refresh_from_db()
    assert (row.rate_from, row.concurrency) == ("Slack", 2)

    page.post(url, {"rate": "0.5", "concurrency": "2"})
    row.refresh_from_db()
    assert (row.rate, row.rate_from) == (0.5, "")
    assert "a person" in page.get(url).content.decode()


@pytest.mark.parametrize(
    "preset", all_presets().values(), ids=lambda preset: str(preset.id)
)
def test_a_presets_own_response_is_never_taken_for_a_refusal(preset: Preset) -> None:
    for request in preset.requests:
        lines = request.get("wait_when", "")
        assert check_conditions(lines) == []
        body = str(preset.response["body"])
        status = preset.response["status"]
        assert first_match(compile_conditions(lines), status, {}, body) is None


NO_QUOTA = {"x-ratelimit-remaining": "0"}
REFUSALS = [
    ("github", 403, NO_QUOTA, '{"message": "API rate limit exceeded for user"}'),
    ("github", 403, {}, '{"message": "You have exceeded a secondary rate limit."}'),
    ("linear", 400, {}, '{"errors":[{"extensions":{"code":"RATELIMITED"}}]}'),
    ("linear", 200, {}, '{"errors": [{"extensions": {"code": "RATELIMITED"}}]}'),
    ("salesforce-case", 403, {}, '[{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]'),
    ("salesforce-upsert", 403, {}, '[{"errorCode":"REQUEST_LIMIT_EXCEEDED"}]'),
]


@pytest.mark.parametrize(("name", "status", "headers", "body"), REFUSALS)
def test_a_vendors_own_way_to_say_too_fast_is_known(
    name: str, status: int, headers: dict[str, str], body: str
) -> None:
    [request] = all_presets()[name].requests
    conditions = compile_conditions(request["wait_when"])
    now = timezone.now()
    asked = asked_to_wait(status, headers.items(), body, conditions, now)
    assert asked is not None and asked.is_busy
    # A tester who writes the same words into a ticket gets no refusal for it.
    echo = '{"title": "why \\"RATELIMITED\\" and \\"REQUEST_LIMIT_EXCEEDED\\"?"}'
    assert asked_to_wait(200, (), echo, conditions, now) is None
