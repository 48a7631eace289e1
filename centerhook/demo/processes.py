"""Starts all of CenterHook's processes, and stops them again."""

from __future__ import annotations

import fcntl
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import requests
from django.conf import settings
from redis.exceptions import RedisError
from rq import Worker

from macros import redis_server

from .children import Children
from .errors import DemoError
from .stopping import pause

HOST = "127.0.0.1"
# How long a process may take until it is ready, in seconds.
MAX_WAIT = 60.0


class Addresses:
    """The URLs that things will be reached at; the sockets listen already."""

    def __init__(self, *, receiver: bool) -> None:
        self.web = _listen(8000)
        self.web_url = _url(self.web)
        self.receiver = _listen(8001) if receiver else None
        self.receiver_url = _url(self.receiver) if self.receiver else ""

    def close(self) -> None:
        self.web.close()
        if self.receiver:
            self.receiver.close()


def _listen(preferred: int) -> socket.socket:
    """Listening on the preferred port or, if it is taken, on any other.

    The socket itself is handed on, so that nobody can take the port in between.
    """
    try:
        return socket.create_server((HOST, preferred), backlog=1024)
    except OSError:
        return socket.create_server((HOST, 0), backlog=1024)


def _url(sock: socket.socket) -> str:
    return f"http://{HOST}:{sock.getsockname()[1]}"


@contextmanager
def running(
    addresses: Addresses, env: Mapping[str, str], listener: str = ""
) -> Iterator[Children]:
    """All processes, ready to work. Raises DemoError if one does not get so far.

    They inherit this process's environment, with `env` on top. The receiver sends
    calls to the listener of this address.
    """
    with ExitStack() as stack:
        paths = stack.enter_context(_valkey_paths())
        redis_url = f"unix://{paths[0]}" if paths else settings.REDIS_URL
        children = Children({**env, "REDIS_URL": redis_url}, settings.BASE_DIR)
        stack.enter_context(children)
        if paths:
            children.start("Valkey", ["-m", "centerhook.demo.valkey", *map(str, paths)])
        wait_until(lambda: _is_redis_up(redis_url), children, "Redis")
        _start_all(children, addresses, listener)
        wait_until(lambda: _is_http_up(addresses), children, "The web server")
        wait_until(lambda: _has_worker(redis_url), children, "The worker")
        yield children


@contextmanager
def _valkey_paths() -> Iterator[tuple[Path, Path] | None]:
    """Socket and folder for an embedded server, or None if Redis is given.

    The usual one belongs to whoever holds the lock. A second demo beside it takes a
    socket of its own, just as it takes another port.
    """
    if not settings.REDIS_EMBEDDED:
        yield None
        return
    settings.VAR_DIR.mkdir(exist_ok=True)
    with open(settings.VAR_DIR / "valkey.lock", "w") as lock:
        if _is_ours(lock) and not _is_redis_up(settings.REDIS_URL):
            path = settings.REDIS_URL.removeprefix("unix://")
            yield Path(path), settings.VAR_DIR / "valkey"
            return
        with tempfile.TemporaryDirectory(prefix="centerhook-") as folder:
            yield Path(folder, "valkey.sock"), Path(folder, "data")


def _is_ours(lock: IO[str]) -> bool:
    """Takes the lock if it is free; it ends with this process, even one killed."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start_all(children: Children, addresses: Addresses, listener: str) -> None:
    if addresses.receiver:
        fd = addresses.receiver.fileno()
        command = ["manage.py", "receiver", "--fd", str(fd), "--listener", listener]
        children.start("receiver", command, [fd])
    children.start("worker", ["manage.py", "worker"])
    children.start("clock", ["manage.py", "clock"])
    fd = addresses.web.fileno()
    gunicorn = ["-m", "gunicorn", "-c", "python:centerhook.demo.gunicorn_settings"]
    children.start("web server", [*gunicorn, "--bind", f"fd://{fd}"], [fd])
    # From now on a child that dies refuses connections; else they would wait.
    addresses.close()


def wait_until(ready: Callable[[], bool], children: Children, name: str) -> None:
    """Raises DemoError when a child ends, or after MAX_WAIT; `name` is for people."""
    deadline = time.monotonic() + MAX_WAIT
    while not ready():
        ended = [
            f"{child} (exit code {code})" for child, code in children.ended().items()
        ]
        if ended:
            raise DemoError(f"A process ended while starting: {', '.join(ended)}.")
        if time.monotonic() > deadline:
            raise DemoError(f"{name} was not ready within {MAX_WAIT:.0f} s.")
        pause()


def _is_redis_up(url: str) -> bool:
    try:
        with redis_server.connect(url, socket_timeout=2) as connection:
            return bool(connection.ping())
    except (RedisError, OSError):
        return False


def _has_worker(url: str) -> bool:
    try:
        with redis_server.connect(url, socket_timeout=2) as connection:
            return bool(Worker.count(connection=connection))
    except RedisError:
        return False


def _is_http_up(addresses: Addresses) -> bool:
    urls = [f"{addresses.web_url}/admin/login/", addresses.receiver_url]
    try:
        return all(requests.get(url, timeout=10).ok for url in urls if url)
    except requests.RequestException:
        return False
