"""What is left of a try that our own fault kept us from taking in."""

from __future__ import annotations

from logs.models import Attempt, Delivery, ErrorClass

from ..http import Response
from .sender import Exchange

_MESSAGE = (
    "What came back could not be read, by a fault inside CenterHook; its log says more."
    " Nothing of it is stored."
)


def bare_attempt(delivery: Delivery, exchange: Exchange) -> Attempt:
    """What is certain, and no text: nothing of it has been masked."""
    attempt = Attempt.begun(delivery, exchange.started_at)
    attempt.method = exchange.masked.method
    attempt.total_ms = round(exchange.seconds * 1000)
    attempt.message = _MESSAGE
    if isinstance(exchange.result, Response):
        attempt.status = exchange.result.status_code
        attempt.error_class = ErrorClass.of_status(attempt.status)
    else:
        attempt.error_class = ErrorClass.CONNECT
        attempt.outcome_unknown = True
    return attempt
