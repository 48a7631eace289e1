"""*Also wait when*: how its lines are read, checked and kept; and quotas in headers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from logs.models import Run
from macros.config.differences import differences
from macros.retries import asked_to_wait, check_conditions, compile_conditions
from macros.retries.conditions import MAX_CONDITION, MAX_CONDITIONS
from macros.steps.rendering import Plan
from tests import factories

NOW = datetime(2026, 11, 6, 8, 49, 0, tzinfo=UTC)
EXAMPLES = (
    "Write 403 header x-ratelimit-remaining: 0, or 400 body RATELIMITED, or a status"
    " alone."
)
UNREADABLE = f"What follows the status can't be read. {EXAMPLES}"
NO_STATUS = f"It begins with no status from 200 to 599. {EXAMPLES}"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("420", ""),
        ("  403   header   X-Left :  0 ", ""),
        ("403 HEADER x-left: 0", ""),
        ("200 body too fast, later", ""),
        ("200", "Every response of 200 would count as too fast. Add what its body"
         " holds: 200 body RATELIMITED."),
        ("body RATELIMITED", NO_STATUS),
        ("4xx body RATELIMITED", NO_STATUS),
        ("199 body x", NO_STATUS),
        ("600 body x", NO_STATUS),
        ("٤٢٩", NO_STATUS),
        ("403 body", UNREADABLE),
        ("403 header", UNREADABLE),
        ("403 header x-left", UNREADABLE),
        ("403 header x-left:", UNREADABLE),
        ("403 header x left: 0", UNREADABLE),
        ("403 json $.code", UNREADABLE),
        ("403 body " + "x" * MAX_CONDITION, "A condition has at most 200 characters."),
    ],
)  # fmt: skip
def test_a_line_is_taken_or_refused_with_what_to_write(line: str, problem: str) -> None:
    problems = [f"Line 2: {problem}"] if problem else []
    assert check_conditions(f"\n{line}\n") == problems
    if not problem:
        assert len(compile_conditions(line)) == 1


def test_there_are_only_so_many() -> None:
    assert check_conditions("420\n" * MAX_CONDITIONS) == []
    assert check_conditions("420\n" * (MAX_CONDITIONS + 1)) == [
        "There can be 10 conditions, not 11. Keep those that the system's manual names."
    ]


@given(st.text(max_size=300))
def test_whatever_is_typed_is_refused_or_compiles(text: str) -> None:
    if not check_conditions(text):
        compile_conditions(text)


@pytest.mark.parametrize(
    ("line", "matches"),
    [
        ("403 header x-left: 0", True),
        ("403 header X-LEFT: 0", True),
        ("403 header x-scope: USER", True),
        ("403 header x-left: 00", False),
        ("403 header x-right: 0", False),
        ("400 header x-left: 0", False),
        ("403 body RATELIMITED", True),
        ("403 body ratelimited", False),
        ('403 body "RATELIMITED"', True),
        ('403 body "LIMITED"', False),
        ("403", True),
    ],
)
def test_a_line_matches_status_header_or_body(line: str, matches: bool) -> None:
    fields = [("X-Left", " 0 "), ("X-Left", "9"), ("X-Scope", "user")]
    body = '{"code": "RATELIMITED"}'
    asked = asked_to_wait(403, fields, body, compile_conditions(line), NOW)
    assert (asked is not None) == matches


SOON = NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("remaining", "reset", "seconds"),
    [
        ("0", "300", 300),
        ("0", str(SOON.timestamp()), 300),
        ("0", str(SOON.timestamp() * 1000), 300),
        ("0", "2026-11-06T08:54Z", 300),
        ("0", "2026-11-06T08:54", 300),
        ("0", "41.2", 42),
        (" 0 ", "1", 1),
        ("3", "300", 0),
        ("", "300", 0),
        ("0", "", 0),
        ("0", "-5", 0),
        ("0", "nan", 0),
        ("0", "inf", 0),
        ("0", "soon", 0),
        ("0", "9" * 300, 86_400),
        ("0", "1000000001", 0),
    ],
)
def test_a_quota_that_is_used_up_says_when_it_is_full_again(
    remaining: str, reset: str, seconds: float
) -> None:
    for name in ("x-ratelimit", "ratelimit", "X-RateLimit-Requests"):
        fields = [(f"{name}-remaining", remaining), (f"{name}-reset", reset)]
        asked = asked_to_wait(429, fields, "", (), NOW)
        assert asked is not None and asked.is_busy
        assert asked.seconds == seconds
        first = asked_to_wait(429, [*fields, ("Retry-After", "7")], "", (), NOW)
        assert first is not None and first.seconds == 7


def test_a_quota_alone_is_no_refusal() -> None:
    fields = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "300"}
    assert asked_to_wait(403, fields.items(), "", (), NOW) is None
    assert asked_to_wait(503, fields.items(), "", (), NOW) is None


@given(st.text(max_size=40))
def test_no_quota_breaks_the_worker(value: str) -> None:
    fields = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", value)]
    asked = asked_to_wait(429, fields, "", (), NOW)
    assert asked is not None and 0 <= asked.seconds <= 86_400


@pytest.mark.django_db
def test_a_web_request_refuses_what_can_not_be_read_at_its_field() -> None:
    bugs = factories.feedback_type()
    with pytest.raises(ValidationError) as caught:
        factories.macro(bugs, "https://a.example/", wait_when="soon")
    assert caught.value.message_dict == {"wait_when": [f"Line 1: {NO_STATUS}"]}


@pytest.mark.django_db
def test_a_run_from_before_there_were_conditions_goes_on() -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    run: Run = factories.run(factories.macro(bugs, "https://a.example/"))
    del run.snapshot["steps"][0]["wait_when"]
    assert Plan.from_snapshot(run.snapshot).steps[0].waits == ()


def test_a_changed_condition_is_shown_between_two_versions() -> None:
    step = {"kind": "web_request", "wait_when": "420"}
    before = {"steps": [step]}
    after = {"steps": [{**step, "wait_when": "420\n403 body LIMIT"}]}
    [difference] = differences(before, after)
    assert difference.title == "Step 1, web request: also wait when"
    assert [(each.sign, each.text) for each in difference.lines] == [
        (" ", "420"),
        ("+", "403 body LIMIT"),
    ]
