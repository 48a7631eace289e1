"""How many requests a caller of the API may send, over all web processes."""

from __future__ import annotations

import math
import time
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from feedback.access.keys import Actor, KeyActor
from feedback.rest.details import RATE_HEADERS
from feedback.rest.problems import Problem

from .. import queue

WINDOW_SECONDS = 60


class CallerRate(BaseThrottle):
    """API_PER_MINUTE requests of each API key, and of each person.

    Headers after the IETF's draft-ietf-httpapi-ratelimit-headers, in its present form
    and in the earlier one that most clients read. Without Redis nobody is refused.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        limit = settings.API_PER_MINUTE
        if not limit or not request.user.is_authenticated:
            return True
        now = time.time()
        window = int(now // WINDOW_SECONDS)
        name = f"centerhook:api-rate:{_caller(request.user)}:{window}"
        used = queue.count_call(name, 2 * WINDOW_SECONDS)
        if used is None:
            return True
        reset = math.ceil((window + 1) * WINDOW_SECONDS - now)
        headers = _headers(limit, max(0, limit - used), reset)
        setattr(request, RATE_HEADERS, headers)
        if used > limit:
            message = (
                f"More than {limit:,} requests came within a minute. Send the next one"
                f" in {reset} seconds."
            )
            problem = Problem(429, "rate_limited", message)
            problem.wait = reset
            raise problem
        return True


def _caller(actor: Actor) -> str:
    if isinstance(actor, KeyActor):
        return f"key-{actor.key.pk}"
    return f"user-{actor.pk}"


def _headers(limit: int, left: int, reset: int) -> dict[str, str]:
    return {
        "RateLimit-Policy": f'"caller";q={limit};w={WINDOW_SECONDS}',
        "RateLimit": f'"caller";r={left};t={reset}',
        "RateLimit-Limit": str(limit),
        "RateLimit-Remaining": str(left),
        "RateLimit-Reset": str(reset),
    }
