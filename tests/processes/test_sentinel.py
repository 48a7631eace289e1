"""Redis Sentinel: another server takes the place of one that fails, and work goes on.

Three sentinels of Valkey's own watch a server and its replica.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings
from redis.exceptions import RedisError

from centerhook.doctor import processes, sentinels
from centerhook.doctor.findings import Finding
from centerhook.receiver import Receiver
from macros import queue, redis_server
from tests.processes.accounts import Account
from tests.processes.conftest import wait_until
from tests.processes.sentinels import NAME, OwnSentinels
from tests.processes.test_two_of_everything import (
    Installation,
    go_on,
    settle,
)

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def own_sentinels() -> Iterator[OwnSentinels]:
    folder = Path(tempfile.mkdtemp(prefix="centerhook-"))
    servers = OwnSentinels(folder)
    yield servers
    servers.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.sweep
def test_a_primary_that_is_killed_under_load_fails_no_page_and_loses_nothing(
    own_sentinels: OwnSentinels, start: Start, receiver: Receiver, account: Account
) -> None:
    running = Installation(start, REDIS_URL=own_sentinels.url)
    visitors = running.visitors(receiver)
    visitors.start()
    try:
        go_on(visitors, receiver)
        own_sentinels.kill(own_sentinels.sentinels[0])
        go_on(visitors, receiver)
        own_sentinels.kill(own_sentinels.primary)
        wait_until(own_sentinels.has_failed_over)
        failed_over = time.time()
        go_on(visitors, receiver)
        all_four = {"worker": 2, "clock": 2}
        wait_until(lambda: alive(own_sentinels, failed_over) == all_four, 60)
        go_on(visitors, receiver)
    finally:
        visitors.stop()

    assert (visitors.failed, visitors.retries) == ([], [])
    settle(visitors, receiver, account, blows=2)
    started = [each.process for each in running.parts]
    assert all(each.poll() is None for each in started), "none was started again"
    running.close()


def alive(own_sentinels: OwnSentinels, since: float) -> Counter[str]:
    """How many of each kind gave a sign of life to the present primary since then.

    A worker that was cut off within a job goes on under another name, and is known by
    the one before for a while.
    """
    with redis_server.connect(own_sentinels.url, decode_responses=True) as client:
        noted = client.hgetall("centerhook:processes")
    return Counter(
        name.partition(" ")[0]
        for name, at in noted.items()
        if float(at.partition(" ")[0]) > since
    )


def findings(settings: Settings, url: str) -> dict[str, Finding]:
    settings.REDIS_URL = url
    return {each.id: each for each in sentinels.sentinels(timezone.now())}


def test_the_doctor_knows_what_sentinels_lack(
    own_sentinels: OwnSentinels, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = own_sentinels.url
    wait_until(lambda: findings(settings, url) == {})

    wrong = url.replace(f"/{NAME}/", "/mymaster/")
    [unknown] = findings(settings, wrong).values()
    assert unknown.id == "sentinel_unknown_name"
    assert "mymaster" in unknown.sentence and NAME in unknown.sentence
    nobody = redis_server.connect(wrong)
    monkeypatch.setattr(queue, "redis", lambda: nobody)
    [away] = processes.redis(timezone.now())
    assert (away.id, away.sentence) == (
        "redis_away",
        "Redis does not respond: the sentinels name no server mymaster that responds",
    )

    own_sentinels.kill(own_sentinels.sentinels[0])
    # On a busy machine the others may miss each other for a moment.
    wait_until(lambda: set(findings(settings, url)) == {"sentinel_away"})
    one = findings(settings, url)["sentinel_away"]
    assert f"127.0.0.1:{own_sentinels.sentinels[0]}" in one.sentence
    assert redis_server.connect(url).ping(), "two are enough"

    own_sentinels.kill(own_sentinels.replica)
    wait_until(lambda: "no_failover" in findings(settings, url))
    for port in own_sentinels.sentinels[1:]:
        own_sentinels.kill(port)
    assert set(findings(settings, url)) == {"sentinel_away"}
    with pytest.raises(RedisError):
        redis_server.connect(url).ping()
