"""What goes wrong around CenterHook: each ends in a finding, and nothing is lost.

docs/doctor.md has the same table.
"""

from __future__ import annotations

import re
import shutil
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from cryptography.fernet import Fernet
from django.db import Error, OperationalError, connection, transaction
from django.test import override_settings
from django.utils import timezone
from redis.exceptions import RedisError

from centerhook import __version__, installation
from centerhook.doctor import examine, examining
from centerhook.doctor import settings as doctor_settings
from centerhook.receiver import Receiver
from logs.models import Attempt, Delivery, Resend, Run
from macros import deliveries, jobs, queue
from macros.runs.resend import resend
from tests import factories

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.django_db


@contextmanager
def full_disk_of_files() -> Iterator[None]:
    usage = namedtuple("usage", "total used free")
    with patch.object(shutil, "disk_usage", lambda path: usage(10**12, 10**12, 10**6)):
        yield


@contextmanager
def full_disk_of_database() -> Iterator[None]:
    def no_room(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            raise OperationalError("could not extend file: No space left on device")
        return execute(sql, *rest)

    with connection.execute_wrapper(no_room):
        yield


@contextmanager
def read_only_database() -> Iterator[None]:
    """As a standby is: the database itself refuses."""
    is_sqlite = connection.vendor == "sqlite"
    on = "PRAGMA query_only = ON" if is_sqlite else "SET TRANSACTION READ ONLY"
    with transaction.atomic():
        _execute(on)
        yield
        if is_sqlite:
            _execute("PRAGMA query_only = OFF")
        # PostgreSQL lets go of it with the block.
        transaction.set_rollback(True)


@contextmanager
def worker_whose_clock_is_an_hour_off() -> Iterator[None]:
    ahead = timezone.now() + timedelta(hours=1, seconds=50)
    queue.note_process("worker", "elsewhere", __version__, ahead)
    yield


@contextmanager
def clock_that_is_an_hour_behind() -> Iterator[None]:
    behind = timezone.now() - timedelta(hours=1, seconds=50)
    queue.note_process("clock", "elsewhere", __version__, behind)
    yield


def wrong_key() -> AbstractContextManager[None]:
    return override_settings(SECRETS_KEYS=[Fernet.generate_key().decode()])


@contextmanager
def set_to(**values: Any) -> Iterator[None]:
    """As the settings' checks see it."""
    checks = {"Settings": (doctor_settings.checks,)}
    with override_settings(**values), patch.dict(examining.EXAMINATIONS, checks):
        yield


def missing_key() -> AbstractContextManager[None]:
    hosts = ["feedback.example.com"]
    return set_to(LOCAL_KEYS=["SECRETS_KEYS"], ALLOWED_HOSTS=hosts)


def retention_of_no_days() -> AbstractContextManager[None]:
    return set_to(DELIVERIES_KEPT_DAYS=0)


@contextmanager
def database_of_another_installation() -> Iterator[None]:
    installation.note_first_use()
    with override_settings(SECRET_KEY="another" * 10):
        yield


@contextmanager
def older_worker() -> Iterator[None]:
    queue.note_process("worker", "old", "0.0.1", timezone.now())
    yield


@contextmanager
def migration_cut_off() -> Iterator[None]:
    with transaction.atomic():
        _execute("DELETE FROM django_migrations WHERE app = 'sign_in'")
        yield
        transaction.set_rollback(True)


@contextmanager
def restore_cut_off() -> Iterator[None]:
    with transaction.atomic():
        _execute("ALTER TABLE macros_schedule RENAME COLUMN name TO elsewhere")
        yield
        transaction.set_rollback(True)


@contextmanager
def redis_that_drops() -> Iterator[None]:
    redis = queue.redis()
    redis.config_set("maxmemory", "100mb")
    redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        yield
    finally:
        redis.config_set("maxmemory", "0")
        redis.config_set("maxmemory-policy", "noeviction")


@contextmanager
def redis_that_was_emptied() -> Iterator[None]:
    queue.redis().flushdb()
    yield


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@dataclass(frozen=True)
class Bad:
    """A row of the table: what is wrong, the finding, and words of its sentence."""

    name: str
    happens: Callable[[], AbstractContextManager[None]]
    finding: str
    words: str
    # What becomes of a delivery meanwhile that uses a secret.
    is_held_up: bool = False
    fails: str = ""


BAD = [
    Bad("a full disk, of files", full_disk_of_files, "disk_full", "GB left"),
    Bad(
        "a full disk, of the database",
        full_disk_of_database,
        "database_read_only",
        "No space left",
        is_held_up=True,
    ),
    Bad(
        "a read-only database",
        read_only_database,
        "database_read_only",
        "Nothing can be written",
        is_held_up=True,
    ),
    Bad(
        "a clock an hour ahead",
        worker_whose_clock_is_an_hour_off,
        "clocks_apart",
        r"worker elsewhere is 3,6\d\d seconds ahead",
    ),
    Bad(
        "a clock an hour behind",
        clock_that_is_an_hour_behind,
        "clocks_apart",
        r"clock elsewhere is 3,6\d\d seconds behind",
    ),
    Bad(
        "a wrong key for stored secrets",
        wrong_key,
        "secrets_closed",
        "None of SECRETS_KEYS opens 1",
        fails="none of SECRETS_KEYS fits",
    ),
    Bad(
        "a missing key for stored secrets",
        missing_key,
        "settings",
        "SECRETS_KEYS is not set",
    ),
    Bad("a worker of an older version", older_worker, "other_version", "0.0.1"),
    Bad(
        "a half-applied migration",
        migration_cut_off,
        "migration_half_made",
        "was begun and not finished",
    ),
    Bad(
        "a restore that was cut off",
        restore_cut_off,
        "schema_incomplete",
        "macros_schedule.name",
    ),
    Bad(
        "a backup of another installation",
        database_of_another_installation,
        "another_installation",
        "last used with other keys",
    ),
    Bad(
        "a retention of 0 days",
        retention_of_no_days,
        "settings",
        "DELIVERIES_KEPT_DAYS is 0",
    ),
    Bad("a Redis that forgets", redis_that_drops, "redis_forgets", "allkeys-lru"),
    Bad("a Redis that was emptied", redis_that_was_emptied, "no_clock", "No clock"),
]


@pytest.fixture
def run(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setitem(examining.EXAMINATIONS, "Settings", ())
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    factories.secret(bugs, "Slack")
    headers = "Authorization: Bearer ((Secret: Slack))"
    macro = factories.macro(bugs, f"{receiver.url}/ok", headers=headers)
    return factories.run(macro)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_it_ends_in_a_finding_and_nothing_is_lost(
    bad: Bad, run: Run, receiver: Receiver
) -> None:
    with bad.happens():
        findings = [each for each in examine().every if each.id == bad.finding]
        assert any(re.search(bad.words, each.sentence) for each in findings)
        assert all(each.advice for each in findings)
        if bad.is_held_up:
            with suppress(Error, RedisError), transaction.atomic():
                deliveries.work(run.pk)
            assert receiver.total == 0
        if bad.fails:
            deliveries.work(run.pk)
            assert bad.fails in Attempt.objects.get().message
            assert run.deliveries.get().state == "failed" and receiver.total == 0
    if bad.fails:
        resend(Delivery.objects.all(), Resend.ANEW, factories.superuser())

    # Whatever it was, the clock and a worker find what is due.
    jobs.wake()
    deliveries.work(run.pk)
    assert run.deliveries.get().state == "delivered" and receiver.total == 1


def test_the_document_has_the_same_table() -> None:
    text = (ROOT / "docs" / "doctor.md").read_text()
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| a ")]
    documented = {(row[0].removeprefix("| "), row[1].strip("`")) for row in rows}
    assert {(bad.name, bad.finding) for bad in BAD} <= documented
