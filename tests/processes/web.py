"""A real web server on a test's own database and queue."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from typing import Any

import requests

from tests.processes.conftest import wait_until

_GUNICORN = ("-m", "gunicorn", "-c", "python:centerhook.demo.gunicorn_settings")


def start_web(start: Callable[..., Any], **environment: object) -> str:
    """Start it with `start` of the conftest; returns its URL once it responds."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        fd = listening.fileno()
        start(command=(*_GUNICORN, "--bind", f"fd://{fd}"), fds=(fd,), **environment)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    wait_until(lambda: requests.get(f"{url}/healthz", timeout=30).ok)
    return url


def kill_web(process: subprocess.Popen[bytes]) -> None:
    """The server, and then the processes it serves in."""
    ps = ["ps", "-o", "pid=", "--ppid", str(process.pid)]
    serving = subprocess.run(ps, stdout=subprocess.PIPE, text=True).stdout
    process.kill()
    process.wait()
    for pid in serving.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


class OwnWeb:
    """A web server that refuses connections while it is dead, at an address it keeps.

    Its port is held by a socket that does not listen.
    """

    def __init__(self, start: Callable[..., Any], **environment: object) -> None:
        self._start, self._environment = start, environment
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._held.bind(("127.0.0.1", 0))
        self.port: int = self._held.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        bind = ("--reuse-port", "--bind", f"127.0.0.1:{self.port}")
        self.process = self._start(command=(*_GUNICORN, *bind), **self._environment)
        wait_until(self._responds)

    def kill(self) -> None:
        kill_web(self.process)

    def close(self) -> None:
        self.kill()
        self._held.close()

    def _responds(self) -> bool:
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.url}/readyz", timeout=10).ok
        return False
