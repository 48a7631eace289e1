"""Two of everything: each process is killed in turn under load, the servers too.

Collected on PostgreSQL only.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from centerhook.receiver import Receiver
from feedback.models import Comment, Feedback
from logs.models import Run
from macros.models import InboundCall
from tests import factories
from tests.processes.accounts import Account, scaled, settled
from tests.processes.calling import SECRET
from tests.processes.conftest import wait_until
from tests.processes.servers import OwnPostgres, OwnValkey
from tests.processes.test_kills import PATIENT
from tests.processes.visitors import Visitors
from tests.processes.web import OwnWeb

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]
LEASE_SECONDS = 6
# Pages and calls that are served between two blows, and with one of the eight dead.
MEANWHILE = scaled(30, 150)


class Own:
    """A worker or a clock of the test's own."""

    def __init__(self, start: Start, name: str, **environment: object) -> None:
        self._begin = lambda: start(name, **environment)

    def start(self) -> None:
        self.process = self._begin()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


Part = Own | OwnWeb | OwnPostgres | OwnValkey


class Installation:
    """Two web servers, two workers, two clocks on a database and a queue."""

    def __init__(self, start: Start, **environment: object) -> None:
        here = {"LEASE_SECONDS": LEASE_SECONDS, **environment}
        self.webs = [OwnWeb(start, **here) for _ in range(2)]
        self.workers = [Own(start, "worker", **here) for _ in range(2)]
        self.clocks = [Own(start, "clock", **here) for _ in range(2)]
        for part in self.parts:
            part.start()

    @property
    def parts(self) -> list[Own | OwnWeb]:
        return [*self.webs, *self.workers, *self.clocks]

    def visitors(self, receiver: Receiver) -> Visitors:
        """They make tickets that a trigger sends, perform a macro on each, and call."""
        bugs = factories.feedback_type()
        factories.tickets(bugs, 10)
        factories.secret(bugs, "signing", SECRET)
        url = f"{receiver.url}/delay/20"
        submitted, performed = (
            factories.macro(bugs, url, ladder=PATIENT) for _ in range(2)
        )
        factories.trigger(submitted)
        heard = factories.listener(
            bugs,
            {"kind": "comment", "value": "Call ((Payload: $.number))"},
            secret="signing",
            record_by="reference",
            record_at="$.ticket",
            id_at="header: webhook-id",
        )
        return Visitors([web.url for web in self.webs], bugs, performed, heard)

    def close(self) -> None:
        for web in self.webs:
            web.close()


@pytest.fixture
def installation(
    own_postgres: OwnPostgres, own_valkey: OwnValkey, start: Start
) -> Iterator[Installation]:
    running = Installation(start, REDIS_URL=own_valkey.url)
    yield running
    running.close()


def test_each_of_eight_killed_in_turn_under_load_fails_no_page_and_loses_nothing(
    own_postgres: OwnPostgres,
    own_valkey: OwnValkey,
    installation: Installation,
    receiver: Receiver,
    account: Account,
) -> None:
    visitors = installation.visitors(receiver)
    parts: list[Part] = [*installation.parts, own_postgres, own_valkey]
    rounds = scaled(1, 5)
    visitors.start()
    try:
        for part in parts * rounds:
            go_on(visitors, receiver)
            blow(part, visitors)
        go_on(visitors, receiver)
    finally:
        visitors.stop()

    assert visitors.failed == []
    assert visitors.retried >= 3 * rounds, "of two web servers and the database"
    settle(visitors, receiver, account, len(parts) * rounds)


def go_on(visitors: Visitors, receiver: Receiver) -> None:
    """Until more is served, and more has arrived."""
    served, arrived = visitors.served + MEANWHILE, len(receiver.ids) + 10
    wait_until(lambda: visitors.served >= served and len(receiver.ids) >= arrived, 120)


def blow(part: Part, visitors: Visitors) -> None:
    """Kill it, wait until its absence has been felt, start it again."""
    served, retried = visitors.served + MEANWHILE, visitors.retried
    if isinstance(part, OwnPostgres):
        visitors.database_up.clear()
        part.kill()
        wait_until(lambda: visitors.retried > retried)
        part.start()
        visitors.database_up.set()
        connection.close()
    else:
        part.kill()
        wait_until(lambda: visitors.served >= served, 120)
        part.start()


def settle(
    visitors: Visitors, receiver: Receiver, account: Account, blows: int
) -> None:
    """Each ticket and each call is there once, and all was delivered."""
    titles = Counter(Feedback.objects.values_list("title", flat=True))
    del titles["It breaks"]
    assert titles == {f"Ticket {number}": 1 for number in visitors.made}
    runs = list(Run.objects.all())
    assert len(runs) == len(visitors.made) + visitors.performed
    wait_until(lambda: settled(*runs), 60)
    account.settle(*runs, arrived=receiver.ids, blows=blows)
    waiting = InboundCall.objects.filter(state="waiting")
    # A listener's calls are worked on one after the other.
    wait_until(lambda: not waiting.exists(), 90 + len(visitors.calls) / 10)
    comments = Counter(Comment.objects.values_list("text", flat=True))
    assert comments == {f"Call {number}": 1 for number in visitors.calls}
