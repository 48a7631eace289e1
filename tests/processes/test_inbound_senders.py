"""Senders that behave badly, at a real web server."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from macros.models import InboundCall, Listener
from tests import factories
from tests.processes.calling import SECRET, Senders, signed
from tests.processes.conftest import wait_until
from tests.processes.web import start_web

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]


class Sender:
    """Says to the server byte for byte what it is told to."""

    def __init__(self, port: int, listener: Listener) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 30)
        self._path = f"/hooks/{listener.key}/"

    def say(self, head: dict[str, str], body: bytes) -> None:
        lines = [f"POST {self._path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in head.items()]
        self._socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def hang_up(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def status(self) -> int:
        """0 where the server says nothing any more."""
        heard = self._socket.recv(65_536)
        return int(heard.split(b" ")[1]) if heard else 0


def test_senders_that_behave_badly_are_refused_and_others_are_served(
    start: Start,
) -> None:
    bugs = factories.feedback_type()
    factories.secret(bugs, "signing", SECRET)
    listener = factories.listener(bugs, secret="signing")
    port = urlsplit(start_web(start)).port or 0
    body, head = signed(1)
    length = {"Content-Length": str(len(body))}

    def sender() -> Sender:
        return Sender(port, listener)

    half, drip, huge, chunked, cut, many = (sender() for _ in range(6))
    broken, trailing = sender(), sender()
    drip.say({**head, **length}, body[:5])
    half.say({**head, **length}, body[:5])
    half.hang_up()
    huge.say({**head, "Content-Length": "20000000"}, b"")
    chunks = {**head, "Transfer-Encoding": "chunked"}
    chunked.say(chunks, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
    cut.say(chunks, b"%x\r\n%b\r\n" % (len(body), body))
    cut.hang_up()
    endless = b"%x\r\n%b\r\n" % (50_000, b"x" * 50_000)
    many.say(chunks, endless * 21 + b"0\r\n\r\n")
    broken.say(chunks, b"zz\r\nnonsense\r\n")
    trailing.say(chunks, b"0\r\nno trailer\n\r\n\r\n")
    assert huge.status() == 413
    assert broken.status() == trailing.status() == 400
    assert half.status() in (400, 0)
    assert chunked.status() == 200
    assert cut.status() in (400, 0)
    assert many.status() == 413
    assert InboundCall.objects.count() == 1

    Senders(port, f"/hooks/{listener.key}/").send_all(range(20))
    assert InboundCall.objects.count() == 21, "while one still drips"
    drip._socket.sendall(body[5:])
    assert drip.status() == 200
    wait_until(lambda: InboundCall.objects.count() == 22)
