"""A backup is made while deliveries go on, and restored elsewhere. PostgreSQL only.

By the scripts that docs/backup.md names.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from centerhook.receiver import Receiver
from feedback.models import Attachment
from logs.models import Attempt, Delivery, Run, delivery_id
from tests import factories
from tests.processes.accounts import settled
from tests.processes.conftest import _test_database_url, wait_until
from tests.processes.elsewhere import NAME, Elsewhere, looked_at, run
from tests.processes.servers import OwnValkey

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]
TICKETS = 150


@pytest.fixture
def elsewhere(
    transactional_db: None, tmp_path: Path, own_valkey: OwnValkey
) -> Iterator[Elsewhere]:
    there = Elsewhere(tmp_path / "elsewhere", own_valkey.url)
    there.forget()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {NAME}")
    yield there
    there.forget()


@pytest.fixture
def runs(db: None, receiver: Receiver) -> list[Run]:
    """One is sent again where the outcome is unknown, the other one is not."""
    made = []
    for retry_unknown in (True, False):
        bugs = factories.feedback_type()
        factories.tickets(bugs, TICKETS)
        url = f"{receiver.url}/delay/200"
        macro = factories.macro(bugs, url, ladder="1 s, 1 s, 1 s")
        macro.retry_unknown = retry_unknown
        macro.save()
        made.append(factories.run(macro))
    factories.secret(bugs, "signing")
    factories.attachment(bugs.tickets.all()[0], "screen.png")
    return made


def backup_at_work(start: Start, receiver: Receiver, folder: Path) -> None:
    """The machine goes on for a moment after its last backup."""
    few = {"DESTINATION_CONCURRENCY": 4, "BATCH_SIZE": 20, "LEASE_SECONDS": 5}
    processes = [start("worker", **few), start("clock")]
    wait_until(lambda: len(receiver.ids) >= 60)
    done = run("deploy/backup.sh", str(folder), DATABASE_URL=_test_database_url())
    assert done.returncode == 0, done.stderr
    end(*processes)


def end(*processes: subprocess.Popen[bytes]) -> None:
    for process in processes:
        process.terminate()
    assert [process.wait(60) for process in processes] == [0] * len(processes)


def ids(**where: object) -> set[str]:
    rows = Delivery.objects.filter(**where).values_list("run__key", "pk")
    return {delivery_id(key, pk) for key, pk in rows}


def test_a_restored_backup_sends_nothing_until_a_person_lets_go_and_nothing_twice(
    start: Start,
    receiver: Receiver,
    elsewhere: Elsewhere,
    runs: list[Run],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "backup"
    backup_at_work(start, receiver, folder)
    sent = Counter(receiver.ids)

    done = elsewhere.restore(folder)
    assert done.returncode == 1 and "MODE=paused" in done.stderr
    done = elsewhere.restore(folder, MODE="paused")
    assert done.returncode == 0, done.stderr
    elsewhere.manage("migrate", MODE="paused")
    kept = Path(elsewhere.environment["ATTACHMENTS_DIR"])
    with looked_at():
        assert (kept / Attachment.objects.get().file.name).is_file()
        known = ids(state="delivered")
        held = [ids(state="pending", lease__gt="", run=each) for each in runs]
        waiting = ids(state="pending", lease="")
    assert known and any(held) and waiting
    assert set(receiver.ids) > known, "some went out after the backup"

    # The first start.
    here = {**elsewhere.environment, "MODE": "paused"}
    processes = [start("worker", **here), start("clock", **here)]
    for each in runs:
        elsewhere.deliver(each.pk)
    with looked_at():
        lost = Attempt.objects.filter(error_class="lost", outcome_unknown=True)
        wait_until(lambda: lost.count() == len(held[0] | held[1]))
    assert receiver.ids == sent
    findings = elsewhere.findings(MODE="paused")
    assert "MODE" in findings["paused"] and "deliveries" in findings["paused"]
    assert "another_installation" not in findings
    end(*processes)

    # A person lets go.
    elsewhere.manage("mode", "paused")
    processes = [start(name, **elsewhere.environment) for name in ("worker", "clock")]
    for each in runs:
        elsewhere.deliver(each.pk)
    assert receiver.ids == sent
    elsewhere.manage("mode", "normal")
    with looked_at():
        wait_until(lambda: settled(*runs))
        delivered, failed = ids(state="delivered"), ids(state="failed")
    end(*processes)

    assert {each: receiver.ids[each] for each in known} == dict.fromkeys(known, 1)
    assert failed == held[1], "whether these arrived is unknown, and they say so"
    assert {each: receiver.ids[each] for each in failed} == {
        each: sent[each] for each in failed
    }
    assert delivered == known | waiting | held[0]
    assert delivered | failed == set(receiver.ids) | failed
    assert max(receiver.ids.values()) == 2, "sent after the backup: under the same id"


def test_a_backup_of_another_installation_is_recognised(
    start: Start,
    receiver: Receiver,
    elsewhere: Elsewhere,
    runs: list[Run],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "backup"
    backup_at_work(start, receiver, folder)
    assert elsewhere.restore(folder, MODE="paused").returncode == 0
    other = {
        "MODE": "paused",
        "SECRET_KEY": "of another installation",
        "SECRETS_KEYS": Fernet.generate_key().decode(),
    }
    findings = elsewhere.findings(**other, BASE_URL="https://elsewhere.example")
    differs = findings["another_installation"]
    assert all(name in differs for name in ("SECRET_KEY", "SECRETS_KEYS", "BASE_URL"))
    assert "signing of" in findings["secrets_closed"]
    assert "address_changed" in elsewhere.findings(
        MODE="paused", BASE_URL="https://elsewhere.example"
    )
    again = elsewhere.restore(folder, MODE="paused")
    assert again.returncode == 1 and "not empty" in again.stderr
    assert run("deploy/backup.sh", str(folder)).returncode == 1
