"""What machines ask: whether the process responds, and whether each part does."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from pytest_django import Settings
from redis import Redis

from centerhook import __version__
from centerhook.health import probes
from macros import queue
from tests.health.reading import read_only

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request looks anew; one test is about those that do not."""
    monkeypatch.setattr(probes, "_states", {})
    monkeypatch.setattr(probes, "STATE_SECONDS", 0.0)


def test_many_who_ask_are_one_look(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "STATE_SECONDS", 60.0)
    looks: list[str] = []
    parts = {"one": lambda: looks.append("one"), "two": lambda: looks.append("two")}
    monkeypatch.setattr(probes, "PARTS", parts)
    for query in ("", "?exclude=two", "", "?exclude=one&exclude=two"):
        ready(client, query)
    assert looks == ["one", "two"]


def test_a_part_that_hangs_holds_up_nobody_who_asks_for_the_others(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {"hangs": lambda: None, "other": lambda: None}
    monkeypatch.setattr(probes, "PARTS", parts)
    monkeypatch.setattr(probes, "_looking", defaultdict(Lock))
    ready(client)
    with probes._looking["hangs"]:
        assert ready(client, "?exclude=hangs")["status"] == "ok"
        assert ready(client)["parts"] == {"hangs": "ok", "other": "ok"}, "what is known"


def ready(client: Client, query: str = "") -> dict[str, Any]:
    response = client.get(f"/readyz{query}", headers={"host": "10.0.0.7"})
    body: dict[str, Any] = response.json()
    assert (response.status_code == 200) == (body["status"] == "ok")
    return body


def test_the_process_says_its_version_and_asks_nothing(client: Client) -> None:
    """Without the `db` fixture: a query would be an error."""
    response = client.get("/healthz", headers={"host": "10.0.0.7"})
    assert response.json() == {"status": "ok", "version": __version__}
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies
    assert client.post("/healthz").status_code == 405


def test_the_version_is_the_project_s() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{__version__}"' in text
    assert f"## {__version__} " in (ROOT / "CHANGELOG.md").read_text()


def test_all_parts_are_well(client: Client, db: None) -> None:
    body = ready(client)
    assert body["parts"] == dict.fromkeys(probes.PARTS, "ok")


def test_redis_away(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = Redis(port=1, socket_connect_timeout=0.1)
    monkeypatch.setattr(queue, "redis", lambda: nowhere)
    body = ready(client)
    assert body["status"] == "failed" and "Redis" in body["parts"]["redis"]
    assert ready(client, "?exclude=redis")["status"] == "ok"


def test_a_database_that_takes_no_writes(client: Client, db: None) -> None:
    with read_only():
        parts = ready(client)["parts"]
    assert parts["database"].startswith("The database takes no writes")
    assert ready(client)["parts"]["database"] == "ok"


def test_a_missing_migration(client: Client, db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'logs'")
    assert "manage.py migrate" in ready(client)["parts"]["migrations"]


def test_a_folder_that_can_not_be_written(
    client: Client, db: None, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings.ATTACHMENTS_DIR = str(tmp_path / "file" / "below")
    assert "ATTACHMENTS_DIR" in ready(client)["parts"]["files"]


def test_a_database_away(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        def cursor(self) -> None:
            raise DatabaseError("secret detail")

    monkeypatch.setattr(probes, "connection", Away())
    body = ready(client, "?exclude=migrations")
    assert body["parts"]["database"] == "The database does not respond."
