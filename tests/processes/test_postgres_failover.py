"""PostgreSQL takes no writes for a while, or another one takes its place.

Collected on PostgreSQL only.
"""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from django.db import connection

from centerhook.receiver import Receiver
from feedback.models import Comment
from macros.models import InboundCall
from tests import factories
from tests.processes.accounts import Account, settled
from tests.processes.calling import signed
from tests.processes.conftest import wait_until
from tests.processes.servers import OwnPostgres, OwnStandby
from tests.processes.test_kills import PATIENT
from tests.processes.test_two_of_everything import Installation, go_on, settle

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., subprocess.Popen[bytes]]
FOLLOWERS = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"


def tell(*statements: str) -> None:
    """In a session that is not read-only, whatever the others are."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = off")
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def own_standby(own_postgres: OwnPostgres) -> Iterator[OwnStandby]:
    """It has what the primary has confirmed; the URL has both, the primary last."""
    standby = OwnStandby(ROOT, own_postgres)
    try:
        tell(
            "ALTER SYSTEM SET synchronous_standby_names = '*'",
            "SELECT pg_reload_conf()",
        )
        connection.close()
        connection.settings_dict["HOST"] = f"{standby.folder},{own_postgres.folder}"
        options = {"target_session_attrs": "read-write"}
        connection.settings_dict["OPTIONS"] = options
        wait_until(is_followed)
        yield standby
    finally:
        standby.stop()


def is_followed() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(FOLLOWERS)
        return bool(cursor.fetchone()[0])


def test_a_standby_that_is_promoted_under_load_goes_on_with_all_that_was_confirmed(
    own_postgres: OwnPostgres,
    own_standby: OwnStandby,
    start: Start,
    receiver: Receiver,
    account: Account,
) -> None:
    running = Installation(start)
    visitors = running.visitors(receiver)
    visitors.start()
    try:
        go_on(visitors, receiver)
        retried = visitors.retried
        visitors.database_up.clear()
        own_postgres.kill()
        wait_until(lambda: visitors.retried > retried)
        own_standby.promote()
        visitors.database_up.set()
        connection.close()
        go_on(visitors, receiver)
    finally:
        visitors.database_up.set()
        visitors.stop()

    assert visitors.failed == []
    settle(visitors, receiver, account, blows=1)
    started = [each.process for each in running.parts]
    assert all(each.poll() is None for each in started), "none was started again"
    running.close()


def test_while_the_database_takes_no_writes_workers_wait_and_lose_nothing(
    own_postgres: OwnPostgres, start: Start, receiver: Receiver, account: Account
) -> None:
    running = Installation(start, LEASE_SECONDS=60, DESTINATION_CONCURRENCY=4)
    visitors = running.visitors(receiver)
    bugs = factories.feedback_type()
    factories.tickets(bugs, 200)
    macro = factories.macro(bugs, f"{receiver.url}/delay/50", ladder=PATIENT)
    run = factories.run(macro)
    url, hook = running.webs[0].url, f"{running.webs[0].url}{visitors.hook}"
    wait_until(lambda: len(receiver.ids) >= 20)

    tell(
        "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()"
    )
    wait_until(lambda: requests.get(f"{url}/readyz", timeout=30).status_code == 503)
    parts = requests.get(f"{url}/readyz", timeout=30).json()["parts"]
    body, headers = signed(1)
    refused = requests.post(hook, data=body, headers=headers, timeout=30)
    time.sleep(3)
    assert "takes no writes" in parts["database"]
    assert refused.status_code == 503
    tell("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")

    wait_until(lambda: requests.get(f"{url}/readyz", timeout=30).ok)
    taken = requests.post(hook, data=body, headers=headers, timeout=30)
    assert taken.status_code == 200
    wait_until(lambda: settled(run), 60)
    assert account.settle(run, arrived=receiver.ids) == 0
    wait_until(lambda: not InboundCall.objects.filter(state="waiting").exists())
    assert Counter(Comment.objects.values_list("text", flat=True)) == {"Call 1": 1}
    started = [each.process for each in running.parts]
    assert all(each.poll() is None for each in started)
    running.close()
