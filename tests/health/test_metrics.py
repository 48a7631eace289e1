"""`/metrics`: the figures of the whole service, for whoever may read them."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings
from redis import Redis

from centerhook.health import readings
from centerhook.health.metrics import ServiceCollector, exposition
from feedback.models import FeedbackType
from logs.models import (
    BreakerState,
    Delivery,
    DeliveryCount,
    Destination,
    Span,
)
from macros import queue
from macros.models import Macro
from tests import factories

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-of-the-operator"

Samples = dict[str, dict[tuple[str, ...], float]]


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    queue.redis().flushdb()
    return factories.feedback_type()


def samples() -> Samples:
    read: Samples = defaultdict(dict)
    for family in text_string_to_metric_families(exposition().decode()):
        for each in family.samples:
            name = each.name.removeprefix("centerhook_")
            read[name][tuple(each.labels.values())] = each.value
    return read


def destination(of: FeedbackType, origin: str) -> Destination:
    return Destination.objects.create(community=of.project.community, origin=origin)


def count(of: FeedbackType, destination: int, **columns: int) -> None:
    DeliveryCount.objects.create(
        span=Span.DAY,
        moment=timezone.now() - timedelta(days=DeliveryCount.objects.count()),
        community=of.project.community,
        destination=destination,
        **columns,
    )


@pytest.mark.parametrize(
    ("header", "networks", "status"),
    [
        ("", [], 404),
        (f"Bearer {TOKEN}", [], 200),
        (f"bearer {TOKEN}", [], 200),
        ("Bearer wrong", ["127.0.0.0/8"], 404),
        ("Bearer é", [], 404),
        ("", ["127.0.0.0/8"], 200),
        ("", ["10.0.0.0/8"], 404),
    ],
)
def test_for_the_token_or_the_address(
    client: Client,
    settings: Settings,
    bugs: FeedbackType,
    header: str,
    networks: list[str],
    status: int,
) -> None:
    settings.METRICS_TOKEN, settings.METRICS_NETWORKS = TOKEN, networks
    response = client.get("/metrics", headers={"authorization": header})
    assert response.status_code == status
    if status == 200:
        assert response["Content-Type"].startswith("text/plain; version=0.0.4")
        assert b"centerhook_build_info{version=" in response.content


def test_nobody_reads_them_until_they_are_let(client: Client, db: None) -> None:
    headers = {"authorization": "Bearer "}
    assert client.get("/metrics", headers=headers).status_code == 404


def test_deliveries_by_outcome_and_times_by_bucket(bugs: FeedbackType) -> None:
    where = destination(bugs, "https://a.example:443")
    count(bugs, where.pk, delivered=5, failed=2, ms_10=3, ms_100=4, ms_over=1)
    count(bugs, where.pk, delivered=1)
    count(bugs, 0, skipped=3)
    read = samples()
    name, origin = bugs.project.community.name, "https://a.example:443"
    assert read["deliveries_total"][name, origin, "delivered"] == 6
    assert read["deliveries_total"][name, origin, "failed"] == 2
    assert read["deliveries_total"][name, "", "skipped"] == 3
    buckets = read["response_seconds_bucket"]
    assert buckets[name, origin, "0.01"] == 3
    assert buckets[name, origin, "0.1"] == buckets[name, origin, "30"] == 7
    assert buckets[name, origin, "+Inf"] == 8


def test_labels_are_bounded_and_the_rest_is_added_up(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "MAX_DESTINATIONS", 2)
    rows = [destination(bugs, f"https://{n}.example:443") for n in range(5)]
    for row in rows:
        count(bugs, row.pk, delivered=1)
    read = samples()["deliveries_total"]
    delivered = {where[1]: n for where, n in read.items() if where[2] == "delivered"}
    assert delivered == {
        "https://0.example:443": 1,
        "https://1.example:443": 1,
        "others": 3,
    }


def test_what_waits_and_for_how_long(bugs: FeedbackType) -> None:
    factories.tickets(bugs, 3)
    factories.run(factories.macro(bugs, "https://a.example/"))
    late = timezone.now() - timedelta(seconds=90)
    first, second, _ = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=first.pk).update(next_attempt_at=late)
    later = timezone.now() + timedelta(hours=1)
    Delivery.objects.filter(pk=second.pk).update(next_attempt_at=later, attempts=1)
    read = samples()
    assert read["deliveries_open"][()] == 3
    assert read["deliveries_due"][()] == 2
    assert 89 < read["deliveries_due_oldest_seconds"][()] < 100
    assert read["deliveries_retrying"][()] == 1
    assert read["runs"]["active",] == 1 and read["runs"]["paused",] == 0
    Macro.objects.all().pause("It says 410.", timezone.now())
    paused = samples()
    assert paused["deliveries_due"][()] == 0 and paused["macros_paused"][()] == 1


def test_breakers_and_pauses(bugs: FeedbackType) -> None:
    destination(bugs, "https://a.example:443")
    Destination.objects.update(breaker=BreakerState.OPEN, is_paused=True)
    read = samples()
    assert read["breakers"]["open",] == 1 and read["breakers"]["closed",] == 0
    assert read["destinations_paused"][()] == 1


def test_workers_clocks_and_jobs(bugs: FeedbackType) -> None:
    now = timezone.now()
    queue.note_process("clock", "a", "0.1.0", now - timedelta(seconds=40))
    queue.note_process("clock", "b", "0.1.0", now - timedelta(seconds=5))
    queue.note_process("clock", "long-gone", "0.1.0", now - timedelta(days=1))
    queue.notify_import(1)
    read = samples()
    assert read["redis_up"][()] == 1 and read["workers"][()] == 0
    assert read["queue_jobs"][()] == 1 and read["queue_oldest_seconds"][()] < 60
    assert read["clocks"][()] == 2 and 4 < read["clock_age_seconds"][()] < 30


def test_without_redis_the_rest_is_there(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = Redis(port=1, socket_connect_timeout=0.1)
    monkeypatch.setattr(queue, "redis", lambda: nowhere)
    read = samples()
    assert read["redis_up"][()] == 0 and "workers" not in read
    assert read["deliveries_open"][()] == 0


def test_the_number_of_queries_does_not_grow(bugs: FeedbackType) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            exposition()
        return len(captured)

    before = queries()
    for number in range(5):
        row = destination(bugs, f"https://{number}.example:443")
        count(bugs, row.pk, delivered=1)
    assert queries() == before < 25


def test_alerts_and_dashboard_name_only_metrics_that_exist(bugs: FeedbackType) -> None:
    row = destination(bugs, "https://a.example:443")
    count(bugs, row.pk, delivered=1)
    queue.note_process("clock", "a", "0.1.0", timezone.now())
    known = {
        sample.name
        for metric in ServiceCollector().collect()
        for sample in metric.samples
    }
    files = [*(ROOT / "deploy").rglob("*.yml"), *(ROOT / "deploy").rglob("*.json")]
    text = "".join(path.read_text() for path in files)
    named = set(re.findall(r"\bcenterhook_\w+", text))
    assert len(named) > 10 and named - known == set()
    dashboard = json.loads((ROOT / "deploy/grafana/centerhook.json").read_text())
    assert len(dashboard["panels"]) > 6


def test_the_document_names_every_metric(bugs: FeedbackType) -> None:
    queue.note_process("clock", "a", "0.1.0", timezone.now())
    text = (ROOT / "docs" / "metrics.md").read_text()
    names = [metric.name for metric in ServiceCollector().collect()]
    assert len(names) > 15
    assert [name for name in names if f"`{name}" not in text] == []
