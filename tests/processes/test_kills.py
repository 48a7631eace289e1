"""`kill -9` of every kind of process, at moments that a seed chooses."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from django.urls import reverse

from centerhook.demo.browser import Browser
from centerhook.demo.errors import DemoError
from centerhook.receiver import Receiver
from feedback.models import FeedbackType
from logs.models import Attempt, Run
from macros.deliveries.suspects import MAX_LOSSES
from macros.deliveries.work import FLUSH_SIZE
from macros.models import Macro
from tests import factories
from tests.http.hostile import OK, Peer, Server, http_response
from tests.processes.accounts import Account, moments, scaled, settled
from tests.processes.conftest import wait_until
from tests.processes.web import kill_web

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]
SHORT_LEASE = {"LEASE_SECONDS": 3}
LIST = "admin:feedback_feedback_changelist"
PATIENT = ", ".join(["1 s"] * 20)


def end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()


def test_workers_killed_at_random_moments_lose_nothing(
    start: Start, receiver: Receiver, account: Account
) -> None:
    tickets, kills = scaled(400, 6000), scaled(3, 24)
    bugs = factories.feedback_type()
    factories.tickets(bugs, tickets)
    macro = factories.macro(bugs, f"{receiver.url}/delay/20", ladder=PATIENT)
    few = {**SHORT_LEASE, "DESTINATION_CONCURRENCY": 4, "BATCH_SIZE": 50}
    workers = [start("worker", **few) for _ in range(2)]
    start("clock")
    run = factories.run(macro)

    for moment in moments(kills, tickets * 9 // 10):
        wait_until(lambda moment=moment: len(receiver.ids) >= moment)
        end(workers.pop(0))
        workers.append(start("worker", **few))
    wait_until(lambda: settled(run), 60)

    repeats = account.settle(run, arrived=receiver.ids, blows=kills)
    lost = Attempt.objects.filter(error_class="lost")
    unwritten = FLUSH_SIZE + 4
    assert repeats <= unwritten * kills, "only what was not written down yet"
    assert repeats <= lost.count() <= (unwritten + 50 * 5 // 4) * kills
    assert not Attempt.objects.exclude(pk__in=lost).exclude(status=200).exists()


def test_two_clocks_are_harmless_and_one_of_them_may_be_killed(
    start: Start, serve: Callable[..., Server], account: Account
) -> None:
    arrived: Counter[str] = Counter()

    def refuse_twice(peer: Peer) -> None:
        while request := peer.request():
            [delivery] = re.findall(rb"(?i)\r\nwebhook-id: (\S+)", request)
            arrived[delivery.decode()] += 1
            fine = arrived[delivery.decode()] > 2
            peer.say(OK if fine else http_response(b"", status="408 Come Back"))

    server = serve(refuse_twice)
    bugs = factories.feedback_type()
    factories.tickets(bugs, scaled(60, 2000))
    macro = factories.macro(bugs, server.url("/"), ladder="1 s, 1 s")
    start("worker")
    clocks = [start("clock"), start("clock")]
    run = factories.run(macro)

    wait_until(lambda: len(arrived) == run.total)
    end(clocks.pop())
    wait_until(lambda: settled(run))

    repeats = account.settle(run, arrived=arrived, blows=1, tries=3)
    assert repeats == 0, "two clocks and a kill led to no try too many"


class Web:
    """The web server, and the browser of a person at it."""

    def __init__(self, start: Start, feedback_type: FeedbackType) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            fd, (host, port) = listening.fileno(), listening.getsockname()
            settings = "python:centerhook.demo.gunicorn_settings"
            bind = f"fd://{fd}"
            gunicorn = ("-m", "gunicorn", "-c", settings, "--bind", bind)
            self.process = start(command=gunicorn, fds=(fd,))
        self.browser = Browser(f"http://{host}:{port}")
        self.list = f"{reverse(LIST)}?type={feedback_type.pk}"
        login = self.browser.get(reverse("admin:login")).form("login-form")
        person = {"username": "olivia", "password": "secret-word"}
        self.browser.post(reverse("admin:login"), login.filled(**person))

    def choose(self, macro: Macro) -> list[tuple[str, str]]:
        """Up to the confirmation, whose form it returns."""
        form = self.browser.get(self.list).form("changelist-form")
        chosen = form.filled(action=f"macro_{macro.pk}", select_across="1")
        page = self.browser.post(self.list, [*chosen, ("index", "0")])
        form = page.form("perform-action")
        typed = dict(form.filled())["confirmed_count"]
        return form.filled(typed_count=typed)

    def confirm(self, form: list[tuple[str, str]]) -> None:
        self.browser.post(self.list, form)

    def confirm_in_vain(self, form: list[tuple[str, str]]) -> None:
        with contextlib.suppress(DemoError):
            self.confirm(form)

    def kill(self) -> None:
        kill_web(self.process)


def test_a_web_server_killed_while_it_confirms_leaves_a_whole_run_or_none(
    start: Start, receiver: Receiver, account: Account
) -> None:
    factories.superuser("olivia")
    bugs = factories.feedback_type()
    factories.tickets(bugs, scaled(300, 3000))
    macro = factories.macro(bugs, f"{receiver.url}/ok", ladder=PATIENT)
    delays = [*moments(scaled(1, 8), 120), None]

    for milliseconds in delays:
        web = Web(start, bugs)
        form = web.choose(macro)
        if milliseconds is None:
            web.confirm(form)
        else:
            threading.Thread(target=web.confirm_in_vain, args=(form,)).start()
            time.sleep(milliseconds / 1000)
        web.kill()
    runs = list(Run.objects.all())
    start("worker")
    start("clock")
    wait_until(lambda: settled(*runs), 60)

    assert 1 <= len(runs) <= len(delays), "the last was confirmed before the kill"
    for run in runs:
        assert run.total == run.deliveries.count() == scaled(300, 3000)
    assert account.settle(*runs, arrived=receiver.ids, blows=len(delays)) == 0


@pytest.mark.sweep
def test_a_delivery_that_kills_its_workers_fails_alone_and_takes_none_with_it(
    start: Start, serve: Callable[..., Server]
) -> None:
    workers: list[subprocess.Popen[bytes]] = []
    blows: list[bytes] = []

    def kill(peer: Peer) -> None:
        while request := peer.request():
            if b"poison" in request:
                blows.append(request)
                workers[-1].kill()
                return
            peer.say(OK)

    bugs = factories.feedback_type()
    factories.tickets(bugs, 12)
    factories.ticket(bugs, title="poison")
    url = serve(kill).url("/?q=((Title))")
    start("clock")
    workers.append(start("worker", **SHORT_LEASE))
    run = factories.run(factories.macro(bugs, url, ladder=PATIENT))
    end = time.monotonic() + 300
    while not settled(run):
        if workers[-1].poll() is not None:
            workers.append(start("worker", **SHORT_LEASE))
        assert time.monotonic() < end, "it did not come to an end"
        time.sleep(0.1)

    assert len(blows) == MAX_LOSSES == len(workers) - 1
    assert (run.delivered, run.failed, run.total) == (12, 1, 13)
    last = Attempt.objects.filter(delivery__state="failed").order_by("pk").last()
    assert last is not None
    assert last.message.startswith("The worker ended 5 times in a row")
