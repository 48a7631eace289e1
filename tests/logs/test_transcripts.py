"""What attempts sent and got back: kept apart, and in months on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.db.models.signals import post_migrate
from django.utils import timezone

from feedback.changes.deletion import delete
from logs import recording
from logs.models import Attempt, Delivery, Transcript
from logs.retention import partitions
from tests import factories

pytestmark = pytest.mark.django_db

TEXTS = {
    "url": "https://example.com/hook",
    "request_headers": "A: 1",
    "request_body": "sent",
    "response_headers": "B: 2",
    "response_body": "came back",
}
JUNE = datetime(2026, 6, 17, 12, tzinfo=UTC)
on_postgres = pytest.mark.skipif(
    not partitions.are_used(), reason="SQLite has no partitions."
)


@pytest.fixture
def delivery() -> Delivery:
    bugs = factories.feedback_type()
    macro = factories.macro(bugs, "https://example.com/hook")
    factories.ticket(bugs)
    return factories.run(macro).deliveries.get()


def tried(delivery: Delivery, started_at: datetime, **texts: str) -> Attempt:
    made = Attempt(
        delivery=delivery, number=1, started_at=started_at, method="POST", **texts
    )
    Attempt.objects.write([made])
    return Attempt.objects.latest("pk")


def test_an_attempt_reads_what_was_written_with_it(delivery: Delivery) -> None:
    attempt = tried(delivery, timezone.now(), **TEXTS)
    assert {name: getattr(attempt, name) for name in TEXTS} == TEXTS
    assert not attempt.is_emptied


@pytest.mark.parametrize("names", [(), ("url",), ("url", "response_headers")])
def test_texts_come_with_the_attempts_in_one_query(
    delivery: Delivery, names: tuple[str, ...], django_assert_num_queries: object
) -> None:
    tried(delivery, timezone.now(), **TEXTS)
    tried(delivery, timezone.now())
    with django_assert_num_queries(1):  # type: ignore[operator]
        first, second = Attempt.objects.with_texts(*names).order_by("pk")
        read = [getattr(first, name) for name in names or TEXTS]
        empty = [getattr(second, name) for name in names or TEXTS]
    assert read == [TEXTS[name] for name in names or TEXTS]
    assert not any(empty)


def test_an_attempt_without_texts_has_no_row(delivery: Delivery) -> None:
    attempt = tried(delivery, timezone.now())
    assert not Transcript.objects.exists()
    assert attempt.is_emptied and attempt.response_body == ""


def test_what_is_scrubbed_is_gone_from_the_table(delivery: Delivery) -> None:
    attempt = tried(delivery, timezone.now(), message="It broke.", **TEXTS)
    assert recording.scrub(Attempt.objects.all()) == 1
    assert recording.scrub(Attempt.objects.all()) == 0
    attempt = Attempt.objects.get()
    assert attempt.is_emptied and attempt.message == ""
    assert not Transcript.objects.exists()


def test_a_deleted_run_takes_its_transcripts_along(delivery: Delivery) -> None:
    tried(delivery, timezone.now(), **TEXTS)
    delete(delivery.run)
    assert not Transcript.objects.exists()


def rows_of(partition: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {partition}")  # noqa: S608
        return int(cursor.fetchone()[0])


@on_postgres
def test_each_month_is_a_partition_that_goes_at_once(delivery: Delivery) -> None:
    partitions.make_room(JUNE)
    partitions.make_room(JUNE)
    tried(delivery, JUNE, **TEXTS)
    tried(delivery, JUNE + timedelta(days=14), **TEXTS)
    assert rows_of("logs_transcript_2026_06") == 1
    assert rows_of("logs_transcript_2026_07") == 1
    in_july = datetime(2026, 7, 1, tzinfo=UTC)
    assert partitions.drop_before(in_july - timedelta(seconds=1)) == []
    assert partitions.drop_before(in_july) == ["logs_transcript_2026_06"]
    assert [each.started_at.month for each in Transcript.objects.all()] == [7]
    emptied = [each.is_emptied for each in Attempt.objects.order_by("pk")]
    assert emptied == [True, False]


@on_postgres
@pytest.mark.parametrize("year", [1999, 2999])
def test_a_clock_that_is_years_off_costs_no_row(delivery: Delivery, year: int) -> None:
    attempt = tried(delivery, datetime(year, 1, 1, tzinfo=UTC), **TEXTS)
    assert attempt.url == TEXTS["url"]
    assert rows_of(partitions.DEFAULT) == 1


@on_postgres
def test_a_month_that_stands_in_the_default_partition_stays_there(
    delivery: Delivery,
) -> None:
    tried(delivery, JUNE, **TEXTS)
    partitions.make_room(JUNE)
    assert "logs_transcript_2026_06" not in partitions.months()
    assert "logs_transcript_2026_07" in partitions.months()
    assert Attempt.objects.get().url == TEXTS["url"]


@on_postgres
def test_there_is_no_room_before_there_is_a_table(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As after `migrate feedback` in an empty database."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE logs_transcript RENAME TO elsewhere")
    logs = apps.get_app_config("logs")
    post_migrate.send(logs, app_config=logs, verbosity=0, using="default")
    assert not caplog.records


@on_postgres
def test_there_is_room_for_the_month_that_comes() -> None:
    now = timezone.now()
    assert [end > now for end in partitions.months().values()] == [True] * 3


def test_a_clock_that_looks_each_second_looks_after_room_once_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[datetime] = []
    monkeypatch.setattr(partitions, "make_room", looks.append)
    monkeypatch.setattr(partitions, "_looked_at", float("-inf"))
    seconds = iter([0.0, 0.0, 1.0, 3599.0, 3600.0, 3600.0])
    monkeypatch.setattr(partitions, "monotonic", lambda: next(seconds))
    for _ in range(4):
        partitions.look_after_room(JUNE)
    assert len(looks) == 2
