"""Calls that are not taken: what the caller is told, and how they are counted."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import Error
from django.http import HttpResponse

from feedback import mode
from feedback.access.addresses import neighbourhood
from feedback.rest import details

from ..models import InboundRefusal, Refusal

logger = logging.getLogger(__name__)


class CallRefused(Exception):
    """Why a call is not taken: a code for programs, a sentence for people.

    Counted for the listener where there is a `reason`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        sentence: str,
        *,
        reason: Refusal | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.sentence = sentence
        self.reason = reason
        self.headers = headers or {}

    def response(self) -> HttpResponse:
        response = details.response(self.status, self.code, self.sentence)
        # Django would log the path, and with it the key of the listener.
        response._has_been_logged = True  # type: ignore[attr-defined]
        for name, value in self.headers.items():
            response.headers[name] = value
        return response


def refused(status: int, reason: Refusal, sentence: str, **headers: str) -> CallRefused:
    """One that is counted; a header's name is written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return CallRefused(status, reason.value, sentence, reason=reason, headers=named)


# Made anew each time: an exception that is raised again keeps every frame of before.
def unknown() -> CallRefused:
    return CallRefused(
        404,
        "unknown_key",
        "There is no listener at this address. Copy the whole address from the"
        " listener's page.",
    )


def incomplete() -> CallRefused:
    return CallRefused(
        400,
        "incomplete",
        "The body ended before its declared length. Nothing was stored: send it again.",
    )


def unavailable() -> CallRefused:
    return CallRefused(
        503,
        "unavailable",
        "The call could not be stored just now. Send it again in a few seconds.",
        headers={"Retry-After": "5"},
    )


def read_only() -> CallRefused:
    return CallRefused(
        503,
        mode.READ_ONLY_CODE,
        "CenterHook is read-only for now, so the call was not stored. Send it again"
        " later.",
        headers={"Retry-After": str(mode.RETRY_AFTER)},
    )


def count(listener: int, address: str, refusal: CallRefused, now: datetime) -> None:
    """Without the database there is no count, and the caller is told all the same."""
    logger.info(
        "Refused a call of listener %s: %s %s (%s)",
        listener,
        refusal.status,
        refusal.code,
        address or "unknown address",
    )
    if refusal.reason is None:
        return
    near = neighbourhood(address)
    try:
        InboundRefusal.objects.note(listener, near, refusal.reason, now)
    except Error:
        logger.exception("A refused call of listener %s was not counted", listener)
