"""A delivery in plain words: one diagnosis that agrees with its timeline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from feedback.console.parts import Meaning
from logs.console import diagnose, spoken, timeline_of
from logs.models import Attempt, Cause, Delivery, DeliveryState, Run, RunState

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def delivery(state: str, *, run_state: str = "active", **values: Any) -> Delivery:
    run = Run(
        pk=41,
        macro_name="Post",
        state=run_state,
        cause=values.pop("cause", Cause.ACTION),
        actor_name="sam",
        created_at=NOON,
    )
    made = Delivery(pk=7, run=run, subject_label="BUG-1", step=0, state=state)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def attempt(number: int, seconds: float, **values: Any) -> Attempt:
    defaults = {"status": 503, "error_class": "http", "method": "POST", "url": "x"}
    made = Attempt(
        number=number,
        started_at=NOON + timedelta(seconds=seconds),
        total_ms=100,
        **{**defaults, **values},
    )
    return made


@pytest.mark.parametrize("state", DeliveryState.values)
@pytest.mark.parametrize("tries", [0, 1, 3])
@pytest.mark.parametrize("lease", ["", "held"])
@pytest.mark.parametrize("is_resent", [False, True])
def test_the_diagnosis_never_contradicts_the_timeline(
    state: str, tries: int, lease: str, is_resent: bool
) -> None:
    made = delivery(state, attempts=tries, lease=lease)
    if is_resent:
        made.attempts_before, made.resent_at = tries, NOON + timedelta(hours=1)
        made.resend, made.resent_by = "same", "kim"
    if state not in ("pending", "waiting"):
        made.finished_at = NOON + timedelta(hours=2)
    attempts = [attempt(number + 1, number * 10) for number in range(tries)]

    diagnosis = diagnose(made, attempts)
    moments = timeline_of(made, attempts)

    assert diagnosis.text
    assert sum(each.attempt is not None for each in moments) == tries
    if tries:
        assert "not sent yet" not in diagnosis.text.lower()
    times = [each.at for each in moments if each.at and not each.is_ahead]
    assert times == sorted(times)
    ahead = [each for each in moments if each.is_ahead]
    assert bool(ahead) == (state == "waiting" or (state == "pending" and not lease))
    assert sum(each.title == "Resent" for each in moments) == is_resent


@pytest.mark.parametrize(
    ("made", "meaning", "text"),
    [
        (delivery("pending"), "waiting", "It is in line to be sent."),
        (
            delivery("pending", run_state=RunState.PAUSED),
            "waiting",
            "It is sent when somebody resumes the run.",
        ),
        (
            delivery("pending", run_state=RunState.UNCONFIRMED),
            "waiting",
            "It is sent when somebody confirms the run.",
        ),
        (delivery("pending", lease="x"), "info", "It is being sent right now."),
        (
            delivery("waiting"),
            "idle",
            "It is sent as soon as the step before it is delivered.",
        ),
        (
            delivery("cancelled"),
            "idle",
            "The run was cancelled before this could be delivered.",
        ),
        (
            delivery("skipped"),
            "idle",
            "It was skipped: a step before it failed, or a value that it needs was"
            " missing.",
        ),
    ],
)
def test_before_any_try(made: Delivery, meaning: str, text: str) -> None:
    diagnosis = diagnose(made, [])
    assert (diagnosis.meaning, diagnosis.text) == (meaning, text)


def test_a_failure_says_what_it_means_and_that_it_ends_there() -> None:
    made = delivery("failed", attempts=1, last_error="http")
    tried = attempt(1, 0, status=404)
    assert diagnose(made, [tried]).text == (
        "404: nothing is at this URL; check the URL, or whether it was deleted there."
        " It is not tried again by itself."
    )
    made.run.cause = Cause.TEST
    assert diagnose(made, [tried]).text.endswith("A test is not tried again.")
    tried.message = "Not tried again: this was try 4, the last."
    assert diagnose(made, [tried]).text.count("ried again") == 1


def test_waits_say_how_long_and_why() -> None:
    due = NOON + timedelta(minutes=20)
    made = delivery("pending", attempts=3, next_attempt_at=due)
    asked = "Date: x\nRetry-After: 30"
    attempts = [
        attempt(1, 0, status=429, response_headers=asked),
        attempt(2, 30.1, error_class="busy"),
        attempt(3, 600.2),
    ]
    lines = [(each.title, each.aside) for each in timeline_of(made, attempts)]
    assert lines == [
        ("Queued", "by sam"),
        ("Attempt 1: 429", "in 100 ms"),
        ("Waited 30 s", "the destination asked for it (Retry-After: 30)"),
        ("Attempt 2: 503", "in 100 ms"),
        ("Waited 9 min 30 s", "the destination asked to be left alone for a while"),
        ("Attempt 3: 503", "in 100 ms"),
        ("Next try", ""),
    ]
    assert timeline_of(made, attempts)[-1].at == due
    assert timeline_of(made, attempts)[1].meaning == Meaning.BAD


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.1 s"),
        (0.3, "0.3 s"),
        (4, "4 s"),
        (330, "5 min 30 s"),
        (7_800, "2 h 10 min"),
        (90_000, "1 d 1 h"),
        (3_600, "1 h"),
    ],
)
def test_a_wait_in_words(seconds: float, words: str) -> None:
    assert spoken(timedelta(seconds=seconds)) == words
