from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from centerhook.demo.perform import Result
from logs.models import Run

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120
CLOSED = r"^The receiver has closed the issue, and BUG-(\d+) is closed\.$"


class DemoProcess:
    """`manage.py demo` on a database of its own; its lines are read as they come."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        env = {**os.environ, "DATABASE_URL": f"sqlite:///{folder}/demo.sqlite3"}
        # Without it the demo starts a Valkey of its own.
        env.pop("REDIS_URL", None)
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", *arguments],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # It would stay deaf to Ctrl-C where the tests run in the background.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def ended(self) -> int:
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def says(self, text: str) -> None:
        end = time.monotonic() + PATIENCE
        while text not in self.output:
            assert self.process.poll() is None and time.monotonic() < end, self.output
            time.sleep(0.05)

    def address(self, label: str) -> str:
        value = re.search(rf"^{label}: +(\S+)", self.output, re.MULTILINE)
        assert value, self.output
        return value[1]


@pytest.fixture(scope="session")
def after_one(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoProcess]:
    """The folder of a demo that has run to its end, which others need not make."""
    folder = tmp_path_factory.mktemp("demo")
    done = DemoProcess(folder, "--once")
    assert done.ended() == 0, done.output
    end(done.process)
    return folder, done


@pytest.fixture
def again(
    after_one: tuple[Path, DemoProcess],
    tmp_path: Path,
    demo: Callable[..., DemoProcess],
) -> Callable[..., DemoProcess]:
    """Demos after a first one, of which this test has a copy of its own."""
    shutil.copytree(after_one[0], tmp_path, dirs_exist_ok=True)
    return demo


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., DemoProcess]]:
    with ExitStack() as stack:

        def start(*arguments: str) -> DemoProcess:
            started = DemoProcess(tmp_path, *arguments)
            stack.callback(end, started.process)
            return started

        yield start


def end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(PATIENCE)
    assert process.stdout
    process.stdout.close()


def descendants(pid: int) -> set[int]:
    """Everything that a process has started, and what those have."""
    pids: set[int] = set()
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in map(int, children.read_text().split()):
                pids |= {child} | descendants(child)
    return pids


def all_are_gone(pids: set[int]) -> bool:
    end = time.monotonic() + 20
    while any(_is_alive(pid) for pid in pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_once_delivers_every_ticket_and_says_so_in_the_last_line(after_one):
    _, done = after_one
    counts = re.fullmatch(r"delivered (\d+) of (\d+)", done.lines[-1])
    assert counts and counts[1] == counts[2] and int(counts[1]) >= 10
    rows = [line for line in done.lines if line.startswith("BUG-")]
    assert len(rows) == int(counts[1])
    assert all(re.search(r" delivered +200 +1 +\d+  yes$", row) for row in rows)
    assert "Traceback" not in done.output and "Warning" not in done.output
    assert re.search(r"^A trigger has delivered 1 of 1, after ", done.output, re.M)
    assert re.search(CLOSED, done.output, re.M)


def test_a_second_time_uses_the_same_data_and_submits_another_ticket(after_one, again):
    _, first = after_one
    second = again("--once")
    assert second.ended() == 0
    before, after = (int(each.lines[-1].split()[-1]) for each in (first, second))
    assert after == before, "what is submitted is closed again"
    one, other = (re.search(CLOSED, each.output, re.M) for each in (first, second))
    assert one and other and int(other[1]) == int(one[1]) + 1


def test_deliveries_that_fail_are_no_success(again, tmp_path):
    with closing(sqlite3.connect(tmp_path / "demo.sqlite3")) as database, database:
        database.execute("UPDATE macros_macro SET retry_ladder = ''")
        # A refusal, which no retry and no breaker makes wait.
        sql = (
            "UPDATE macros_webrequest SET url = replace(url, '/slack/', '/status/404?')"
        )
        database.execute(sql)
    failing = again("--once")
    assert failing.ended() == 1
    assert re.fullmatch(r"delivered 0 of \d\d", failing.lines[-1])
    assert any(re.search(r" failed +404 +1 +\d+  yes$", row) for row in failing.lines)


def test_a_macro_that_is_off_is_explained(again, tmp_path):
    with closing(sqlite3.connect(tmp_path / "demo.sqlite3")) as database, database:
        database.execute("UPDATE macros_macro SET is_active = false")
    refused = again("--once")
    assert refused.ended() == 1
    assert "has no form 'perform-action'. It says: No action selected." in (
        refused.output
    )


def test_a_delivery_that_only_the_log_knows_does_not_count():
    rows = [{"went_well": True}, {"went_well": False}]
    result = Result(Run(total=2), rows, 0.1)
    assert (str(result), result.is_complete) == ("delivered 1 of 2", False)
    assert Result(Run(total=1), rows[:1], 0.1).is_complete
    assert not Result(Run(total=0), [], 0.1).is_complete


@pytest.mark.sweep
def test_taken_ports_and_a_demo_beside_it_are_no_obstacle(again):
    held = set()
    with ExitStack() as stack:
        for port in (8000, 8001):
            # Taken already, perhaps by somebody else's demo: just as well.
            with suppress(OSError):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
                held.add(port)
        serving = again()
        serving.says("Ctrl-C ends it.")
        urls = (serving.address("Admin"), serving.address("Received"))
        assert not held & {urlsplit(url).port for url in urls}
        beside = again("--once")
        assert beside.ended() == 0, beside.output


def test_it_serves_the_admin_and_the_receivers_page_until_ctrl_c(again):
    serving = again()
    serving.says("Ctrl-C ends it.")
    assert "CenterHook" in requests.get(serving.address("Admin")).text
    received = requests.get(serving.address("Received")).text
    assert "/slack/services/" in received
    started = descendants(serving.process.pid)
    assert len(started) >= 6

    serving.process.send_signal(signal.SIGINT)

    assert serving.ended() == 0
    assert serving.lines[-1] == "Stopped."
    assert all_are_gone(started)


def test_nothing_outlives_a_demo_that_is_killed(again):
    serving = again()
    serving.says("Ctrl-C ends it.")
    started = descendants(serving.process.pid)
    serving.process.kill()
    serving.process.wait()
    assert all_are_gone(started)


def test_a_child_that_dies_is_named(again):
    serving = again()
    serving.says("Ctrl-C ends it.")
    for pid in descendants(serving.process.pid):
        if "receiver" in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
            os.kill(pid, signal.SIGKILL)
    serving.says("The receiver has ended (exit code -9).")


def test_a_wish_to_stop_before_the_end_is_no_success(again):
    starting = again("--once")
    starting.says("Starting")
    starting.process.send_signal(signal.SIGTERM)
    assert starting.ended() == 1
    assert "Stopped before the end." in starting.output
    assert "Traceback" not in starting.output
