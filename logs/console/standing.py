"""How runs and deliveries stand, as pages show it: never a colour alone."""

from __future__ import annotations

from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString

from feedback.console.parts import Meaning, badge, bar

from ..models import (
    BreakerState,
    Delivery,
    DeliveryState,
    Destination,
    ErrorClass,
    Run,
    RunState,
)
from ..recording.explanations import error_label
from ..recording.waiting import moment

_RUN_MEANINGS = {
    RunState.UNCONFIRMED: Meaning.WAITING,
    RunState.ACTIVE: Meaning.INFO,
    RunState.PAUSED: Meaning.WAITING,
    RunState.CANCELLING: Meaning.WAITING,
    RunState.FINISHED: Meaning.GOOD,
    RunState.CANCELLED: Meaning.IDLE,
}
_DELIVERY_MEANINGS = {
    DeliveryState.WAITING: Meaning.IDLE,
    DeliveryState.PENDING: Meaning.WAITING,
    DeliveryState.DELIVERED: Meaning.GOOD,
    DeliveryState.FAILED: Meaning.BAD,
    DeliveryState.SKIPPED: Meaning.IDLE,
    DeliveryState.CANCELLED: Meaning.IDLE,
}


def run_badge(run: Run) -> SafeString:
    """`Finished, 1 of 1 failed`, in the failure's colour."""
    state = run.get_state_display()
    if run.failed:
        return badge(f"{state}, {run.failed:,} of {run.total:,} failed", Meaning.BAD)
    if run.problems:
        words = f"{state}, {run.problems:,} of {run.total:,} with a problem"
        return badge(words, Meaning.WAITING)
    return badge(state, _RUN_MEANINGS[RunState(run.state)])


def test_badge(run: Run) -> SafeString:
    """Marks what was sent to try a macro out; nothing for anything else."""
    if not run.is_test:
        return SafeString("")
    return badge("Test", "violet")


def run_bar(run: Run) -> SafeString:
    """All deliveries of the run by what became of them."""
    good = run.delivered - run.problems
    parts = [
        (Meaning.GOOD, good, "delivered"),
        (Meaning.WAITING, run.problems, "delivered with a problem"),
        (Meaning.BAD, run.failed, "failed"),
        (Meaning.IDLE, run.skipped, "skipped"),
        (Meaning.IDLE, run.cancelled, "cancelled"),
        ("rest", run.pending, "not ended"),
    ]
    return bar(parts, str(run))


def delivery_badge(delivery: Delivery) -> SafeString:
    if delivery.has_problem:
        words = f"{delivery.get_state_display()}, with a problem"
        return badge(words, Meaning.WAITING)
    if delivery.is_being_sent:
        return badge("Being sent", Meaning.INFO)
    state = DeliveryState(delivery.state)
    if state == DeliveryState.PENDING and delivery.attempts > delivery.attempts_before:
        return badge("Waits for another try", Meaning.WAITING)
    return badge(state.label, _DELIVERY_MEANINGS[state])


def response_badge(delivery: Delivery) -> SafeString:
    """The last status code, or why there is none; a problem beside the code."""
    code = code_badge(delivery.last_status, delivery.last_error)
    error = delivery.last_error
    if code and error in (ErrorClass.HTTP, ErrorClass.REDIRECT):
        # The code says by itself who refused.
        return code
    if error:
        is_problem = error == ErrorClass.VALUE
        meaning = Meaning.WAITING if is_problem else Meaning.BAD
        return format_html("{} {}", code, badge(error_label(error), meaning))
    return code or SafeString("-")


def destination_badge(destination: Destination, now: datetime) -> SafeString:
    """Whether it takes requests, and why not."""
    if destination.is_paused:
        return badge("Paused", Meaning.WAITING)
    if until := destination.wait_until(now):
        return badge(f"Asked to wait until {moment(until, now)}", Meaning.WAITING)
    if destination.breaker == BreakerState.OPEN:
        return badge("Down", Meaning.BAD)
    if destination.breaker == BreakerState.HALF_OPEN:
        return badge("Down, one request tries", Meaning.BAD)
    if failures := destination.consecutive_failures:
        return badge(f"Failing: {failures:,} in a row", Meaning.WAITING)
    if destination.last_success_at is None:
        return badge("No success yet")
    return badge("Works", Meaning.GOOD)


def code_badge(status: int | None, error_class: str = "") -> SafeString:
    """A response's status code; where none came, nothing."""
    if status is None:
        return SafeString("")
    if error_class == ErrorClass.VALUE:
        return badge(status, Meaning.WAITING)
    return badge(status, Meaning.BAD if error_class else Meaning.GOOD)
