"""What counts as "too fast", by itself and by the conditions of a web request."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from logs.models import Attempt, Destination
from macros.runs import start_test
from tests import factories
from tests.macros.busy import Moods, Serve, a_run, in_seconds, response, slow_down, work

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("30", "The system asks to wait for 30 s."),
        (
            "31536000",
            "The system asks for a longer wait than CenterHook grants: nothing is sent"
            " to it for 1 d.",
        ),
        (
            "9" * 400,
            "The system asks for a longer wait than CenterHook grants: nothing is sent"
            " to it for 1 d.",
        ),
    ],
)
def test_a_wait_is_bounded_and_shown(serve: Serve, asked: str, sentence: str) -> None:
    run = work(a_run(Moods(serve, slow_down(asked)).url))
    attempt = Attempt.objects.get()
    assert (attempt.error_class, attempt.message) == ("busy", sentence)
    held = Destination.objects.get().held_until
    assert held is not None
    assert held <= timezone.now() + timedelta(days=1)
    assert run.state == "active"


@pytest.mark.parametrize(
    ("reply", "error", "state"),
    [
        (response("403 Forbidden", "Retry-After: 60"), "busy", "pending"),
        (response("403 Forbidden"), "http", "failed"),
        (response("403 Forbidden", "Retry-After: soon"), "http", "failed"),
        (response("404 Not Found", "Retry-After: 60"), "http", "failed"),
        (response("503 Busy", "Retry-After: 60"), "http", "pending"),
        (response("408 Slow", "Retry-After: 60"), "http", "pending"),
        (response("503 Busy"), "http", "pending"),
        (response("200 OK", "Retry-After: 60"), "", "delivered"),
    ],
)
def test_what_counts_as_too_fast_without_a_word_of_the_macro(
    serve: Serve, reply: bytes, error: str, state: str
) -> None:
    run = work(a_run(Moods(serve, reply).url))
    delivery = run.deliveries.get()
    assert (delivery.last_error, delivery.state) == (error, state)
    is_held = Destination.objects.get().held_until is not None
    assert is_held == (state == "pending" and b"Retry-After" in reply)


LINEAR = b'{"errors": [{"extensions": {"code": "RATELIMITED"}}]}'
GITHUB = ["X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 4102444800"]
KEY = {
    "name": "key",
    "source": "json",
    "expression": "$.errors[0].extensions.code",
    "type": "text",
    "when": "always",
    "required": True,
}


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("200 body RATELIMITED", response("200 OK", body=LINEAR)),
        ('400 body "RATELIMITED"', response("400 Bad", body=LINEAR)),
        ("403 header x-ratelimit-remaining: 0", response("403 Forbidden", *GITHUB)),
        ("403 body LIMIT", response("403 Forbidden", body=b"REQUEST_LIMIT_EXCEEDED")),
        ("420", response("420 Enhance your calm")),
    ],
)
def test_a_macro_says_how_else_its_system_puts_it(
    serve: Serve, line: str, reply: bytes
) -> None:
    busy = Moods(serve, reply)
    run = work(a_run(busy.url, 1, wait_when=f"\n{line}\n", return_values=[KEY]))

    attempt, delivery = Attempt.objects.get(), run.deliveries.get()
    assert attempt.error_class == "busy"
    assert f"It counts as too fast by the condition '{line}'." in attempt.message
    assert (delivery.state, Destination.objects.get().breaker) == ("pending", "closed")
    if attempt.status == 200:
        assert delivery.feedback and delivery.feedback.external_data == {}
    held = Destination.objects.get().held_until
    assert held is not None and held > timezone.now()

    busy.reply = response("200 OK", body=b'{"errors":[{"extensions":{"code":"fine"}}]}')
    with in_seconds(27 * 3600):
        assert work(run).delivered == 1


def test_it_fails_for_good_when_no_try_is_left_and_never_before(serve: Serve) -> None:
    busy = Moods(serve, response("200 OK", body=LINEAR))
    run = a_run(busy.url, 1, wait_when="200 body RATELIMITED")
    for number in range(5):
        with in_seconds(3600 * number):
            assert work(run).state == ("active" if number < 4 else "finished")
    assert (run.failed, busy.count) == (1, 5)
    assert (
        "Not tried again: this was try 5, the last."
        in (Attempt.objects.order_by("pk").last() or Attempt()).message
    )


def test_a_test_at_the_built_in_echo_is_not_taken_for_a_refusal() -> None:
    bugs = factories.feedback_type()
    ticket = factories.ticket(bugs, title="RATELIMITED")
    macro = factories.macro(
        bugs, "https://a.example/", wait_when="200 body RATELIMITED"
    )
    run = start_test(macro.concrete_steps()[0], ticket, actor=None, echo=True)
    assert work(run).delivered == 1
    assert "RATELIMITED" in Attempt.objects.get().response_body
