"""Destinations that ask to be left alone, and runs to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import time_machine
from django.utils import timezone

from feedback.models import FeedbackType
from logs.models import Run
from macros import deliveries
from tests import factories
from tests.http.hostile import OK, Peer, Server

Serve = Callable[..., Server]
LADDER = "1 s, 1 s, 1 s, 1 s"


def response(status: str, *headers: str, body: bytes = b"slow down") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def slow_down(asked: str = "30") -> bytes:
    return response("429 Too Many Requests", f"Retry-After: {asked}")


class Moods:
    """A server whose response can be changed; it is the same for all."""

    def __init__(self, serve: Serve, reply: bytes = OK) -> None:
        self.reply = reply
        self.server = serve(self._respond)
        self.url = self.server.url("/")

    @property
    def count(self) -> int:
        return len(self.server.requests)

    def _respond(self, peer: Peer) -> None:
        while peer.request():
            peer.say(self.reply)


def a_run(url: str, count: int = 1, of: FeedbackType | None = None, **kw: Any) -> Run:
    bugs = of or factories.feedback_type()
    factories.tickets(bugs, count)
    return factories.run(factories.macro(bugs, url, ladder=LADDER, **kw))


def work(run: Run) -> Run:
    deliveries.work(run.pk)
    run.refresh_from_db()
    return run


def in_seconds(seconds: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds))


def untried(run: Run) -> int:
    return run.deliveries.filter(attempts=0, state="pending", lease="").count()


def type_of(run: Run) -> FeedbackType:
    assert run.macro and run.macro.feedback_type
    return run.macro.feedback_type
