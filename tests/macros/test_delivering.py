"""From start_run to the log, over real HTTP, in this process."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest

from centerhook.receiver import Receiver
from feedback.models import Feedback
from logs.models import Attempt, Delivery, Destination, Run, delivery_id
from macros import deliveries
from macros.steps.kinds.web_request import WebRequest
from tests import factories
from tests.http.hostile import OK, Peer, Server

pytestmark = pytest.mark.django_db


def deliver(run: Run) -> Run:
    deliveries.work(run.pk)
    run.refresh_from_db()
    return run


def test_every_selected_ticket_becomes_one_request(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 3, title='A "quoted" title')
    macro = factories.macro(bugs, f"{receiver.url}/ok")

    run = deliver(factories.run(macro))

    assert (run.state, run.total, run.delivered, run.failed) == ("finished", 3, 3, 0)
    assert run.finished_at is not None
    bodies = [json.loads(request.body) for request in receiver.requests]
    assert bodies == [{"text": 'A "quoted" title'}] * 3
    sent = {delivery_id(run.key, each.pk) for each in run.deliveries.all()}
    assert set(receiver.ids) == sent


def test_an_attempt_keeps_request_response_and_timings(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs, title="It breaks")
    macro = factories.macro(
        bugs, f"{receiver.url}/status/201", headers="X-Project: ((Project))"
    )

    run = deliver(factories.run(macro))

    delivery = Delivery.objects.get(run=run)
    attempt = delivery.attempt_log.get()
    assert (delivery.state, delivery.attempts, delivery.last_status) == (
        "delivered",
        1,
        201,
    )
    assert (attempt.number, attempt.method, attempt.status) == (1, "POST", 201)
    assert attempt.url == f"{receiver.url}/status/201"
    assert attempt.request_headers.splitlines() == [
        "Content-Type: application/json",
        "X-Project: Phone Beta",
        f"Webhook-Id: {delivery_id(run.key, delivery.pk)}",
    ]
    assert attempt.request_body == '{"text": "It breaks"}'
    assert attempt.error_class == "" and not attempt.outcome_unknown
    assert attempt.total_ms is not None and attempt.first_byte_ms is not None
    destination = Destination.objects.get()
    assert destination.origin == receiver.url
    assert destination.last_success_at and not destination.consecutive_failures
    assert delivery.destination == destination


def test_an_attempt_cannot_be_changed(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    deliver(factories.run(factories.macro(bugs, f"{receiver.url}/ok")))
    with pytest.raises(TypeError, match="never changed"):
        Attempt.objects.get().save()


def test_credentials_are_masked_in_the_log_also_where_they_are_echoed(
    serve: Callable[..., Server],
) -> None:
    def echo(peer: Peer) -> None:
        request = peer.request()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(request)}\r\n\r\n"
        peer.say(head.encode() + request)

    server = serve(echo)
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    macro = factories.macro(
        bugs,
        server.url("/hook?api_key=topsecret123"),
        headers="Authorization: Bearer hunter2hunter2\nX-Note: plain",
    )

    deliver(factories.run(macro))

    assert b"Bearer hunter2hunter2" in server.requests[0]
    attempt = Attempt.objects.get()
    stored = " ".join(str(value) for value in vars(attempt).values())
    assert "hunter2" not in stored and "topsecret123" not in stored
    assert "Authorization: Bearer ••••••" in attempt.request_headers
    assert "X-Note: plain" in attempt.request_headers


@pytest.mark.parametrize(
    ("status", "state", "error"),
    [
        (200, "delivered", ""),
        (204, "delivered", ""),
        (302, "failed", "redirect"),
        (404, "failed", "http"),
        (429, "pending", "busy"),
        (500, "pending", "http"),
    ],
)
def test_the_status_decides(
    receiver: Receiver, status: int, state: str, error: str
) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    macro = factories.macro(bugs, f"{receiver.url}/status/{status}", ladder="30 s")

    deliver(factories.run(macro))

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_error) == (state, error)
    assert (delivery.next_attempt_at is not None) == (state == "pending")
    assert delivery.lease == ""


def test_a_delivery_fails_when_the_ladder_is_used_up(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    macro = factories.macro(bugs, f"{receiver.url}/status/503", ladder="1 s, 1 s")
    run = factories.run(macro)

    for _ in range(3):
        deliver(run)
        Delivery.objects.filter(state="pending").update(next_attempt_at=run.created_at)
    deliver(run)

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts) == ("failed", 3)
    assert [a.number for a in delivery.attempt_log.all()] == [1, 2, 3]
    assert receiver.ids == {delivery_id(run.key, delivery.pk): 3}
    assert (run.state, run.failed) == ("finished", 1)


def hang(peer: Peer) -> None:
    peer.request()
    peer.hang()


def drip_head(peer: Peer) -> None:
    peer.request()
    peer.drip(OK, every=0.1)


def drip_body(peer: Peer) -> None:
    peer.request()
    peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    peer.drip(b"x" * 1000, every=0.1)


def big(peer: Peer) -> None:
    peer.request()
    peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 10**7)


def not_text(peer: Peer) -> None:
    peer.request()
    peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xff\x00\xfea")


def garbage(peer: Peer) -> None:
    peer.request()
    peer.say(b"no such thing as HTTP\r\n\r\n")


@pytest.mark.parametrize(
    ("behaviour", "state", "error", "unknown", "cut"),
    [
        (hang, "failed", "timeout", True, ""),
        (drip_head, "failed", "timeout", True, ""),
        (drip_body, "delivered", "", False, "deadline"),
        (big, "delivered", "", False, "size"),
        (not_text, "delivered", "", False, ""),
        (garbage, "failed", "connect", True, ""),
    ],
)
def test_a_destination_that_misbehaves_ends_in_a_readable_state(
    serve: Callable[..., Server],
    short_limits: None,
    behaviour: Callable[[Peer], None],
    state: str,
    error: str,
    unknown: bool,
    cut: str,
) -> None:
    server = serve(behaviour)
    bugs = factories.feedback_type()
    factories.ticket(bugs)

    deliver(factories.run(factories.macro(bugs, server.url("/"))))

    delivery = Delivery.objects.get()
    attempt = delivery.attempt_log.get()
    assert (delivery.state, attempt.error_class) == (state, error)
    assert (attempt.outcome_unknown, attempt.response_cut) == (unknown, cut)
    assert len(attempt.response_body) <= 65_536
    assert "\0" not in attempt.response_body


def test_a_host_that_refuses_or_does_not_resolve_is_said_so(
    serve: Callable[..., Server],
) -> None:
    gone = serve(hang)
    gone.stop_listening()
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    refused = factories.run(factories.macro(bugs, gone.url("/")))
    unknown = factories.run(factories.macro(bugs, "http://no-such-host.invalid/"))

    deliver(refused)
    deliver(unknown)

    errors = {
        each.delivery.run_id: (each.error_class, each.message)
        for each in Attempt.objects.all()
    }
    assert errors == {
        refused.pk: ("connect", "The server refused the connection."),
        unknown.pk: ("dns", "The host name was not found."),
    }


def test_an_inside_address_is_blocked(settings: object, receiver: Receiver) -> None:
    settings.ALLOWED_NETWORKS = []  # type: ignore[attr-defined]
    bugs = factories.feedback_type()
    factories.ticket(bugs)

    deliver(factories.run(factories.macro(bugs, f"{receiver.url}/ok")))

    assert Attempt.objects.get().error_class == "blocked"
    assert Delivery.objects.get().state == "failed"
    assert not receiver.requests


def test_a_ticket_deleted_after_the_click_fails_with_its_reason(
    receiver: Receiver,
) -> None:
    bugs = factories.feedback_type()
    gone, _ = factories.tickets(bugs, 2)
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok"))
    gone.delete()

    deliver(run)

    assert (run.delivered, run.failed, run.state) == (1, 1, "finished")
    attempt = Attempt.objects.get(delivery__state="failed")
    assert attempt.error_class == "render"
    assert attempt.message == "The ticket was deleted before the request was built."


def test_a_run_keeps_the_macro_as_it_was_at_the_click(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs, title="before")
    macro = factories.macro(bugs, f"{receiver.url}/ok")
    run = factories.run(macro)
    WebRequest.objects.filter(macro=macro).update(body='{"changed": true}')
    bugs.form_fields.all().delete()

    deliver(run)

    assert json.loads(receiver.requests[0].body) == {"text": "before"}


def test_a_run_outlives_its_macro(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    macro = factories.macro(bugs, f"{receiver.url}/ok")
    run = factories.run(macro)
    macro.delete()

    deliver(run)

    assert (run.macro_id, run.delivered) == (None, 1)


def test_a_required_tag_without_a_value_fails_that_delivery_only(
    receiver: Receiver,
) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs, description="there")
    factories.ticket(bugs, description="")
    macro = factories.macro(
        bugs, f"{receiver.url}/ok", body='{"text": "((Description|required))"}'
    )

    run = deliver(factories.run(macro))

    assert (run.delivered, run.failed) == (1, 1)
    attempt = Attempt.objects.get(delivery__state="failed")
    assert attempt.error_class == "render" and "Description" in attempt.message


def test_steps_run_in_order_for_each_ticket(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 2)
    macro = factories.macro(bugs, f"{receiver.url}/ok", f"{receiver.url}/status/201")

    run = deliver(factories.run(macro))

    assert (run.total, run.delivered, run.state) == (4, 4, "finished")
    paths = [request.path for request in receiver.requests]
    assert sorted(paths) == ["/ok", "/ok", "/status/201", "/status/201"]
    assert paths[0] == "/ok" and paths[-1] == "/status/201"


def test_a_failing_step_skips_that_tickets_later_ones(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    macro = factories.macro(bugs, f"{receiver.url}/status/404", f"{receiver.url}/ok")

    run = deliver(factories.run(macro))

    states = list(run.deliveries.order_by("step").values_list("state", flat=True))
    assert states == ["failed", "skipped"]
    assert (run.failed, run.skipped, run.state) == (1, 1, "finished")


def test_later_steps_of_a_deleted_ticket_are_skipped(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    macro = factories.macro(bugs, f"{receiver.url}/ok", f"{receiver.url}/ok")
    run = factories.run(macro)
    Feedback.objects.all().delete()

    deliver(run)

    assert (run.failed, run.skipped, run.state) == (1, 1, "finished")


def test_requests_of_one_run_go_out_side_by_side(
    serve: Callable[..., Server], settings: object
) -> None:
    both = threading.Barrier(2, timeout=5)

    def meet(peer: Peer) -> None:
        peer.request()
        both.wait()
        peer.say(OK)

    server = serve(meet)
    bugs = factories.feedback_type()
    factories.tickets(bugs, 2)

    run = deliver(factories.run(factories.macro(bugs, server.url("/"))))

    assert run.delivered == 2


def test_a_body_beyond_the_limit_is_not_sent(
    settings: object, receiver: Receiver
) -> None:
    settings.REQUEST_MAX_BYTES = 1000  # type: ignore[attr-defined]
    bugs = factories.feedback_type()
    factories.ticket(bugs, title="x", description="y" * 2000)
    macro = factories.macro(
        bugs, f"{receiver.url}/ok", body='{"text": "((Description))"}'
    )

    deliver(factories.run(macro))

    attempt = Attempt.objects.get()
    assert attempt.error_class == "too_large"
    assert not receiver.requests


def test_a_url_and_headers_beyond_the_limit_are_not_sent(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs, title="x" * 150)
    url = f"{receiver.url}/ok?q=((Title|truncate:100))"
    long = "\n".join(f"X-{n}: {'((Title))' * 10}" for n in range(50))
    run = factories.run(factories.macro(bugs, url, headers=long))
    deliveries.work(run.pk)
    attempt = Attempt.objects.get()
    assert attempt.error_class == "too_large" and not receiver.requests
    assert attempt.message == (
        "The URL and the headers are longer than 65,536 characters."
    )
