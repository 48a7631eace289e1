from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.processes.accounts import Account
from tests.processes.servers import OwnPostgres, OwnValkey

ROOT = Path(__file__).resolve().parents[2]

# Only a server of the test's own can be restarted, and SQLite is none. Nor has it
# locks of single rows.
if not os.environ["DATABASE_URL"].startswith("postgres"):
    collect_ignore = [
        "test_backup.py",
        "test_lock_order.py",
        "test_retention_locks.py",
        "test_locked_schedules.py",
        "test_postgres_failover.py",
        "test_postgres_restarts.py",
        "test_read_only.py",
        "test_two_at_once.py",
        "test_upgrade.py",
        "test_two_of_everything.py",
    ]


@pytest.fixture
def start(transactional_db: None) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start `manage.py NAME` on this test's database and queue; all end with it.

    Or, with `command`, another Python module and its arguments. `cwd` has the code.
    """
    children: list[subprocess.Popen[bytes]] = []

    def start(
        name: str = "",
        command: tuple[str, ...] = (),
        fds: tuple[int, ...] = (),
        cwd: Path = ROOT,
        **environment: object,
    ) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, *(command or ("manage.py", name))],
            cwd=cwd,
            pass_fds=fds,
            env={
                **os.environ,
                "DATABASE_URL": _test_database_url(),
                **{key: str(value) for key, value in environment.items()},
            },
        )
        children.append(child)
        return child

    yield start
    for child in children:
        if child.poll() is None:
            child.kill()
        child.wait()


@pytest.fixture
def account(request: pytest.FixtureRequest) -> Account:
    """Shows what became of every delivery, in the table that the run ends with."""
    return Account(request.node.user_properties)


@pytest.fixture
def own_valkey() -> Iterator[OwnValkey]:
    """A Valkey that a test may stop, and start again empty, at the same address."""
    folder = Path(tempfile.mkdtemp(prefix="centerhook-"))
    server = OwnValkey(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_postgres(empty_postgres: OwnPostgres) -> OwnPostgres:
    """A PostgreSQL that a test may restart; the test and its children work on it."""
    empty_postgres.migrate()
    return empty_postgres


@pytest.fixture
def empty_postgres(transactional_db: None) -> Iterator[OwnPostgres]:
    """The same without any table."""
    server = OwnPostgres(ROOT)
    before = dict(connection.settings_dict)
    try:
        connection.close()
        connection.settings_dict.update(server.settings)
        yield server
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(before)
        server.stop()


def _test_database_url() -> str:
    """Where a child finds what this test sees."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    host = settings["OPTIONS"].get("host") or settings["HOST"]
    user = f"{settings['USER']}:{settings['PASSWORD']}".rstrip(":")
    return f"postgres://{user}@:{settings['PORT']}/{settings['NAME']}?host={host}"


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def at_work(start: Callable[..., subprocess.Popen[bytes]]) -> Iterator[None]:
    """A worker that says goodbye: killed, it would seem alive to the next test."""
    start("clock")
    worker = start("worker")
    yield
    worker.terminate()
    worker.wait(30)
