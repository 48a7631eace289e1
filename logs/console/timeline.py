"""What became of one delivery: in one sentence, and moment by moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.template.defaultfilters import pluralize

from feedback.console.parts import Meaning

from ..models import Attempt, Delivery, DeliveryState, ErrorClass, RunState
from ..recording.explanations import error_label, explain
from .wire import headers_of

# A pause between two tries that is worth a line.
_WORTH_TELLING = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """How a delivery stands, and why: never two things that contradict each other."""

    meaning: Meaning
    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline; `attempt` is the number of the try that it tells of."""

    title: str
    meaning: Meaning = Meaning.IDLE
    at: datetime | None = None
    aside: str = ""
    text: str = ""
    lines: tuple[str, ...] = ()
    attempt: int | None = None
    # Still to come.
    is_ahead: bool = False


def lines_of(attempt: Attempt) -> tuple[str, tuple[str, ...]]:
    """What the try means, and what became of each return value."""
    first, *others = explain(attempt).splitlines() or [""]
    return first, tuple(others)


def without_code(attempt: Attempt, text: str) -> str:
    """The sentence beside which the status code stands already."""
    if attempt.status:
        text = text.removeprefix(f"{attempt.status}: ")
    return text[:1].upper() + text[1:]


def meaning_of(attempt: Attempt) -> Meaning:
    if attempt.error_class == ErrorClass.VALUE:
        return Meaning.WAITING
    return Meaning.BAD if attempt.error_class else Meaning.GOOD


def diagnose(delivery: Delivery, attempts: Sequence[Attempt]) -> Diagnosis:
    """In plain words. `attempts` are in their order."""
    last = lines_of(attempts[-1])[0] if attempts else ""
    tries = delivery.attempts - delivery.attempts_before
    state = DeliveryState(delivery.state)
    if state == DeliveryState.DELIVERED:
        meaning = Meaning.WAITING if delivery.has_problem else Meaning.GOOD
        return Diagnosis(meaning, last or "Done.")
    if state == DeliveryState.FAILED:
        # The log says so by itself of the last try of a ladder.
        no_more = "" if "Not tried again" in last else _no_more(delivery, tries)
        return Diagnosis(Meaning.BAD, f"{last} {no_more}".strip())
    if state == DeliveryState.PENDING:
        return _diagnose_pending(delivery, tries, last)
    return Diagnosis(Meaning.IDLE, f"{_idle(delivery, state)} {last}".strip())


def _no_more(delivery: Delivery, tries: int) -> str:
    if delivery.run.is_test:
        return "A test is not tried again."
    if tries <= 1:
        return "It is not tried again by itself."
    return f"It was tried {tries:,} times and is not tried again by itself."


def _diagnose_pending(delivery: Delivery, tries: int, last: str) -> Diagnosis:
    if delivery.is_being_sent:
        text = "It is being sent right now."
        return Diagnosis(
            Meaning.INFO, f"{text} The try before: {last}" if last else text
        )
    if tries <= 0:
        text = _in_line(delivery)
        before = f" Before that: {last}" if last else ""
        return Diagnosis(Meaning.WAITING, f"{text}{before}")
    times = f"{tries:,} tr{pluralize(tries, 'y,ies')}"
    text = f"No success after {times}; it is tried again by itself. {last}"
    return Diagnosis(Meaning.WAITING, text)


def _in_line(delivery: Delivery) -> str:
    match delivery.run.state:
        case RunState.UNCONFIRMED:
            return "It is sent when somebody confirms the run."
        case RunState.PAUSED:
            return "It is sent when somebody resumes the run."
    if delivery.resent_at:
        return "It is in line to be sent again."
    return "It is in line to be sent."


def _idle(delivery: Delivery, state: DeliveryState) -> str:
    if state == DeliveryState.WAITING:
        return "It is sent as soon as the step before it is delivered."
    if state == DeliveryState.CANCELLED:
        return "The run was cancelled before this could be delivered."
    return (
        "It was skipped: a step before it failed, or a value that it needs was missing."
    )


def timeline_of(delivery: Delivery, attempts: Sequence[Attempt]) -> list[Moment]:
    """From the start to the end, or to what comes next."""
    return [
        _queued(delivery),
        *_tries(delivery, attempts),
        *_outlook(delivery),
    ]


def _queued(delivery: Delivery) -> Moment:
    run = delivery.run
    by = f"by {run.actor_name}" if run.actor_name else f"by {run.cause_in_words}"
    return Moment("Queued", Meaning.IDLE, run.created_at, aside=by)


def _tries(delivery: Delivery, attempts: Sequence[Attempt]) -> Iterator[Moment]:
    before: Attempt | None = None
    resent = delivery.resent_at
    for attempt in attempts:
        is_after = resent is not None and attempt.number > delivery.attempts_before
        if is_after and (before is None or before.number <= delivery.attempts_before):
            yield _resent(delivery)
        elif before is not None:
            yield from _wait(before, attempt)
        yield _try(attempt)
        before = attempt
    if resent and delivery.attempts <= delivery.attempts_before:
        yield _resent(delivery)


def _resent(delivery: Delivery) -> Moment:
    by = f"{delivery.get_resend_display().lower()}, by {delivery.resent_by}"
    return Moment("Resent", Meaning.INFO, delivery.resent_at, aside=by)


def _wait(before: Attempt, after: Attempt) -> Iterator[Moment]:
    end = before.started_at + timedelta(milliseconds=before.total_ms or 0)
    wait = after.started_at - end
    if wait >= _WORTH_TELLING:
        yield Moment(f"Waited {spoken(wait)}", Meaning.WAITING, aside=_why(before))


def _why(before: Attempt) -> str:
    asked = [
        value
        for name, value in headers_of(before.response_headers)
        if name.lower() == "retry-after"
    ]
    if asked:
        return f"the destination asked for it (Retry-After: {asked[0][:60]})"
    if before.error_class == ErrorClass.BUSY:
        return "the destination asked to be left alone for a while"
    return "as the macro's retries say"


def _try(attempt: Attempt) -> Moment:
    first, others = lines_of(attempt)
    title = str(attempt.status or error_label(attempt.error_class) or "Done")
    took = []
    if attempt.total_ms is not None:
        took.append(f"in {attempt.total_ms:,} ms")
    if attempt.connect_ms:
        took.append(f"{attempt.connect_ms:,} of them to connect")
    return Moment(
        title=f"Attempt {attempt.number}: {title}",
        meaning=meaning_of(attempt),
        at=attempt.started_at,
        aside=", ".join(took),
        text=without_code(attempt, first),
        lines=others,
        attempt=attempt.number,
    )


def _outlook(delivery: Delivery) -> Iterator[Moment]:
    state = DeliveryState(delivery.state)
    if delivery.finished_at:
        meaning = {
            DeliveryState.DELIVERED: Meaning.GOOD,
            DeliveryState.FAILED: Meaning.BAD,
        }.get(state, Meaning.IDLE)
        yield Moment(state.label, meaning, delivery.finished_at)
    elif delivery.is_being_sent:
        yield Moment("Being sent", Meaning.INFO)
    elif state == DeliveryState.PENDING and delivery.attempts:
        due = delivery.next_attempt_at
        yield Moment("Next try", Meaning.WAITING, due, is_ahead=True)
    elif state == DeliveryState.WAITING:
        yield Moment("Waits for the step before it", is_ahead=True)
    else:
        yield Moment("In line to be sent", Meaning.WAITING, is_ahead=True)


def spoken(wait: timedelta) -> str:
    """`4 s`, `5 min`, `2 h 10 min`: the two largest units."""
    seconds = round(wait.total_seconds())
    if seconds < 1:
        return f"{max(0.1, wait.total_seconds()):.1f} s"
    left, parts = seconds, []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
