"""An upgrade while deliveries go on, with the code of the release before.

Collected on PostgreSQL only.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from centerhook.receiver import Receiver
from feedback.models import Feedback
from logs.models import Cause, Run
from macros.models import Macro
from macros.runs import start_run
from tests.processes import releases
from tests.processes.accounts import Account, scaled, settled
from tests.processes.conftest import wait_until
from tests.processes.servers import OwnPostgres

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]
ROOT = Path(__file__).resolve().parents[2]
# So that a run takes much longer than a migration, until a quick worker comes.
SLOW = {"DESTINATION_CONCURRENCY": 2, "BATCH_SIZE": 20}
QUIETLY = ("manage.py", "migrate", "-v0")
# What a web process of the other release does at a click, by its own code.
CLICK = """
import sys
import django
django.setup()
from tests import factories
bugs = factories.feedback_type()
factories.tickets(bugs, int(sys.argv[2]))
factories.run(factories.macro(bugs, sys.argv[1], ladder="1 s, 1 s, 1 s"))
"""


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return releases.unpack(tmp_path_factory.mktemp("previous"))


def done(child: subprocess.Popen[bytes]) -> bool:
    return child.wait(120) == 0


def stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    assert done(child)


def click(start: Start, code: Path, url: str, tickets: int) -> Run:
    """A run of the code in that folder. The schema may be of either release."""
    settings = {"DJANGO_SETTINGS_MODULE": "centerhook.settings"}
    command = ("-c", CLICK, url, str(tickets))
    assert done(start(command=command, cwd=code, **settings))
    return Run.objects.only("pk").latest("pk")


def some(macro: Macro, count: int) -> Run:
    """A run of this release."""
    pks = Feedback.objects.order_by("pk").values("pk")[:count]
    return start_run(macro, Feedback.objects.filter(pk__in=pks), cause=Cause.ACTION)


def test_deliveries_go_on_while_the_schema_and_then_the_workers_change(
    empty_postgres: OwnPostgres,
    start: Start,
    receiver: Receiver,
    account: Account,
    previous: Path,
) -> None:
    tickets = scaled(500, 1500)
    assert done(start(command=QUIETLY, cwd=previous))
    workers = [start("worker", cwd=previous, **SLOW) for _ in range(2)]
    clock = start("clock", cwd=previous)
    before = click(start, previous, f"{receiver.url}/delay/500", tickets)
    wait_until(lambda: len(receiver.ids) >= 8)

    assert done(start(command=QUIETLY)), "with the old workers at work"
    arrived = len(receiver.ids)
    wait_until(lambda: len(receiver.ids) >= arrived + 8)
    before.refresh_from_db()
    assert before.macro is not None
    between = some(before.macro, 20)
    newcomer = start("worker")
    for worker in workers:
        stop(worker)
    stop(clock)
    start("clock")
    after = some(before.macro, 20)
    wait_until(lambda: settled(before, between, after), 90)

    assert (before.total, between.total, after.total) == (tickets, 20, 20)
    runs = before, between, after
    assert account.settle(*runs, arrived=receiver.ids) == 0, "nothing came twice"
    stop(newcomer)


def test_what_the_release_before_has_begun_is_delivered_by_this_one(
    start: Start,
    receiver: Receiver,
    account: Account,
    previous: Path,
) -> None:
    """Its web processes are the last that are replaced."""
    run = click(start, previous, f"{receiver.url}/ok", 30)
    worker = start("worker")
    start("clock")
    wait_until(lambda: settled(run))
    assert account.settle(run, arrived=receiver.ids) == 0
    stop(worker)


def test_what_this_release_has_begun_is_delivered_by_the_one_before(
    start: Start,
    receiver: Receiver,
    account: Account,
    previous: Path,
) -> None:
    """As long as the formats are the same; of a newer one nothing is tried."""
    run = click(start, ROOT, f"{receiver.url}/ok", 30)
    worker = start("worker", cwd=previous)
    start("clock", cwd=previous)
    wait_until(lambda: settled(run))
    assert account.settle(run, arrived=receiver.ids) == 0
    stop(worker)


def test_no_migration_of_a_release_was_changed(previous: Path) -> None:
    released = sorted(previous.glob("*/migrations/0*.py"))
    released += previous.glob("*/*/migrations/0*.py")
    assert len(released) > 4
    changed = [
        str(path.relative_to(previous))
        for path in released
        if not (ROOT / path.relative_to(previous)).exists()
        or (ROOT / path.relative_to(previous)).read_bytes() != path.read_bytes()
    ]
    assert changed == [], "databases have made them already: write another one"


def test_a_migration_lets_nobody_wait_behind_it_for_long(
    own_postgres: OwnPostgres,
) -> None:
    """Somebody reads a table for long that a migration is to change."""
    graph = MigrationLoader(None).graph
    [(_, last)] = graph.leaf_nodes("feedback")
    call_command("migrate", "feedback", "0003", verbosity=0)
    there = connection.settings_dict
    names = {"user": there["USER"], "dbname": there["NAME"], "host": there["HOST"]}
    with psycopg.connect(**names, application_name="a long report") as reader:
        reader.execute("SELECT count(*) FROM feedback_storedresponse")
        with pytest.raises(CommandError) as refusal:
            call_command("migrate", "feedback", lock_seconds=0.2, verbosity=0)
        sentence = str(refusal.value)
        assert "A table was in use for 0.2 seconds" in sentence
        assert "a long report, idle in transaction" in sentence
        reader.rollback()
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            assert cursor.fetchone() == ("0",), "as it was before"
        call_command("migrate", "feedback", verbosity=0)
    assert last in {name for _, name in MigrationLoader(connection).applied_migrations}
