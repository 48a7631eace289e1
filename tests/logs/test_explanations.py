"""A sentence for people who don't read status codes daily."""

from __future__ import annotations

import re

import pytest

from logs.models import Attempt, Cut, ErrorClass
from logs.recording.explanations import STATUSES, explain

ANSWERED = frozenset({ErrorClass.HTTP, ErrorClass.REDIRECT})
UNANSWERED = [each for each in ErrorClass if each not in ANSWERED]


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status_has_a_sentence(status: int) -> None:
    sentence = explain(Attempt(status=status))
    assert re.fullmatch(rf"{status}: [a-z][^\n]{{15,}}[^.]\.", sentence), sentence
    assert "unknown" not in sentence


@pytest.mark.parametrize("status", [99, 0, 600, 999])
def test_a_status_out_of_range_is_called_unknown(status: int) -> None:
    expected = f"{status}: an unknown answer."
    assert explain(Attempt(status=status)) == expected


def test_statuses_of_one_hundred_have_the_meaning_of_their_class() -> None:
    assert explain(Attempt(status=418)) == (
        "418: the system refused the request; its answer may say why."
    )
    assert explain(Attempt(status=299)) == "299: the system accepted the request."
    assert explain(Attempt(status=401)) == (
        "401: the system did not accept the credentials; check the Authorization"
        " header."
    )


def test_no_status_promises_another_try_that_the_macro_may_not_make() -> None:
    assert not any("tried again" in text for text in STATUSES.values())
    last = Attempt(status=503, message="Not tried again: this was try 8, the last.")
    assert explain(last) == (
        "503: the system is overloaded or down for maintenance."
        " Not tried again: this was try 8, the last."
    )


@pytest.mark.parametrize("error", UNANSWERED)
def test_every_error_says_what_to_do_about_it(error: ErrorClass) -> None:
    attempt = Attempt(error_class=error, message="It went wrong.")
    attempt.outcome_unknown = error == ErrorClass.LOST
    said = explain(attempt)
    assert re.fullmatch(r"It went wrong\. [A-Z][^\n]{15,}\.", said), said


@pytest.mark.parametrize("error", sorted(ANSWERED))
def test_an_error_that_has_an_answer_is_explained_by_its_status(error: str) -> None:
    assert explain(Attempt(status=302, error_class=error)).startswith("302: ")


def test_an_unknown_outcome_is_said_once() -> None:
    timeout = Attempt(
        error_class=ErrorClass.TIMEOUT, message="Read timed out.", outcome_unknown=True
    )
    assert explain(timeout) == (
        "Read timed out. The system was too slow to answer. Outcome unknown: the system"
        " may have acted on the request."
    )
    lost = Attempt(
        error_class=ErrorClass.LOST, message="The worker stopped.", outcome_unknown=True
    )
    assert "Outcome unknown" not in explain(lost)
    assert "may have got the request" in explain(lost)


@pytest.mark.parametrize(
    ("cut", "why"),
    [
        (Cut.SIZE, "longer than what is kept"),
        (Cut.DEADLINE, "not finished in time"),
        (Cut.CONNECTION, "the connection broke"),
        (Cut.ENCODING, "could not be decompressed"),
    ],
)
def test_an_answer_that_is_not_whole_says_why(cut: str, why: str) -> None:
    assert explain(Attempt(status=200, response_cut=cut)) == (
        f"200: the system accepted the request. The answer is not whole: {why}."
    )
