"""No call that was responded to with 2xx is lost, and none is acted on twice."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from feedback.models import Comment
from macros.models import InboundCall, InboundEvent, Listener
from tests import factories
from tests.processes.accounts import moments, scaled
from tests.processes.calling import SECRET, Senders
from tests.processes.conftest import wait_until
from tests.processes.servers import OwnValkey
from tests.processes.web import kill_web

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]


class Web:
    """A web server that may be killed, at a socket that stays open."""

    def __init__(self, start: Start, **environment: object) -> None:
        self._start, self._environment = start, environment
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listening.getsockname()[1]
        self.begin()

    def begin(self) -> None:
        fd = self._listening.fileno()
        settings = "python:centerhook.demo.gunicorn_settings"
        command = ("-m", "gunicorn", "-c", settings, "--bind", f"fd://{fd}")
        self.process = self._start(command=command, fds=(fd,), **self._environment)

    def kill(self) -> None:
        kill_web(self.process)

    def close(self) -> None:
        self.kill()
        self._listening.close()


@pytest.fixture
def web(start: Start, own_valkey: OwnValkey) -> Iterator[Web]:
    server = Web(start, REDIS_URL=own_valkey.url)
    yield server
    server.close()


@pytest.fixture
def listener() -> Listener:
    """Adds a comment with the number of the call to the ticket that it names."""
    bugs = factories.feedback_type()
    factories.tickets(bugs, 10)
    factories.secret(bugs, "signing", SECRET)
    comment = {"kind": "comment", "value": "Call ((Payload: $.number))"}
    return factories.listener(
        bugs,
        comment,
        secret="signing",
        record_by="reference",
        record_at="$.ticket",
        id_at="header: webhook-id",
    )


def settle(senders: Senders, count: int) -> None:
    """Each call is stored, and has its one comment."""
    assert sorted(senders.taken) == list(range(count))
    # A listener's calls are worked on one after the other.
    seconds = 90 + count / 10
    waiting = InboundCall.objects.filter(state="waiting")
    wait_until(lambda: not waiting.exists(), seconds)
    stored = Counter(InboundCall.objects.values_list("headers__webhook-id", flat=True))
    assert set(stored) == {f"msg_{number}" for number in range(count)}
    comments = Counter(Comment.objects.values_list("text", flat=True))
    assert comments == {f"Call {number}": 1 for number in range(count)}
    outcomes = Counter(InboundEvent.objects.values_list("outcome", flat=True))
    assert outcomes["acted"] == count
    assert outcomes["repeat"] == sum(stored.values()) - count <= senders.unheard


@pytest.mark.sweep
def test_a_web_server_killed_at_random_loses_no_call_and_makes_none_count_twice(
    start: Start, own_valkey: OwnValkey, web: Web, listener: Listener
) -> None:
    count, kills = scaled(200, 5000), scaled(2, 20)
    here = {"REDIS_URL": own_valkey.url}
    for process in ("worker", "clock"):
        start(process, **here)
    senders = Senders(web.port, f"/hooks/{listener.key}/")
    sending = threading.Thread(target=senders.send_all, args=(range(count),))
    sending.start()
    for moment in moments(kills, count * 9 // 10):
        wait_until(lambda moment=moment: len(senders.taken) >= moment, 60)
        web.kill()
        web.begin()
    sending.join()
    assert senders.unheard >= kills
    settle(senders, count)


def test_calls_are_taken_while_redis_is_away_and_acted_on_when_it_is_back(
    start: Start, own_valkey: OwnValkey, web: Web, listener: Listener
) -> None:
    count = scaled(200, 3000)
    here = {"REDIS_URL": own_valkey.url}
    senders = Senders(web.port, f"/hooks/{listener.key}/")
    senders.send_all(range(count // 4))
    own_valkey.stop()
    senders.send_all(range(count // 4, count))
    assert InboundCall.objects.filter(state="waiting").count() == count
    own_valkey.start()
    for process in ("worker", "clock"):
        start(process, **here)
    settle(senders, count)
    assert senders.unheard == 0
