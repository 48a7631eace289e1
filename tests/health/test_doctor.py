"""Each finding of the doctor is made true once, and the document explains each."""

from __future__ import annotations

import json
import re
import shutil
import ssl
from collections import namedtuple
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from redis import Redis

from centerhook import __version__, installation
from centerhook.doctor import database, examine, examining
from centerhook.doctor import machine as machine_parts
from centerhook.doctor import settings as doctor_settings
from feedback import formats
from feedback.access.roles import Role
from feedback.models import FeedbackType, Mode
from logs.models import Delivery, DeliveryState, Run
from logs.retention import whole_pass
from macros import queue
from macros.models import InboundCall, Schedule, Secret
from macros.retention import TIERS
from tests import factories
from tests.health.reading import read_only

ROOT = Path(__file__).resolve().parents[2]
NOT_HERE = {
    # What the machines of tests are, or have none of.
    *("sqlite", "no_mail", "settings", "disk_full", "vacuum_behind"),
}


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    queue.redis().flushdb()
    return factories.feedback_type()


@pytest.fixture(autouse=True)
def without_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take a second; one test is about them."""
    monkeypatch.setitem(examining.EXAMINATIONS, "Settings", ())


def test_what_is_unsafe_in_the_settings(settings: Settings) -> None:
    settings.DEBUG, settings.ALLOWED_HOSTS = True, ["feedback.example.com"]
    findings = list(doctor_settings.checks(timezone.now()))
    assert {each.id for each in findings} == {"settings"}
    assert any("centerhook." in each.sentence and each.advice for each in findings)


def test_people_without_tls(settings: Settings) -> None:
    settings.HAS_TLS = False
    assert [each.id for each in doctor_settings.tls(timezone.now())] == ["no_tls"]
    settings.HAS_TLS = True
    assert not [*doctor_settings.tls(timezone.now())]


def ids() -> set[str]:
    return {each.id for each in examine().every}


def alive() -> None:
    queue.note_process("clock", "a", __version__, timezone.now())


def test_what_a_machine_of_tests_says(bugs: FeedbackType) -> None:
    """No worker is there; all else is well."""
    alive()
    assert ids() - NOT_HERE == {"no_worker"}


def test_processes(bugs: FeedbackType) -> None:
    assert {"no_worker", "no_clock"} <= ids()
    alive()
    assert "no_clock" not in ids()
    queue.note_process("worker", "w", "0.0.1", timezone.now())
    [old] = [each for each in examine().every if each.id == "other_version"]
    assert "0.0.1" in old.sentence and __version__ in old.sentence


def test_redis_away_and_redis_that_forgets(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis = queue.redis()
    redis.config_set("maxmemory", "100mb")
    redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert "redis_forgets" in ids()
    finally:
        redis.config_set("maxmemory", "0")
        redis.config_set("maxmemory-policy", "noeviction")
    nowhere = Redis(port=1, socket_connect_timeout=0.1)
    monkeypatch.setattr(queue, "redis", lambda: nowhere)
    report = examine()
    assert "redis_away" in {each.id for each in report.every}
    assert "Processes: clocks" in report.unexamined and report.is_bad


def test_migrations(bugs: FeedbackType) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sign_in'")
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES ('logs', '9999_future', '2026-11-26 00:00:00')"
        )
    assert {"migrations_missing", "migrations_unknown"} <= ids()


def test_a_migration_that_made_one_of_its_indexes(bugs: FeedbackType) -> None:
    """Without a transaction its first half stays."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'logs' AND name >= '0006'"
        )
        cursor.execute("DROP INDEX run_by_end")
        cursor.execute("DROP INDEX run_of_schedule")
    [finding] = [each for each in examine().every if each.id == "migration_half_made"]
    assert "logs.0006_run_order was begun and not finished" in finding.sentence
    assert "it has made logs_run.run_by_start." in finding.sentence
    assert finding.advice.startswith("Run manage.py migrate again: it goes on")
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX run_by_start")
    assert "migration_half_made" not in ids(), "it was not begun"


def test_runs_of_a_newer_version(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://a.example/"))
    assert "runs_newer" not in ids()
    run.snapshot["format"] = formats.RUN + 1
    run.save()
    [finding] = [each for each in examine().every if each.id == "runs_newer"]
    assert finding.sentence.endswith("wait for a worker of that version: 1.")


def test_a_missing_index(bugs: FeedbackType) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX delivery_in_run")
    [finding] = [each for each in examine().every if each.id == "index_missing"]
    assert "delivery_in_run" in finding.sentence


def test_a_database_away(bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("connection refused\nand more")

    monkeypatch.setattr(
        examining, "connection", SimpleNamespace(ensure_connection=away)
    )
    report = examine()
    assert "database_away" in {each.id for each in report.every}
    assert "Work: deliveries" in report.unexamined
    assert "Redis" in report.findings


def test_what_only_postgresql_says(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own tables are asked for real where the tests run on PostgreSQL."""

    def every(sql: str, parameters: object = None) -> list[tuple[Any]]:
        if "clock_timestamp" in sql:
            return [(timezone.now() + timedelta(hours=1),)]
        return [("feedback_feedback",)]

    monkeypatch.setattr(database, "_every", every)
    only = {"clocks_apart", "index_invalid", "vacuum_behind", "database_encoding"}
    assert only <= ids()
    old = SimpleNamespace(vendor="postgresql", pg_version=120_004)
    monkeypatch.setattr(database, "connection", old)
    [finding] = database.version(timezone.now())
    assert finding.id == "database_old" and "PostgreSQL 12" in finding.sentence


def test_a_certificate_that_nobody_trusts(
    bugs: FeedbackType, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(host: str, port: int) -> datetime:
        raise ssl.SSLCertVerificationError("self-signed")

    settings.BASE_URL = "https://127.0.0.1:1"
    monkeypatch.setattr(machine_parts, "_end_of_certificate", refuse)
    assert "certificate_bad" in ids()


def test_a_database_that_takes_nothing(bugs: FeedbackType) -> None:
    with read_only():
        assert "database_read_only" in ids()


def test_trying_to_write_leaves_nothing(bugs: FeedbackType) -> None:
    examine()
    assert not Session.objects.exists()


def test_work_that_is_late(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://a.example/"))
    late = timezone.now() - timedelta(minutes=10)
    Delivery.objects.update(next_attempt_at=late)
    heard = factories.listener(bugs)
    InboundCall.objects.create(listener=heard, received_at=late)
    factories.schedule(run.macro)
    Schedule.objects.update(is_active=True, next_run_at=late - timedelta(days=1))
    assert {"deliveries_late", "calls_late", "schedules_overdue"} <= ids()
    Delivery.objects.update(state=DeliveryState.DELIVERED)
    Run.objects.update(created_at=late - timedelta(hours=1))
    stuck = ids()
    assert "runs_stuck" in stuck and "deliveries_late" not in stuck


def test_calls_that_should_be_gone(bugs: FeedbackType, settings: Settings) -> None:
    long_ago = timezone.now() - timedelta(days=settings.INBOUND_KEPT_DAYS + 2)
    factories.inbound_call(factories.listener(bugs), state="done", received_at=long_ago)
    assert "retention_behind" in ids()
    list(whole_pass(TIERS, timezone.now()))
    assert "retention_behind" not in ids()


@pytest.mark.parametrize("value", [0, "soon"])
def test_what_is_kept_for_no_days(settings: Settings, value: object) -> None:
    settings.BODIES_KEPT_DAYS = value
    sentences = [each.sentence for each in doctor_settings.checks(timezone.now())]
    assert any(f"BODIES_KEPT_DAYS is {value}. " in each for each in sentences)


def test_secrets_that_no_key_opens(bugs: FeedbackType) -> None:
    secret = factories.secret(bugs, "Slack")
    Secret.objects.filter(pk=secret.pk).update(encrypted_value="not-a-token")
    assert "secrets_closed" in ids()

    [finding] = [each for each in examine().every if each.id == "secrets_closed"]
    assert f"Slack of {secret.community}" in finding.sentence


def test_an_installation_that_rests_says_what_waits(
    bugs: FeedbackType, settings: Settings
) -> None:
    factories.ticket(bugs)
    factories.run(factories.macro(bugs, "https://a.example/"))
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(hours=1))
    long_ago = timezone.now() - timedelta(days=settings.INBOUND_KEPT_DAYS + 2)
    InboundCall.objects.create(
        listener=factories.listener(bugs), received_at=long_ago, state="done"
    )
    assert {"deliveries_late", "retention_behind"} <= ids()
    installation.set_mode(Mode.PAUSED, "olivia")
    findings = {each.id: each for each in examine().every}
    assert "by olivia. Waiting: 1 delivery." in findings["paused"].sentence
    assert "deliveries_late" not in findings, "no worker would help"
    assert "retention_behind" not in findings, "nothing is deleted meanwhile"
    installation.set_mode(Mode.READ_ONLY, "olivia")
    assert "read_only" in ids()
    settings.MODE = "paused"
    findings = {each.id: each for each in examine().every}
    assert findings["paused"].advice == "Take MODE out of the settings."


def test_a_database_of_another_installation(
    bugs: FeedbackType, settings: Settings
) -> None:
    installation.note_first_use()
    about = {"another_installation", "address_changed"}
    assert ids() & about == set()
    settings.BASE_URL = "http://localhost:9999"
    assert ids() & about == {"address_changed"}
    settings.SECRET_KEY = "another"
    [finding] = [each for each in examine().every if each.id in about]
    assert finding.id == "another_installation"
    assert "SECRET_KEY" in finding.sentence and "BASE_URL" in finding.sentence


def test_a_key_that_ends_soon(bugs: FeedbackType) -> None:
    soon = timezone.now() + timedelta(days=3)
    factories.api_key(bugs.project.community, expires_at=soon)
    assert "api_key_ends" in ids()


def test_a_full_disk(bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**12, 10**6))
    assert "disk_full" in ids()


def test_mail_away(bugs: FeedbackType, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert "mail_away" in ids()


@pytest.mark.parametrize(
    ("days", "finding"), [(3, "certificate_ends"), (300, None), (None, "base_url_away")]
)
def test_the_certificate_that_people_meet(
    bugs: FeedbackType,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    days: int | None,
    finding: str | None,
) -> None:
    def end(host: str, port: int) -> datetime:
        if days is None:
            raise ConnectionRefusedError("refused")
        return timezone.now() + timedelta(days=days)

    settings.BASE_URL = "https://127.0.0.1:1"
    monkeypatch.setattr(machine_parts, "_end_of_certificate", end)
    about = {"certificate_ends", "certificate_bad", "base_url_away"}
    assert ids() & about == ({finding} if finding else set())


def test_the_command_has_a_code_for_scripts(bugs: FeedbackType) -> None:
    written = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("doctor", "--json", stdout=written)
    body = json.loads(written.getvalue())
    assert end.value.code == 2
    assert "no_worker" in {each["id"] for each in body["findings"]}
    people = StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", stdout=people)
    assert "BAD no_worker" in people.getvalue()
    assert "Start manage.py worker." in people.getvalue()


def test_the_page_is_for_superusers(bugs: FeedbackType, client: Client) -> None:
    client.force_login(factories.member(bugs, Role.COMMUNITY_MANAGER, "mona"))
    assert client.get("/admin/doctor/").status_code == 403
    client.force_login(factories.superuser())
    html = client.get("/admin/doctor/").content.decode()
    assert "no_worker" in html and "Something is wrong." in html


def test_the_document_explains_each() -> None:
    text = (ROOT / "docs" / "doctor.md").read_text()
    explained = set(re.findall(r"^### `(\w+)`$", text, re.MULTILINE))
    source = "".join(
        path.read_text() for path in (ROOT / "centerhook" / "doctor").glob("*.py")
    )
    known = set(re.findall(r'(?:bad|warning|Finding)\(\s*"(\w+)"', source))
    assert len(known) > 20 and explained == known
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("*.py"))
    assert {name for name in known if f'"{name}"' not in tests} == set()
