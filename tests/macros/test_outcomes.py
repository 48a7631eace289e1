"""What a request that was sent leads to, without the network."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from logs.models import Attempt, Delivery, ErrorClass
from logs.recording import Outcome
from macros.deliveries import outcomes
from macros.deliveries.intake import Masking
from macros.deliveries.outcomes import (
    given_back,
    of_exchange,
    of_lost_lease,
    pause_if_gone,
)
from macros.deliveries.sender import Exchange
from macros.http import Request, Response, TransportError
from macros.http.messages import Cut
from macros.retries import RetryPolicy
from macros.steps.rendering import Plan
from tests import factories

pytestmark = pytest.mark.django_db

BEGUN = timezone.now().replace(microsecond=0)
REQUEST = Request("POST", "https://a.example/")
STATUS = {
    "name": "status",
    "source": "status",
    "expression": "",
    "type": "number",
    "when": "always",
    "required": False,
}


def a_response(
    status: int, *fields: tuple[str, str], body: bytes = b"", cut: Cut = ""
) -> Response:
    return Response(REQUEST.prepare(), status, "", fields, body, cut=cut)


def after(result: Response | Exception, **macro: Any) -> Outcome:
    """What the first try leads to, which has taken 10 s."""
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://a.example/", **macro))
    exchange = Exchange(REQUEST, REQUEST, started_at=BEGUN, seconds=10.0, result=result)
    plan = Plan.from_snapshot(run.snapshot)
    return of_exchange(Delivery.objects.get(), exchange, run, plan, "")


def test_a_wait_begins_when_the_response_has_come() -> None:
    outcome = after(a_response(429, ("Retry-After", "30")), ladder="1 s")
    assert outcome.held_until is not None
    assert 40 <= (outcome.held_until - BEGUN).total_seconds() <= 41


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (TransportError("It failed.", "connect"), "pending"),
        (a_response(503), "pending"),
        (a_response(200), "delivered"),
    ],
)
def test_where_no_wait_is_asked_for_the_destination_is_not_held(
    result: Response | Exception, state: str
) -> None:
    outcome = after(result, ladder="1 s")
    assert (outcome.state, outcome.held_until) == (state, None)


def test_after_a_fault_of_ours_nobody_knows_whether_it_was_sent() -> None:
    attempt = after(ValueError("a fault")).attempt
    assert attempt is not None
    assert (attempt.error_class, attempt.outcome_unknown) == ("connect", True)
    assert "failed inside CenterHook" in attempt.message


@pytest.mark.parametrize(
    ("result", "kept"),
    [
        (TransportError("It failed.", "timeout"), (None, "connect", True)),
        (a_response(503), (503, "http", False)),
        (a_response(200), (200, "value", False)),
    ],
)
def test_what_is_certain_is_kept_where_it_can_not_be_taken_in(
    monkeypatch: pytest.MonkeyPatch,
    result: Response | Exception,
    kept: tuple[int | None, str, bool],
) -> None:
    def fails(url: str) -> str:
        raise ValueError(url)

    monkeypatch.setattr(outcomes, "mask_url", fails)
    attempt = after(result, return_values=[STATUS | {"required": True}]).attempt
    assert attempt is not None
    assert (attempt.status, attempt.error_class, attempt.outcome_unknown) == kept
    assert (attempt.method, attempt.total_ms) == ("POST", 10_000)


@pytest.mark.parametrize(("status", "values"), [(429, [429]), (420, [420]), (200, [])])
def test_a_refusal_gives_back_what_is_always_taken_but_not_as_a_success(
    status: int, values: list[int]
) -> None:
    response = a_response(status, ("X-Left", "0"))
    outcome = after(
        response, wait_when=f"{status} header x-left: 0", return_values=[STATUS]
    )
    assert outcome.attempt is not None
    assert outcome.attempt.error_class == ErrorClass.BUSY
    assert [each.value for each in outcome.captured] == values


@pytest.mark.parametrize(
    ("length", "cut", "kept"),
    [(9, "", (9, "")), (10, "", (10, "")), (11, "", (10, "size"))]
    + [(10, "deadline", (10, "deadline"))],
)
def test_as_much_is_logged_as_the_installation_keeps(
    settings: Settings, length: int, cut: Cut, kept: tuple[int, str]
) -> None:
    """Though more may be read for return values."""
    settings.RESPONSE_LOG_BYTES = 10
    attempt = after(a_response(200, body=b"x" * length, cut=cut)).attempt
    assert attempt is not None
    assert (len(attempt.response_body), attempt.response_cut) == kept


def test_what_was_lost_is_due_at_once_and_waits_for_nobody() -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://a.example/"))
    [delivery] = run.deliveries.all()
    outcome = of_lost_lease(run, delivery, RetryPolicy([60.0]), timezone.now())
    assert (outcome.state, outcome.retry_in) == ("pending", 0)


def test_one_410_among_other_responses_pauses_the_macro() -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    macro = factories.macro(bugs, "https://a.example/")
    run = factories.run(macro)
    delivery = run.deliveries.get()
    fine, gone = given_back(delivery), given_back(delivery)
    fine.attempt = Attempt(delivery=delivery, number=1, status=200)
    gone.attempt = Attempt(delivery=delivery, number=1, status=410)
    pause_if_gone(run, [given_back(delivery), fine, gone], timezone.now())
    macro.refresh_from_db()
    assert "responded with 410" in macro.paused_reason


@pytest.mark.parametrize("cut", ["connection", ""])
def test_a_part_of_a_secret_at_the_end_of_a_cut_response_is_masked(cut: Cut) -> None:
    """A whole response ends as its sender wanted."""
    plan = Plan("", RetryPolicy([]), [])
    secret = "a-long-bearer-token"
    request = Request("POST", "https://a.example/", [("Authorization", secret)])
    masking = Masking.of(Exchange(request, request), plan)
    attempt = Attempt(response_body=f"you sent {secret[:12]}", response_cut=cut)
    masking.mask_attempt(attempt)
    assert (secret[:12] not in attempt.response_body) is bool(cut)
