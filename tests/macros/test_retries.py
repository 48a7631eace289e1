"""The policy by itself: the ladder, the causes, the give-up time and Retry-After."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from logs.models import ErrorClass
from macros import retries
from macros.retries import (
    Failure,
    GiveUp,
    RetryCause,
    RetryPolicy,
    asked_to_wait,
    cause_of,
    in_words,
    parse_give_up,
    parse_ladder,
)
from tests import factories


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", []),
        ("  ", []),
        (",", []),
        ("5 s", [5]),
        ("5s,30S , 1.5 min", [5, 30, 90]),
        ("1 m, 2 h, 1 d", [60, 7200, 86_400]),
        ("7 d,", [604_800]),
        (retries.DEFAULT_LADDER, [5, 30, 300, 1800, 7200, 18_000, 36_000]),
        (", ".join(["1 s"] * 20), [1] * 20),
    ],
)
def test_a_ladder_is_read_as_seconds(text: str, seconds: list[float]) -> None:
    assert parse_ladder(text) == seconds


@pytest.mark.parametrize(
    ("text", "member"),
    [
        ("5 s, soon, 1 h", "soon"),
        ("5", "5"),
        ("5 weeks", "5 weeks"),
        ("-5 s", "-5 s"),
        ("5 s 30 s", "5 s 30 s"),
        ("1e9 s", "1e9 s"),
        ("5 s; 30 s", "5 s; 30 s"),
        ("nan s", "nan s"),
        (".5 min", ".5 min"),
    ],
)
def test_a_member_that_is_no_wait_is_named(text: str, member: str) -> None:
    message = f"'{member}' is not a wait such as 30 s, 5 min, 2 h or 1 d."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_ladder(text)


@pytest.mark.parametrize("member", ["0 s", "0.5 s", "8 d", f"{'9' * 400} s"])
def test_a_wait_out_of_bounds_is_named(member: str) -> None:
    message = f"'{member}' is not between 1 s and 7 d."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_ladder(f"5 s, {member}")


@pytest.mark.parametrize("count", [21, 5000])
def test_a_ladder_without_an_end_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"^{count} waits are too many; 20 at most.$"):
        parse_ladder(",".join(["1 s"] * count))


@pytest.mark.django_db
def test_a_macro_with_a_bad_ladder_is_refused_at_that_field() -> None:
    macro = factories.macro(factories.feedback_type())
    macro.retry_ladder = "5 s, never"
    with pytest.raises(ValidationError) as refused:
        macro.full_clean()
    assert refused.value.message_dict == {
        "retry_ladder": ["'never' is not a wait such as 30 s, 5 min, 2 h or 1 d."]
    }


def wait(ladder: list[float], tries: int, jitter: float = 0) -> float:
    return RetryPolicy(ladder).wait(Failure(RetryCause.BUSY, tries), jitter)


def test_each_try_has_its_own_wait_and_the_last_is_the_end() -> None:
    ladder: list[float] = [5, 30, 300]
    assert [wait(ladder, tries) for tries in (1, 2, 3)] == [5, 30, 300]
    with pytest.raises(GiveUp):
        wait(ladder, 4)
    with pytest.raises(GiveUp):
        wait([], 1)


def test_jitter_only_adds_and_no_more_than_a_tenth() -> None:
    waits = [wait([300], 1, n / 8) for n in range(9)]
    assert (waits[0], waits[-1]) == (300, pytest.approx(330))
    assert all(earlier < later for earlier, later in pairwise(waits))


def test_only_statuses_that_may_pass_are_tried_again() -> None:
    causes = {status: cause_of("http", status) for status in range(100, 700)}
    tried = {status: cause for status, cause in causes.items() if cause}
    assert tried == {
        **dict.fromkeys((408, 425, 429), RetryCause.BUSY),
        **dict.fromkeys(range(500, 600), RetryCause.SERVER_ERROR),
    }


def test_what_policy_or_template_refused_is_not_tried_again() -> None:
    causes = {error: cause_of(error, None) for error in ErrorClass.values}
    assert causes == {
        "dns": RetryCause.CONNECTION,
        "connect": RetryCause.CONNECTION,
        "tls": RetryCause.CONNECTION,
        "timeout": RetryCause.TIMEOUT,
        "lost": RetryCause.LOST,
        "busy": RetryCause.BUSY,
        **dict.fromkeys(
            ["blocked", "render", "too_large", "redirect", "http", "value"]
        ),
    }


def reason(policy: RetryPolicy, failure: Failure, jitter: float = 0) -> str:
    with pytest.raises(GiveUp) as given_up:
        policy.wait(failure, jitter)
    return str(given_up.value)


def test_only_the_chosen_causes_are_retried_and_lost_ones_always() -> None:
    causes = frozenset({RetryCause.BUSY, RetryCause.LOST})
    policy = RetryPolicy([5], causes)
    assert policy.wait(Failure(RetryCause.BUSY, 1), 0) == 5
    assert policy.wait(Failure(RetryCause.LOST, 1), 0) == 0
    assert reason(policy, Failure(RetryCause.TIMEOUT, 1)) == (
        "Not tried again: the macro does not retry this (timeout)."
    )


def test_an_unknown_outcome_is_retried_unless_the_macro_opts_out() -> None:
    unknown = Failure(RetryCause.LOST, 1, outcome_unknown=True)
    assert RetryPolicy([5]).wait(unknown, 1) == 0
    careful = RetryPolicy([5], unknown=False)
    assert careful.wait(Failure(RetryCause.TIMEOUT, 1), 0) == 5
    assert reason(careful, unknown) == (
        "Not tried again: the system may have acted on the request, and the macro does"
        " not retry when the outcome is unknown."
    )


def test_a_hint_raises_the_wait_and_never_lowers_it() -> None:
    policy = RetryPolicy([30])
    assert policy.wait(Failure(RetryCause.BUSY, 1, hint=120), 0) == 120
    assert policy.wait(Failure(RetryCause.BUSY, 1, hint=120), 1) == pytest.approx(132)
    assert policy.wait(Failure(RetryCause.BUSY, 1, hint=3), 0) == 30


def test_no_try_comes_later_than_the_give_up_time() -> None:
    policy = RetryPolicy([30], give_up_after=60)
    late = (
        "Not tried again: the next try would come more than 1 min after the start of"
        " the run."
    )
    assert policy.wait(Failure(RetryCause.BUSY, 1, age=30), 0) == 30
    # Jitter gives way: whether there is another try must not depend on luck.
    assert policy.wait(Failure(RetryCause.BUSY, 1, age=29), 1) == 30
    assert reason(policy, Failure(RetryCause.BUSY, 1, age=31)) == late
    assert reason(policy, Failure(RetryCause.BUSY, 1, hint=61)) == late
    assert policy.wait(Failure(RetryCause.LOST, 1, age=60), 1) == 0
    assert reason(policy, Failure(RetryCause.LOST, 1, age=61)) == late


def test_the_last_try_is_called_so_and_none_is_missed_where_none_was_meant() -> None:
    busy = Failure(RetryCause.BUSY, 3)
    assert reason(RetryPolicy([5, 30]), busy) == (
        "Not tried again: this was try 3, the last."
    )
    assert reason(RetryPolicy([]), busy) == ""


NOW = datetime(2026, 11, 6, 8, 49, 0, tzinfo=UTC)


def retry_after(fields: list[tuple[str, str]], now: datetime) -> float:
    asked = asked_to_wait(503, fields, "", (), now)
    return 0 if asked is None else asked.seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 007 ", 7),
        ("86401", 86_400),
        ("9" * 5000, 86_400),
        ("Fri, 06 Nov 2026 08:49:37 GMT", 37),
        ("Friday, 06-Nov-26 08:49:37 GMT", 37),
        ("Fri Nov  6 08:49:37 2026", 37),
        ("Fri, 06 Nov 2026 09:49:37 +0100", 37),
        ("Fri, 06 Nov 2026 08:48:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Fri, 31 Dec 99999 23:59:59 GMT", 0),
        ("Fri, 32 Nov 2026 08:49:37 GMT", 0),
        ("Fri, 06 Nov 2026 08:49:37 +9999", 0),
        ("-5", 0),
        ("1.5", 0),
        ("1e3", 0),
        ("\u0663", 0),
        ("5, 10", 0),
        ("soon", 0),
        ("", 0),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(
    value: str, seconds: float
) -> None:
    headers = [("Date", "x"), ("RETRY-after", value), ("Retry-After", "77")]
    assert retry_after(headers, NOW) == seconds
    assert retry_after(headers[:1], NOW) == 0


def test_a_date_is_rounded_up_so_that_responses_of_one_moment_share_a_wait() -> None:
    headers = [("Retry-After", format_datetime(NOW + timedelta(minutes=5), True))]
    moments = [NOW + timedelta(milliseconds=ms) for ms in (1, 200, 999)]
    assert {retry_after(headers, moment) for moment in moments} == {300}


@given(st.text(max_size=60))
def test_no_retry_after_breaks_the_worker(value: str) -> None:
    assert 0 <= retry_after([("Retry-After", value)], NOW) <= 86_400


@pytest.mark.parametrize(
    ("text", "seconds"), [("", float("inf")), (" ", float("inf")), (" 1 D ", 86_400)]
)
def test_a_give_up_time_is_read_as_seconds(text: str, seconds: float) -> None:
    assert parse_give_up(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 s"), (59, "59 s"), (90, "1.5 min"), (7200, "2 h"), (86_400, "1 d")],
)
def test_a_duration_is_given_in_its_largest_unit(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
