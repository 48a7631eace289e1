"""From what happened on the wire to the attempt on the log and the next state."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from datetime import datetime

from logs.models import Attempt, Delivery, DeliveryState, ErrorClass
from logs.recording import Outcome
from logs.redaction import credentials_in, header_lines, mask_url, redact

from .. import retries
from ..http import Answer, Request, TransportError
from .sender import Exchange

logger = logging.getLogger(__name__)

# Few distinct values, so that deliveries that fail together share one UPDATE.
_JITTER_STEPS = 8

_TEXTS = ("url", "request_body", "response_headers", "response_body", "message")


def of_exchange(exchange: Exchange, ladder: Sequence[float]) -> Outcome:
    """What a request that was sent, or could not be, leads to."""
    attempt = _attempt(exchange)
    result = exchange.result
    if isinstance(result, Answer):
        retryable = _judge_answer(attempt, result)
    elif isinstance(result, TransportError):
        attempt.error_class = result.kind
        attempt.message = result.message
        attempt.outcome_unknown = result.outcome_unknown
        retryable = result.retryable
    else:
        retryable = _unforeseen(attempt, exchange)
    _redact_echoes(attempt, exchange.request)
    outcome = _outcome(exchange.delivery, attempt, retryable, ladder)
    outcome.origin = exchange.origin
    return outcome


def not_sent(
    delivery: Delivery, message: str, error_class: ErrorClass, now: datetime
) -> Outcome:
    """The request could not be built: nothing was sent, and a retry would not help."""
    attempt = Attempt(
        delivery=delivery,
        number=delivery.attempts + 1,
        started_at=now,
        error_class=error_class,
        message=message,
    )
    return Outcome(delivery, DeliveryState.FAILED, attempt)


def of_lost_lease(
    delivery: Delivery, ladder: Sequence[float], now: datetime
) -> Outcome:
    """The former holder went silent; whether it sent the request, nobody knows.

    It counts as a try, so that a delivery that kills its worker comes to an end; the
    next one is due at once, since the lease was wait enough.
    """
    attempt = Attempt(
        delivery=delivery,
        number=delivery.attempts + 1,
        started_at=now,
        error_class=ErrorClass.LOST,
        message="The worker stopped while it held this delivery.",
        outcome_unknown=True,
    )
    outcome = _outcome(delivery, attempt, True, ladder)
    if outcome.retry_in is not None:
        outcome.retry_in = 0
    return outcome


def given_back(delivery: Delivery) -> Outcome:
    """Claimed, but not tried: due again at once, no attempt used up."""
    return Outcome(delivery, DeliveryState.PENDING, retry_in=0)


def cancelled(delivery: Delivery) -> Outcome:
    return Outcome(delivery, DeliveryState.CANCELLED)


def _attempt(exchange: Exchange) -> Attempt:
    shown = exchange.masked
    return Attempt(
        delivery=exchange.delivery,
        number=exchange.delivery.attempts + 1,
        started_at=exchange.started_at,
        total_ms=round(exchange.seconds * 1000),
        method=shown.method,
        url=mask_url(shown.url),
        request_headers=header_lines(shown.headers),
        request_body=_text(shown.body or b""),
    )


def _judge_answer(attempt: Attempt, answer: Answer) -> bool:
    """Fill in the answer; True if its status is worth another try."""
    attempt.status = answer.status
    attempt.response_headers = header_lines(answer.headers)
    attempt.response_body = _text(answer.body)
    attempt.response_cut = answer.cut
    attempt.connect_ms = answer.timings.connect_ms
    attempt.first_byte_ms = answer.timings.first_byte_ms
    if 200 <= answer.status <= 299:
        return False
    redirected = 300 <= answer.status <= 399
    attempt.error_class = ErrorClass.REDIRECT if redirected else ErrorClass.HTTP
    return retries.is_retried_status(answer.status)


def _unforeseen(attempt: Attempt, exchange: Exchange) -> bool:
    logger.error("Sending failed in an unforeseen way", exc_info=exchange.result)  # type: ignore[arg-type]
    attempt.error_class = ErrorClass.CONNECT
    attempt.message = "The request failed inside CenterHook; its log says more."
    attempt.outcome_unknown = True
    return True


def _outcome(
    delivery: Delivery, attempt: Attempt, retryable: bool, ladder: Sequence[float]
) -> Outcome:
    if not attempt.error_class:
        return Outcome(delivery, DeliveryState.DELIVERED, attempt)
    wait = None
    if retryable:
        jitter = random.randrange(_JITTER_STEPS) / _JITTER_STEPS
        wait = retries.wait_before_retry(ladder, attempt.number, jitter)
    if wait is None:
        return Outcome(delivery, DeliveryState.FAILED, attempt)
    return Outcome(delivery, DeliveryState.PENDING, attempt, wait)


def _text(body: bytes) -> str:
    """As text for the log; PostgreSQL cannot store NUL."""
    return body.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _redact_echoes(attempt: Attempt, request: Request) -> None:
    """Mask the request's credentials wherever else they stand, as in an echo."""
    secrets = credentials_in(request.headers, request.url)
    if not secrets:
        return
    for name in _TEXTS:
        setattr(attempt, name, redact(getattr(attempt, name), secrets))
