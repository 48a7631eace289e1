"""DATABASE_URL of PostgreSQL: a server that is gone is noticed, another one found."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks

from centerhook.environment import Environment
from centerhook.postgres import NOTICING, prepare


def prepared(url: str) -> dict[str, Any]:
    database: dict[str, Any] = Environment.db_url_config(url)
    prepare(database)
    return database


def test_one_host_has_the_limits_of_connections() -> None:
    database = prepared("postgres://u:p@db.example.com:5433/name")
    assert (database["HOST"], database["PORT"]) == ("db.example.com", 5433)
    assert database["OPTIONS"] == NOTICING
    assert database["CONN_HEALTH_CHECKS"] is True


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgres://u:p%40x@one:5432,two:5433/name", "one,two", "5432,5433"),
        ("postgres://u:p@one,two/name", "one,two", ""),
        ("postgres://u:p@[::1]:5432,[::2]:5433/name", "::1,::2", "5432,5433"),
    ],
)
def test_of_several_hosts_the_one_that_writes_is_taken(
    url: str, host: str, port: str
) -> None:
    database = prepared(url)
    assert (database["HOST"], str(database["PORT"])) == (host, port)
    assert database["NAME"] == "name" and database["USER"] == "u"
    assert database["OPTIONS"]["target_session_attrs"] == "read-write"


def test_sockets_are_hosts_too() -> None:
    options = prepared("postgres://u@/name?host=/run/one,/run/two")["OPTIONS"]
    assert options["host"] == "/run/one,/run/two"
    assert options["target_session_attrs"] == "read-write"


def test_what_the_url_says_stands() -> None:
    query = "connect_timeout=2&target_session_attrs=any&sslmode=verify-full"
    options = prepared(f"postgres://u:p@one:1,two:2/name?{query}")["OPTIONS"]
    assert options["connect_timeout"] == 2
    assert options["target_session_attrs"] == "any"
    assert options["sslmode"] == "verify-full"
    assert options["keepalives_idle"] == NOTICING["keepalives_idle"]


@pytest.mark.parametrize(
    ("url", "is_wrong"),
    [
        ("postgres://u:p@one:5432,two:5433/name", False),
        ("postgres://u:p@one,two/name", False),
        ("postgres://u:p@one:5433/name", False),
        ("sqlite:////tmp/name", False),
        ("postgres://u:p@one,two:5433/name", True),
        ("postgres://u:p@one:1,two,three:3/name", True),
    ],
)
def test_a_port_for_some_of_the_hosts_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str, is_wrong: bool
) -> None:
    database = Environment.db_url_config(url)
    for name in ("HOST", "PORT"):
        monkeypatch.setitem(settings.DATABASES["default"], name, database[name])
    errors = [each for each in run_checks(tags=["security"]) if each.id[-3:] == "106"]
    assert len(errors) == is_wrong
    assert all("hosts" in each.msg and each.hint for each in errors)
