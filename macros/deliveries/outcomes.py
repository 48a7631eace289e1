"""From what happened on the wire to the attempt on the log and the next state."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from feedback.changes import Change
from feedback.texts import storable
from logs import audit
from logs.models import Action, Attempt, Delivery, DeliveryState, ErrorClass, Run
from logs.recording import Outcome
from logs.redaction import header_lines, mask_url

from ..auth.oauth import TokenError
from ..http import Response, TransportError
from ..models import Macro, step_kinds
from ..retries import Failure, GiveUp, RetryCause, RetryPolicy, cause_of
from ..steps.compiled import CompiledStep
from ..steps.mail import MailRefused, Taken
from ..steps.rendering import Plan
from .capture import Capture
from .faults import bare_attempt
from .intake import Masking, lack_all, only_show, take_response, take_values
from .sender import Exchange
from .suspects import MAX_LOSSES, SUSPECT_AFTER
from .waits import take_wait

logger = logging.getLogger(__name__)

# Few distinct values, so that deliveries that fail together share one UPDATE.
_JITTER_STEPS = 8
# The destination says that it has removed the address for good (RFC 9110 15.5.11).
_GONE = 410


def of_exchange(
    delivery: Delivery, exchange: Exchange, run: Run, plan: Plan, origin: str
) -> Outcome:
    """What a request that was sent, or could not be, leads to. Never raises.

    `origin` is where it went, empty where no destination is to be judged by it.
    """
    try:
        return _judged(delivery, exchange, run, plan, origin)
    except Exception:
        logger.exception(
            "Delivery %s: a fault while it was taken in",
            delivery.pk,
            extra={"run": delivery.run_id, "delivery": delivery.pk},
        )
    attempt = bare_attempt(delivery, exchange)
    try:
        stops_at = lack_all(attempt, plan, delivery.step)
        outcome = _outcome(delivery, attempt, run, plan.policy, _end_of(exchange))
        outcome.stops_at = stops_at
        return outcome
    except Exception:
        logger.exception(
            "Delivery %s: a fault in its schedule",
            delivery.pk,
            extra={"run": delivery.run_id, "delivery": delivery.pk},
        )
        return Outcome(delivery, DeliveryState.FAILED, attempt)


def _end_of(exchange: Exchange) -> datetime:
    return exchange.started_at + timedelta(seconds=exchange.seconds)


def _judged(
    delivery: Delivery, exchange: Exchange, run: Run, plan: Plan, origin: str
) -> Outcome:
    attempt = _attempt(delivery, exchange)
    ended_at = _end_of(exchange)
    result = exchange.result
    step, wait = plan.steps[delivery.step], 0.0
    if isinstance(result, Response):
        _take_response(attempt, result)
        waits = () if exchange.is_echo else step.waits
        wait = take_wait(attempt, result, waits, ended_at).seconds
    else:
        _take_other(attempt, result)
    masking = Masking.of(exchange, plan)
    masking.mask_attempt(attempt)
    capture = Capture()
    if isinstance(result, Response) and _gives_back(step, attempt, result):
        capture = take_values(attempt, result, plan, delivery.step, masking)
        if not run.stores:
            only_show(attempt, capture)
    is_busy = isinstance(result, MailRefused) and result.is_temporary
    outcome = _outcome(delivery, attempt, run, plan.policy, ended_at, wait, is_busy)
    outcome.held_until = ended_at + timedelta(seconds=wait) if wait else None
    outcome.captured, outcome.stops_at = capture.values, capture.stops_at
    outcome.message = attempt.message
    # A token's fault is not the destination's.
    if not isinstance(result, TokenError):
        outcome.origin = plan.vault.redact(origin)
    return outcome


def _gives_back(step: CompiledStep, attempt: Attempt, response: Response) -> bool:
    """A "too fast" gives nothing back, even with a status of success."""
    is_busy = attempt.error_class == ErrorClass.BUSY
    is_refusal = is_busy and not ErrorClass.of_status(response.status_code)
    return bool(step.returns) and not is_refusal


def of_change(delivery: Delivery, change: Change, now: datetime) -> Outcome:
    """Made, and announced, when it is recorded."""
    attempt = Attempt.begun(delivery, now)
    return Outcome(delivery, DeliveryState.DELIVERED, attempt, change=change)


def of_lost_change(delivery: Delivery, now: datetime) -> Outcome:
    """The former holder went silent before anything was changed: try again."""
    attempt = Attempt.begun(delivery, now)
    attempt.error_class = ErrorClass.LOST
    attempt.message = "The worker stopped before it changed anything."
    if _kills_workers(delivery, attempt):
        return Outcome(delivery, DeliveryState.FAILED, attempt)
    return Outcome(delivery, DeliveryState.PENDING, attempt, retry_in=0)


def _kills_workers(delivery: Delivery, attempt: Attempt) -> bool:
    """Whether its workers have ended so often that it must be the reason."""
    losses = delivery.losses + 1
    if losses < MAX_LOSSES:
        return False
    attempt.message = (
        f"The worker ended {losses} times in a row while it worked on this delivery,"
        f" the last {losses - SUSPECT_AFTER} times on nothing else. So it is not tried"
        " again."
    )
    return True


def not_sent(
    delivery: Delivery, message: str, error_class: ErrorClass, now: datetime
) -> Outcome:
    """The request could not be built: nothing was sent, and a retry would not help."""
    attempt = Attempt.begun(delivery, now)
    attempt.error_class, attempt.message = error_class, message
    return Outcome(delivery, DeliveryState.FAILED, attempt)


def of_lost_lease(
    run: Run, delivery: Delivery, policy: RetryPolicy, now: datetime
) -> Outcome:
    """The former holder went silent; whether it sent the request, nobody knows.

    It counts as a try.
    """
    attempt = _lost(delivery, now)
    if _kills_workers(delivery, attempt):
        return Outcome(delivery, DeliveryState.FAILED, attempt)
    return _outcome(delivery, attempt, run, policy, now)


def unreadable(delivery: Delivery, message: str, now: datetime) -> Outcome:
    """Its macro can't be read any more: it is not sent, or not again if it was lost."""
    if not delivery.lease:
        return not_sent(delivery, message, ErrorClass.RENDER, now)
    attempt = _lost(delivery, now)
    attempt.message += f" {message}"
    return Outcome(delivery, DeliveryState.FAILED, attempt)


def given_back(delivery: Delivery, wait: float = 0.0, origin: str = "") -> Outcome:
    """Claimed, but not tried: due again after `wait` seconds, no attempt used up.

    `origin` is the destination that it waits for.
    """
    return Outcome(delivery, DeliveryState.PENDING, retry_in=wait, origin=origin)


def cancelled(delivery: Delivery) -> Outcome:
    return Outcome(delivery, DeliveryState.CANCELLED)


def pause_if_gone(run: Run, outcomes: Iterable[Outcome], now: datetime) -> None:
    """After a response of 410 pause the macro, unless its address was changed since.

    A run keeps the address it started with, so its later responses must not pause again
    a macro that was mended and resumed.
    """
    if run.is_test or run.macro_id is None:
        return
    for outcome in outcomes:
        attempt = outcome.attempt
        if attempt is None or attempt.status != _GONE:
            continue
        settings = run.snapshot["steps"][outcome.delivery.step]
        same = step_kinds()[settings["kind"]].with_url_of(settings)
        same = same.filter(macro=OuterRef("pk"))
        reason = (
            f"{outcome.origin} responded with 410 to {outcome.delivery}: the address is"
            " gone for good. Put a new one into the web request, then resume."
        )
        with transaction.atomic():
            rows = Macro.objects.filter(Exists(same), pk=run.macro_id)
            if rows.pause(reason, now):
                audit.record(Action.PAUSED, rows.get(), run=run, detail=reason)
        return


def _lost(delivery: Delivery, now: datetime) -> Attempt:
    attempt = Attempt.begun(delivery, now)
    attempt.error_class = ErrorClass.LOST
    attempt.message = "The worker stopped while it held this delivery."
    attempt.outcome_unknown = True
    return attempt


def _attempt(delivery: Delivery, exchange: Exchange) -> Attempt:
    attempt = Attempt.begun(delivery, exchange.started_at)
    shown = exchange.masked
    attempt.total_ms = round(exchange.seconds * 1000)
    attempt.method = shown.method
    attempt.url = mask_url(shown.url)
    attempt.request_headers = header_lines(shown.headers)
    attempt.request_body = storable(shown.text)
    return attempt


def _take_response(attempt: Attempt, response: Response) -> None:
    attempt.status = response.status_code
    attempt.error_class = ErrorClass.of_status(response.status_code)
    attempt.response_headers = header_lines(response.fields)
    take_response(attempt, response)
    attempt.connect_ms = response.connect_ms
    attempt.first_byte_ms = response.first_byte_ms


def _take_other(attempt: Attempt, result: Taken | Exception | None) -> None:
    """What came in place of a response."""
    if isinstance(result, Taken):
        attempt.message = result.message
    elif isinstance(result, MailRefused):
        attempt.error_class, attempt.message = ErrorClass.HTTP, result.message
    elif isinstance(result, TransportError):
        attempt.error_class = result.kind
        attempt.message = result.message
        attempt.outcome_unknown = result.outcome_unknown
    else:
        logger.error("Sending failed in an unforeseen way", exc_info=result)
        attempt.error_class = ErrorClass.CONNECT
        attempt.message = "The request failed inside CenterHook; its log says more."
        attempt.outcome_unknown = True


def _outcome(
    delivery: Delivery,
    attempt: Attempt,
    run: Run,
    policy: RetryPolicy,
    now: datetime,
    hint: float = 0.0,
    is_busy: bool = False,
) -> Outcome:
    if attempt.error_class in ("", ErrorClass.VALUE):
        return Outcome(delivery, DeliveryState.DELIVERED, attempt)
    cause = cause_of(attempt.error_class, attempt.status)
    if is_busy:
        cause = RetryCause.BUSY
    if cause is None:
        return Outcome(delivery, DeliveryState.FAILED, attempt)
    # A resend starts over.
    tries = attempt.number - delivery.attempts_before
    age = (now - (delivery.resent_at or run.created_at)).total_seconds()
    failure = Failure(cause, tries, age, hint, attempt.outcome_unknown)
    jitter = random.randrange(_JITTER_STEPS) / _JITTER_STEPS  # noqa: S311 - no secret
    try:
        wait = policy.wait(failure, jitter)
    except GiveUp as why:
        attempt.message = f"{attempt.message} {why}".strip()
        return Outcome(delivery, DeliveryState.FAILED, attempt)
    return Outcome(delivery, DeliveryState.PENDING, attempt, wait)
