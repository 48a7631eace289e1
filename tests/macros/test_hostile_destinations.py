"""Destinations that behave as badly as they can, met by the whole delivery path."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from centerhook.receiver import Receiver
from logs.models import Attempt, Delivery, Destination, Run, delivery_id
from macros.deliveries import Engine
from tests import factories
from tests.http.authority import Authority
from tests.http.hostile import (
    OK,
    Behaviour,
    Peer,
    Server,
    always,
    deaf,
    dripping,
    endless,
    hangs_after,
    http_response,
    large,
    once,
    silent,
    speechless,
)

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db(transaction=True)

Serve = Callable[..., Server]
Perform = Callable[..., None]

MAX_KEPT = 65_536
BOMB = gzip.compress(b"\0" * 20_000_000)
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def perform(settings: Settings) -> Iterator[Perform]:
    """Have one engine work on runs side by side until each is done or waits."""
    settings.READ_TIMEOUT = settings.REQUEST_DEADLINE = 0.8
    engine = Engine()
    engine.start()

    def perform(*runs: Run) -> None:
        for run in runs:
            engine.notify(run.pk)
        end = time.monotonic() + 15
        while busy(*runs):
            assert time.monotonic() < end, "it hangs"
            time.sleep(0.02)
        for run in runs:
            run.refresh_from_db()

    yield perform
    engine.stop()
    engine.join()


def busy(*runs: Run) -> bool:
    """Whether anything of these is due or held by the engine."""
    rows = Delivery.objects.filter(run__in=runs, state="pending")
    due = rows.filter(next_attempt_at__lte=timezone.now())
    return (rows.exclude(lease="") | due).exists()


def a_run(url: str, count: int = 1, ladder: str = "1 h") -> Run:
    bugs = factories.feedback_type()
    factories.tickets(bugs, count)
    return factories.run(factories.macro(bugs, url, ladder=ladder))


def due_now(run: Run) -> None:
    run.deliveries.filter(state="pending").update(next_attempt_at=run.created_at)


@dataclass(frozen=True)
class End:
    """How a delivery and its only attempt look afterwards."""

    state: str
    error: str = ""
    status: int | None = None
    cut: str = ""
    unknown: bool = False


WENT_WELL = End("delivered", status=200)
TIMED_OUT = End("pending", "timeout", unknown=True)
BROKE_OFF = End("pending", "connect", unknown=True)


def many_headers(size: int) -> bytes:
    lines = (f"X-{number}: {'x' * 1000}" for number in range(size // 1000))
    return http_response(b"ok", *lines)


def old_style(peer: Peer) -> None:
    peer.request()
    peer.say(b"HTTP/1.0 200 OK\r\n\r\nbye")


def resets(peer: Peer) -> None:
    # Not before the request came: a reset that overtakes it is no unknown outcome.
    peer.request()
    peer.reset()


DESTINATIONS: dict[str, tuple[Behaviour, End]] = {
    "does not read": (deaf, TIMED_OUT),
    "hangs before the headers": (silent, TIMED_OUT),
    "hangs within the headers": (hangs_after(HEAD + b"X-A: b\r\n"), TIMED_OUT),
    "hangs after the headers": (
        hangs_after(HEAD + b"Content-Length: 5\r\n\r\nab"),
        End("delivered", status=200, cut="deadline"),
    ),
    "drips its headers": (dripping(HEAD, b"X-A: b\r\n" * 99), TIMED_OUT),
    "drips its body": (
        dripping(HEAD + b"Content-Length: 999\r\n\r\n", b"x" * 999),
        End("delivered", status=200, cut="deadline"),
    ),
    "hangs up without a response": (speechless, BROKE_OFF),
    "resets the connection": (resets, BROKE_OFF),
    "does not speak HTTP": (once(b"220 mail.example ESMTP\r\n\r\n"), BROKE_OFF),
    "cuts its body": (
        once(http_response(b"half", length=8)),
        End("delivered", status=200, cut="connection"),
    ),
    "sends more than its Content-Length": (
        once(http_response(b"12345678", length=4)),
        WENT_WELL,
    ),
    "gives two lengths": (
        once(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok"),
        End("delivered", status=200, cut="connection"),
    ),
    "sends 100 MB": (large(100_000_000), End("delivered", status=200, cut="size")),
    "never ends its body": (endless, End("delivered", status=200, cut="size")),
    "sends a gzip bomb": (
        once(http_response(BOMB, "Content-Encoding: gzip")),
        End("delivered", status=200, cut="size"),
    ),
    "sends bad gzip": (
        once(http_response(b"\x1f\x8bnothing of the kind", "Content-Encoding: gzip")),
        End("delivered", status=200, cut="encoding"),
    ),
    "sends what is not UTF-8": (
        once(http_response(b"\xff\x00\xfe\xc3\x28")),
        WENT_WELL,
    ),
    "sends 40 KB of headers": (once(many_headers(40_000)), WENT_WELL),
    "sends 100 KB of headers": (
        once(many_headers(100_000)),
        End("delivered", status=200, cut="size"),
    ),
    "responds in HTTP/1.0": (old_style, WENT_WELL),
    "redirects to itself": (
        once(http_response(b"", "Location: /", status="302 Found")),
        End("failed", "redirect", 302),
    ),
    "redirects to a private address": (
        once(http_response(b"", "Location: http://10.0.0.1/", status="307 Moved")),
        End("failed", "redirect", 307),
    ),
    "fails with a huge page": (
        once(http_response(b"<h1>" + b"x" * 200_000, status="500 Oops")),
        End("pending", "http", 500, cut="size"),
    ),
    "is gone": (
        once(http_response(b"", status="410 Gone")),
        End("failed", "http", 410),
    ),
}


def end_of(run: Run) -> End:
    attempt = Attempt.objects.get(delivery__run=run)
    return End(
        run.deliveries.get().state,
        attempt.error_class,
        attempt.status,
        attempt.response_cut,
        attempt.outcome_unknown,
    )


def test_every_hostile_response_ends_in_a_state_and_holds_up_nobody(
    serve: Serve, receiver: Receiver, perform: Perform
) -> None:
    runs = {name: a_run(serve(how).url("/")) for name, (how, _) in DESTINATIONS.items()}
    other = a_run(f"{receiver.url}/ok", 20)

    perform(*runs.values(), other)

    ends = {name: end_of(run) for name, run in runs.items()}
    assert ends == {name: end for name, (_, end) in DESTINATIONS.items()}
    assert (other.state, other.delivered) == ("finished", 20)
    for attempt in Attempt.objects.exclude(error_class__in=["", "http", "redirect"]):
        assert attempt.message.endswith(".")
    for attempt in Attempt.objects.all():
        assert len(attempt.response_body) <= MAX_KEPT
        assert len(attempt.response_headers) <= MAX_KEPT
        assert "\0" not in attempt.response_body + attempt.response_headers
        assert (attempt.total_ms or 0) < 3000


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_busy_destination_is_left_alone_for_as_long_as_it_asks(
    serve: Serve, perform: Perform, form: str
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=7200), usegmt=True)
    hint = f"Retry-After: {'7200' if form == 'seconds' else date}"
    server = serve(once(http_response(b"", hint, status="429 Too Many Requests")))
    run = a_run(server.url("/"), ladder="5 s")

    perform(run)

    delivery = run.deliveries.get()
    assert (delivery.state, delivery.last_status) == ("pending", 429)
    assert delivery.next_attempt_at is not None
    waits = (delivery.next_attempt_at - timezone.now()).total_seconds()
    assert 7190 < waits <= 7200 * 1.1


def test_a_destination_that_recovers_gets_the_same_delivery_under_the_same_id(
    serve: Serve, perform: Perform
) -> None:
    def recover(peer: Peer) -> None:
        while peer.request():
            oops = http_response(b"", status="500 Oops")
            peer.say(OK if len(peer.server.requests) > 3 else oops)

    server = serve(recover)
    run = a_run(server.url("/"), ladder="1 s, 1 s, 1 s")

    for _ in range(4):
        due_now(run)
        perform(run)

    delivery = run.deliveries.get()
    assert (delivery.state, delivery.attempts) == ("delivered", 4)
    statuses = delivery.attempt_log.values_list("number", "status")
    assert list(statuses) == [(1, 500), (2, 500), (3, 500), (4, 200)]
    ids = re.findall(rb"(?i)webhook-id: (\S+)", b"".join(server.requests))
    assert ids == [delivery_id(run.key, delivery.pk).encode()] * 4
    bodies = {request.partition(b"\r\n\r\n")[2] for request in server.requests}
    assert len(bodies) == 1


def test_connections_that_are_closed_while_idle_lose_and_repeat_nothing(
    serve: Serve, perform: Perform
) -> None:
    """Closed after each response, though the response did not say so."""
    server = serve(once(OK))
    run = a_run(server.url("/"), 40, ladder="")

    perform(run)

    assert (run.delivered, run.state) == (40, "finished")
    ids = re.findall(rb"(?i)webhook-id: (\S+)", b"".join(server.requests))
    assert len(ids) == len(set(ids)) == 40


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.mark.parametrize(
    ("certificate", "end", "message"),
    [
        ({"host": "localhost"}, WENT_WELL, ""),
        (
            {"host": "hooks.example"},
            End("pending", "tls"),
            "The server's certificate is for another host name.",
        ),
        (
            {"host": "localhost", "days": -1},
            End("pending", "tls"),
            "The server's certificate has expired.",
        ),
        (
            {"host": "localhost", "own": True},
            End("pending", "tls"),
            "The server's certificate is self-signed.",
        ),
    ],
    ids=["good", "wrong name", "expired", "self-signed"],
)
def test_a_certificate_that_is_not_right_gets_no_request(
    serve: Serve,
    perform: Perform,
    authority: Authority,
    certificate: dict[str, Any],
    end: End,
    message: str,
) -> None:
    server = serve(always(OK), tls=authority.context(**certificate))
    run = a_run(server.url("/", "localhost"))
    Destination.objects.create(
        community=run.community,
        origin=server.url("", "localhost"),
        ca_certificates=authority.pem,
    )

    perform(run)

    assert end_of(run) == end
    assert Attempt.objects.get().message == message
    assert len(server.requests) == (end == WENT_WELL)
