"""How much time one request has left, by a clock that a test sets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from macros.http.deadline import Deadline
from tests.http.conftest import limits


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the clock."""

    def set_to(now: float) -> None:
        monkeypatch.setattr("macros.http.deadline.monotonic", lambda: now)

    set_to(100.0)
    return set_to


def test_a_call_has_what_is_left_and_no_more_than_it_may_take(at):
    deadline = Deadline(limits(deadline=5.0))
    at(102.0)
    assert (deadline.left(9.0), deadline.left(1.0)) == (3.0, 1.0)


@pytest.mark.parametrize("now", [105.0, 105.5, 900.0])
def test_the_moment_at_which_it_ends_is_too_late(at, now):
    deadline = Deadline(limits(deadline=5.0))
    at(now)
    with pytest.raises(TimeoutError):
        deadline.left(1.0)
    assert str(deadline.timeout()) == "No response within 5 s (whole request)."


def test_a_part_of_something_ends_with_it(at):
    deadline = Deadline(limits(deadline=5.0), ends_at=101.0)
    assert deadline.left(9.0) == 1.0


def test_times_are_milliseconds_from_the_start(at):
    deadline = Deadline(limits())
    assert (deadline.connect_ms, deadline.first_byte_ms) == (None, None)
    at(100.25)
    deadline.connected()
    at(101.5)
    deadline.first_byte()
    assert (deadline.connect_ms, deadline.first_byte_ms) == (250, 1500)
