"""Whatever comes back ends one attempt in a state; nothing of it reaches the engine."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logs import recording
from logs.models import Attempt, Delivery, Run
from macros import deliveries
from macros.deliveries import outcomes
from macros.deliveries.sender import Exchange
from macros.http import AddressPolicy, Client, Limits, Request, TransportError
from macros.steps.rendering import Plan
from tests import factories
from tests.http.hostile import OK, Peer, Server, http_response, once

pytestmark = pytest.mark.django_db

Serve = Callable[..., Server]
LEASE = "mine"


def a_row(source: str, expression: str, kind: str) -> dict[str, object]:
    name = f"{source} {kind}"
    row = {"name": name, "source": source, "expression": expression, "type": kind}
    return {**row, "when": "always", "required": False}


ROWS = [
    a_row("json", "$.id", "number"),
    a_row("json", "$.id", "boolean"),
    a_row("json", "$..*", "list"),
    a_row("json", "$.at", "date"),
    a_row("json", "$[?search(@.id, 'a+')]", "text"),
    a_row("header", "Date", "date"),
    a_row("header", "Retry-After", "number"),
    a_row("text", "(.{1,9})$", "text"),
    a_row("status", "", "number"),
]
WORDS = st.sampled_from(
    ["Wed, 21 Oct 99999999999 07:28:00 GMT", "Mon, 01 Jan 0001 00:00:00 +1400"]
    + ["Fri, 31 Dec 9999 23:59:59 -1400", "9" * 500, "-1", "1e999", "NaN", "120"]
    + ["application/json; charset=utf-16", "text/plain; charset=idna", "gzip, deflate"]
    + ["application/json; charset=\0", "text/xml; charset=iso-8859-1", "2026-13-45"]
)
VALUES = WORDS.map(str.encode) | st.binary(max_size=60)
NAMES = st.sampled_from(
    [b"Retry-After", b"Date", b"Content-Type", b"Content-Encoding", b"Location"]
    + [b"Content-Length", b"Transfer-Encoding", b"X-Odd", b"Retry-After ", b"\xff"]
)
STATUSES = st.sampled_from([200, 204, 301, 400, 408, 410, 429, 500, 503, 599, 999])
ODD = st.text(st.characters(exclude_categories=()) | st.just("\0"), max_size=20)
JSON = st.fixed_dictionaries(
    {"id": ODD | st.integers() | st.floats() | st.none() | st.lists(ODD, max_size=3)},
    optional={"at": WORDS | ODD | st.integers()},
)
BODIES = (
    JSON.map(lambda value: json.dumps(value).encode())
    | JSON.map(lambda value: json.dumps(value, ensure_ascii=False)).map(
        lambda text: text.encode("utf-16", "surrogatepass")
    )
    | st.binary(max_size=200)
    | st.just(b"[" * 5_000)
)


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    status, body = draw(STATUSES), draw(BODIES)
    lines = [b"HTTP/1.1 %d %s" % (status, draw(st.binary(max_size=10)))]
    lines += [
        b"%s: %s" % pair
        for pair in draw(st.lists(st.tuples(NAMES, VALUES), max_size=5))
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def a_run(url: str, **options: Any) -> Run:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    return factories.run(factories.macro(bugs, url, return_values=ROWS, **options))


def test_no_head_header_or_body_escapes_or_fails_a_write(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    raw = [b""]

    def respond(peer: Peer) -> None:
        once(raw[0])(peer)

    run = a_run(serve(respond).url("/"), ladder="1 s, 1 h")
    limits = Limits(connect=1, read=1, deadline=2, max_bytes=65_536)
    client = Client(AddressPolicy(["127.0.0.0/8"]), limits=limits, connections=1)
    request = Request("POST", run.snapshot["steps"][0]["url"], body=b"{}")

    def exchange() -> Exchange:
        made = Exchange(request, request, started_at=datetime.now(UTC))
        try:
            made.result = client.send(request.prepare())
        except TransportError as error:
            made.result = error
        return made

    @settings(
        max_examples=150,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(responses())
    def take_in(response: bytes) -> None:
        raw[0] = response
        Delivery.objects.update(lease=LEASE, state="pending", attempts=0)
        Attempt.objects.all().delete()
        delivery = run.deliveries.get()
        plan = Plan.from_snapshot(run.snapshot)
        outcome = outcomes.of_exchange(delivery, exchange(), run, plan, "")
        recording.record(run, LEASE, [outcome], datetime.now(UTC))
        attempt = Attempt.objects.get()
        assert attempt.status or attempt.error_class
        assert "inside CenterHook" not in attempt.message
        assert "refused to keep" not in attempt.message
        assert run.deliveries.get().lease == ""

    with caplog.at_level(logging.WARNING):
        take_in()
    client.close()
    assert [each.getMessage() for each in caplog.records] == []


@pytest.mark.parametrize(
    "moment",
    ["Wed, 21 Oct 99999999999 07:28:00 GMT", "Mon, 01 Jan 0001 00:00:00 +1400"],
)
def test_an_impossible_retry_after_is_no_hint(serve: Serve, moment: str) -> None:
    response = http_response(
        b"slow down", f"Retry-After: {moment}", status="429 Too Many Requests"
    )
    run = a_run(serve(once(response)).url("/"), ladder="1 h")
    deliveries.work(run.pk)
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.response_body) == (429, "slow down")
    assert run.deliveries.get().state == "pending"


@pytest.mark.parametrize("body", ['{"id": "half \\ud83d"}', '{"id": "nul \\u0000"}'])
def test_a_message_that_quotes_what_cannot_be_stored_is_written(
    serve: Serve, body: str
) -> None:
    run = a_run(serve(once(http_response(body.encode()))).url("/"))
    deliveries.work(run.pk)
    attempt = Attempt.objects.get()
    assert "\N{REPLACEMENT CHARACTER}', not a number" in attempt.message
    assert run.deliveries.get().state == "delivered"


FAULTY = ["mask_url", "header_lines", "take_values", "take_wait", "take_response"]


@pytest.mark.parametrize("broken", [*FAULTY, "cause_of"])
@pytest.mark.parametrize(
    ("status", "state"), [("200 OK", "delivered"), ("400 No", "failed")]
)
def test_a_fault_of_ours_ends_that_one_attempt_with_an_honest_outcome(
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: str,
    status: str,
    state: str,
) -> None:
    def fails(*arguments: object) -> None:
        raise RuntimeError("a fault")

    if (status, broken) == ("200 OK", "cause_of"):  # It is not asked.
        broken = "mask_url"
    monkeypatch.setattr(outcomes, broken, fails)
    run = a_run(serve(once(http_response(b"{}", status=status))).url("/"))

    deliveries.work(run.pk)

    attempt = Attempt.objects.get()
    assert run.deliveries.get().state == state
    assert attempt.status == int(status[:3]) and attempt.response_body == ""
    assert "a fault inside CenterHook" in attempt.message
    assert any(each.exc_info for each in caplog.records)


def test_a_ticket_that_cannot_be_built_costs_its_own_delivery_only(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    bugs = factories.feedback_type()
    odd = factories.tickets(bugs, 3)[1]
    run = factories.run(factories.macro(bugs, serve(once(OK)).url("/")))
    real = deliveries.building.context_for

    def context_for(subject: Any, *rest: Any) -> Any:
        if subject.pk == odd.pk:
            raise RecursionError("a fault")
        return real(subject, *rest)

    monkeypatch.setattr(deliveries.building, "context_for", context_for)
    deliveries.work(run.pk)
    states = run.deliveries.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["delivered", "failed", "delivered"]
    failed = Attempt.objects.exclude(message="").get()
    assert "could not be built, by a fault inside CenterHook" in failed.message
