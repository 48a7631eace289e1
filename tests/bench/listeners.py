"""What one web process takes from other systems, and how soon it responds."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING

from . import engine
from .ground import Ground, say
from .processes import cpu_seconds, printed, running
from .report import Figure

if TYPE_CHECKING:
    from macros.models import Listener

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CONNECTIONS = 8
# Calls of one round at full speed; seconds at a steady rate.
CALLS, PER_SECOND, SECONDS = 5_000, 100, 8
PROOF = 20
_LOOPS = 2_000
_PATIENCE = 30.0


def run(ground: Ground, rounds: int) -> dict[str, Figure]:
    listener = _listener()
    with _web(ground) as (pid, port):
        _prove(listener, port)
        _child(listener, "flood", port, CALLS // 5)
        floods = [_flood(listener, pid, port) for _ in range(rounds)]
        late = [
            _child(listener, "steady", port, PER_SECOND * SECONDS)["p99_ms"]
            for _ in range(rounds)
        ]
    parts = _parts(listener)
    shown = ", ".join(f"{name} {value:,.0f} us" for name, value in parts.items())
    say(f"one call: {shown}")
    return {
        "listener_accept_per_second": median(rate for rate, _ in floods),
        "listener_cpu_us": median(cpu for _, cpu in floods),
        "listener_p99_ms": median(late),
        **{f"listener_{name}_us": value for name, value in parts.items()},
    }


def _listener() -> Listener:
    """Adds a comment to the ticket that a call names."""
    from tests import factories

    bugs = engine.seed(PROOF)
    factories.secret(bugs, "signing", SECRET)
    comment = {"kind": "comment", "value": "((Payload: $.text))"}
    return factories.listener(
        bugs,
        comment,
        secret="signing",
        record_by="reference",
        record_at="$.issue.reference",
    )


@contextmanager
def _web(ground: Ground) -> Iterator[tuple[int, int]]:
    """A web server with one process that serves; its process id and its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        port = listening.getsockname()[1]
    arguments = (
        "-m",
        "gunicorn",
        "-c",
        "deploy/gunicorn.py",
        "--workers=1",
        f"--bind=127.0.0.1:{port}",
    )
    with running(*arguments, env=ground.env) as process:
        pid = _wait_for(lambda: _serving(process.pid))
        _wait_for(lambda: _is_open(port))
        yield pid, port


def _serving(parent: int) -> int:
    with open(f"/proc/{parent}/task/{parent}/children") as file:
        children = file.read().split()
    return int(children[0]) if children else 0


def _is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _wait_for(look: Callable[[], int]) -> int:
    end = time.monotonic() + _PATIENCE
    while not (seen := look()):
        if time.monotonic() > end:
            raise RuntimeError("The web server did not start.")
        time.sleep(0.05)
    return seen


def _prove(listener: Listener, port: int) -> None:
    """What is measured is routed, stored, and acted on."""
    from feedback.models import Comment
    from macros.listeners import work
    from macros.models import CallState, InboundCall

    _child(listener, "flood", port, PROOF)
    calls = InboundCall.objects.filter(listener=listener)
    if calls.count() != PROOF:
        raise RuntimeError(f"{calls.count()} of {PROOF} calls were stored.")
    # In turns, each of some seconds.
    while calls.filter(state=CallState.WAITING).exists():
        work.hear(listener.pk)
    comments = Comment.objects.filter(feedback__feedback_type=listener.feedback_type)
    if comments.count() != PROOF:
        raise RuntimeError(f"{comments.count()} of {PROOF} calls were acted on.")


def _flood(listener: Listener, pid: int, port: int) -> tuple[float, float]:
    """Calls taken a second, and the process's CPU for each, in microseconds."""
    from macros.models import InboundCall

    calls = InboundCall.objects.filter(listener=listener)
    before, cpu = calls.count(), cpu_seconds(pid)
    rate = _child(listener, "flood", port, CALLS)["per_second"]
    cpu_us = (cpu_seconds(pid) - cpu) * 1e6 / CALLS
    if calls.count() - before != CALLS:
        raise RuntimeError("Not every call that was responded to with 200 was stored.")
    say(f"listener: {rate:,.0f}/s, {cpu_us:,.0f} us")
    return rate, cpu_us


def _child(
    listener: Listener, function: str, port: int, count: int
) -> dict[str, float]:
    arguments = f"{port}, {listener.key!r}, {SECRET!r}, {count}, {CONNECTIONS}"
    code = f"from tests.bench import callers; callers.{function}({arguments})"
    with running("-c", code, env={}) as process:
        return printed(process)


def _parts(listener: Listener) -> dict[str, float]:
    """Microseconds that each part of one call takes, in this process."""
    from django.test import RequestFactory
    from django.utils import timezone

    from macros.listeners import intake
    from macros.listeners.door import entrances
    from macros.listeners.payloads import read_payload
    from macros.listeners.storing import store

    from . import callers

    entrance = entrances.find(listener.key, timezone.now())
    if entrance is None:
        raise RuntimeError("The listener is not known.")
    body, headers = callers.signed(SECRET, 1)
    request = RequestFactory().post("/", body, "application/json", headers=headers)
    call = intake.receive(request, len(body), "127.0.0.1")
    [check] = entrance.checks
    verify, reply, now = check.verify, entrance.reply, call.received_at
    if verify is None or verify(call.headers, call.body, check.secrets, now):
        raise RuntimeError("The call is refused.")
    return {
        "verify": _us(lambda: verify(call.headers, call.body, check.secrets, now)),
        "parse": _us(lambda: read_payload("json", call.body, call.headers, "")),
        "insert": _us(lambda: store(call, listener.pk, "", check.secrets)),
        "respond": _us(
            lambda: reply.response(lambda: read_payload("", b"", {}, ""), now)
        ),
    }


def _us(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    for _ in range(_LOOPS):
        work()
    return (time.perf_counter() - begun) / _LOOPS * 1e6
