"""Real parts for tests to use."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tests.http.hostile import Behaviour, Server

if TYPE_CHECKING:
    from pytest_django import DjangoDbBlocker as DatabaseBlocker
    from pytest_django import Settings

    from centerhook.receiver import Receiver

# A machine that is busy is no fault of an example. What lands is tried with the same
# examples each time; whoever runs the tests by hand tries others.
hypothesis.settings.register_profile(
    "ours", deadline=None, derandomize="SAME_EXAMPLES" in os.environ
)
hypothesis.settings.load_profile("ours")


# Whole folders that ask pages and routes, through all that stands before them.
PAGES = (
    *("tests/admin/", "tests/api/", "tests/security/", "tests/sign_in/"),
    *("tests/lookups/", "tests/odata/test_service"),
)

# As Django connects it.
CREATE_PERMISSIONS = "django.contrib.auth.management.create_permissions"
# Where every test has a mark.
ALL_MARKED = {"pages": PAGES, "browser": ("tests/browser/",)}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A folder of which `-m` leaves every test out need not be read."""
    marks = config.option.markexpr.split(" and ")
    folder = f"{os.path.relpath(collection_path, config.rootpath)}/"
    left_out = (ALL_MARKED[mark] for mark in ALL_MARKED if f"not {mark}" in marks)
    return True if any(folder in folders for folders in left_out) else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    for item in items:
        if item.nodeid.startswith(PAGES):
            item.add_marker("pages")
        asks = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
        if asks or item.get_closest_marker("django_db"):
            item.add_marker("database")
    yield
    _spread(items)


def _spread(items: list[pytest.Item]) -> None:
    """Those that wait for other processes evenly among those that compute.

    Otherwise they would be the last ones, and all that run at once would wait at once.
    A browser keeps an event loop in its process: what needs it comes at the end.
    """
    browser = [item for item in items if item.get_closest_marker("browser")]
    groups: tuple[list[pytest.Item], ...] = [], []
    for item in items:
        if not item.get_closest_marker("browser"):
            groups[item.get_closest_marker("processes") is not None].append(item)
    ranked = [
        (number / len(group), item)
        for group in groups
        for number, item in enumerate(group)
    ]
    spread = [item for _, item in sorted(ranked, key=lambda each: each[0])]
    items[:] = [*spread, *browser]


def pytest_collection_finish() -> None:
    """What thousands of tests are made of stays: the collector need not look at it."""
    gc.freeze()


def _with_room(call: Callable[..., object], **arguments: object) -> object:
    """Call it on a stack that is one piece of memory.

    CPython keeps frames in chunks of 16 KB and gives one back to the system whenever
    a call that began it ends. Where that happens in a loop it costs a fifth of the
    time that a page takes. The first frame's chunk is as big as that frame asks for.
    """
    __tracebackhide__ = True
    return call(**arguments)


_with_room.__code__ = _with_room.__code__.replace(co_stacksize=1 << 16)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    pyfuncitem.obj = partial(_with_room, pyfuncitem.obj)
    return (yield)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
) -> None:
    """On SQLite tables are made from the models: migrations take 6 s of each process.

    They make the same there (`makemigrations --check`), and are run on PostgreSQL.
    """
    from django.db import connection

    connection.settings_dict["TEST"]["MIGRATE"] = connection.vendor == "postgresql"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DatabaseBlocker) -> None:
    """What looks for migrations finds that all have been applied."""
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.recorder import MigrationRecorder

    with django_db_blocker.unblock():
        recorder = MigrationRecorder(connection)
        applied = recorder.applied_migrations()
        for name in MigrationLoader(None).disk_migrations.keys() - applied.keys():
            recorder.record_applied(*name)
    _flush_less()


def _flush_less() -> None:
    """Leave kinds of rows and permissions: to make them anew is most of a flush."""
    from django.contrib.auth.management import create_permissions
    from django.contrib.contenttypes.management import create_contenttypes
    from django.db import connection
    from django.db.models.signals import post_migrate

    flush, kept = connection.ops.sql_flush, {"auth_permission", "django_content_type"}
    connection.ops.sql_flush = lambda style, tables, **options: flush(
        style, [table for table in tables if table not in kept], **options
    )
    post_migrate.disconnect(create_contenttypes)
    post_migrate.disconnect(create_permissions, dispatch_uid=CREATE_PERMISSIONS)


@pytest.fixture(autouse=True, scope="session")
def static_files_on_demand(django_test_environment: None) -> None:
    """Every test client builds its middleware anew; all static files are many."""
    from django.conf import settings

    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True, scope="session")
def quick_passwords(django_test_environment: None) -> None:
    """A hash that is safe to keep takes as long as a dozen tests.

    These are of the same kind, so that real processes know the passwords too.
    """
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    PBKDF2PasswordHasher.iterations = 1


@pytest.fixture(autouse=True)
def nothing_known_by_number(request: pytest.FixtureRequest) -> None:
    """A row that is rolled back may leave its number, and its permits, to the next."""
    if request.node.get_closest_marker("database"):
        from macros import queue
        from macros.deliveries import held_up

        queue.redis().flushdb()
        held_up._only_sends.clear()


@pytest.fixture(autouse=True)
def normal_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked up once a second, which would be one query more for some tests.

    Whoever changes it looks anew.
    """
    from feedback import mode

    monkeypatch.setattr(mode, "LOOK_EVERY", float("inf"))
    monkeypatch.setattr(mode, "_known", (0.0, mode.State(mode.Mode.NORMAL)))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    from centerhook.receiver import Receiver

    with Receiver() as running:
        yield running


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers that behave badly; see tests.http.hostile."""
    with ExitStack() as stack:

        def start(behaviour: Behaviour, **options: Any) -> Server:
            return stack.enter_context(Server(behaviour, **options))

        yield start


@pytest.fixture
def short_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that looks up every moment, also when nothing happens."""
    monkeypatch.setattr("macros.deliveries.engine.TICK", 0.05)
    monkeypatch.setattr("macros.deliveries.engine.PAUSE", 0.05)


@pytest.fixture
def short_limits(settings: Settings) -> None:
    """Time limits that a test can wait for."""
    settings.CONNECT_TIMEOUT = settings.READ_TIMEOUT = settings.REQUEST_DEADLINE = 0.4
