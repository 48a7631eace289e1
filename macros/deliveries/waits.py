"""A response that asks to be left alone: what it makes of its attempt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from logs.models import Attempt, ErrorClass

from ..http import Response
from ..retries import Asked, WaitCondition, asked_to_wait

_NOTHING = Asked(0.0, False)


def take_wait(
    attempt: Attempt,
    response: Response,
    conditions: Sequence[WaitCondition],
    now: datetime,
) -> Asked:
    """What it asks for. Where it says that requests come too fast, it has failed.

    Even with a status of success: a system that counts requests has not acted on one
    that is too many.
    """
    if not (attempt.error_class or conditions):
        return _NOTHING
    status, body = response.status_code, attempt.response_body
    asked = asked_to_wait(status, response.fields, body, conditions, now)
    if asked is None:
        return _NOTHING
    if asked.is_busy:
        attempt.error_class = ErrorClass.BUSY
    attempt.message = asked.message
    return asked
