"""What a response says about when to come back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from .conditions import WaitCondition, first_match
from .policy import BUSY_STATUSES, in_words

# The longest wait that a destination can ask for, in seconds.
MAX_RETRY_AFTER = 24 * 3600.0

# What is left of a quota, and when it is full again. GitHub and many others use the
# first pair, drafts of the IETF the second, Linear the rest.
_QUOTAS = (
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("ratelimit-remaining", "ratelimit-reset"),
    ("x-ratelimit-requests-remaining", "x-ratelimit-requests-reset"),
    ("x-ratelimit-complexity-remaining", "x-ratelimit-complexity-reset"),
)
# A number that is larger counts from 1970: in seconds, or in milliseconds.
_SECONDS_FROM_1970 = 1e9
_MILLISECONDS_FROM_1970 = 1e11


@dataclass(frozen=True, slots=True)
class Asked:
    """That the destination wants requests later, or fewer of them.

    `seconds`: for how long nothing should come; 0 where it does not say. `is_busy`: it
    refused the request for no other reason.
    """

    seconds: float
    is_busy: bool
    message: str = ""


def asked_to_wait(
    status: int,
    fields: Iterable[tuple[str, str]],
    body: str,
    conditions: Sequence[WaitCondition],
    now: datetime,
) -> Asked | None:
    """What a response asks for; None if it asks for nothing.

    429 says it for everybody, and so does 403 with Retry-After. `conditions` are the
    ways of this destination.
    """
    headers: dict[str, str] = {}
    for name, value in fields:
        headers.setdefault(name.lower(), value)
    condition = first_match(conditions, status, headers, body)
    seconds = _retry_after(headers, now)
    is_busy = status == 429 or condition is not None or (status == 403 and seconds > 0)
    if is_busy:
        seconds = seconds or _quota_reset(headers, now)
    elif not seconds or not (status in BUSY_STATUSES or 500 <= status <= 599):
        return None
    message = _message(seconds, condition)
    return Asked(min(seconds, MAX_RETRY_AFTER), is_busy, message)


def _retry_after(headers: Mapping[str, str], now: datetime) -> float:
    """What Retry-After asks for, in seconds; 0 if it asks for nothing.

    RFC 9110 10.2.3: a number of seconds or an HTTP-date. Anything else is ignored. In
    whole seconds, so that responses of one moment give one wait.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return _until(parsedate_to_datetime(text), now)
    except (ValueError, OverflowError):
        return 0.0


def _quota_reset(headers: Mapping[str, str], now: datetime) -> float:
    """Until the quota that is used up is full again, in seconds; 0 if none is."""
    waits = [
        _reset(headers.get(reset, ""), now)
        for remaining, reset in _QUOTAS
        if headers.get(remaining, "").strip() == "0"
    ]
    return max(waits, default=0.0)


def _reset(text: str, now: datetime) -> float:
    """Vendors write seconds to wait, a moment as a number, or a date."""
    try:
        number = float(text)
    except ValueError:
        try:
            return _until(datetime.fromisoformat(text.strip()), now)
        except (ValueError, OverflowError):
            return 0.0
    if not math.isfinite(number):
        return 0.0
    if number >= _MILLISECONDS_FROM_1970:
        number /= 1000
    if number >= _SECONDS_FROM_1970:
        number -= now.timestamp()
    return max(0.0, float(math.ceil(number)))


def _until(moment: datetime, now: datetime) -> float:
    # The asctime form has no zone and is in UTC (RFC 9110 5.6.7).
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, float(math.ceil((moment - now).total_seconds())))


def _message(seconds: float, condition: WaitCondition | None) -> str:
    parts = []
    if condition is not None:
        parts.append(f"It counts as too fast by the condition '{condition.line}'.")
    if seconds > MAX_RETRY_AFTER:
        parts.append(
            "The system asks for a longer wait than CenterHook grants: nothing is sent"
            f" to it for {in_words(MAX_RETRY_AFTER)}."
        )
    elif seconds:
        parts.append(f"The system asks to wait for {in_words(seconds)}.")
    return " ".join(parts)
