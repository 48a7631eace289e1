"""A real web server on a test's own database and queue."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import requests

from tests.processes.conftest import wait_until


def start_web(start: Callable[..., Any], **environment: object) -> str:
    """Start it with `start` of the conftest; returns its URL once it responds."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        fd = listening.fileno()
        settings = "python:centerhook.demo.gunicorn_settings"
        command = ("-m", "gunicorn", "-c", settings, "--bind", f"fd://{fd}")
        start(command=command, fds=(fd,), **environment)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    wait_until(lambda: requests.get(f"{url}/api/v1/schema/", timeout=30).ok)
    return url
