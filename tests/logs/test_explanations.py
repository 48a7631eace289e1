"""A sentence for people who don't read status codes daily."""

from __future__ import annotations

import re

import pytest

from logs.models import Attempt, Cut, ErrorClass
from logs.recording.explanations import STATUSES, error_label, explain

WITH_RESPONSE = frozenset({ErrorClass.HTTP, ErrorClass.REDIRECT, ErrorClass.VALUE})
WITHOUT_RESPONSE = [each for each in ErrorClass if each not in WITH_RESPONSE]


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status_has_a_sentence(status: int) -> None:
    sentence = explain(Attempt(status=status))
    assert re.fullmatch(rf"{status}: [a-z][^\n]{{15,}}[^.]\.", sentence), sentence
    assert "unknown" not in sentence


@pytest.mark.parametrize("status", [99, 0, 600, 999])
def test_a_status_out_of_range_is_unknown(status: int) -> None:
    expected = f"{status}: an unknown response."
    assert explain(Attempt(status=status)) == expected


def test_statuses_of_one_hundred_have_the_meaning_of_their_class() -> None:
    assert explain(Attempt(status=418)) == (
        "418: the system refused the request; its response may say why."
    )
    assert explain(Attempt(status=299)) == "299: the system accepted the request."
    assert explain(Attempt(status=401)) == (
        "401: the system did not accept the credentials; check the Authorization"
        " header."
    )


@pytest.mark.parametrize(
    ("status", "of_it"),
    [
        (200, "accepted the request"),
        (201, "created something"),
        (202, "process it later"),
        (204, "sent no content"),
        (301, "moved for good"),
        (302, "leads to a login page"),
        (303, "leads to a login page"),
        (307, "moved for now"),
        (308, "moved for good"),
        (400, "did not understand the request"),
        (401, "did not accept the credentials"),
        (402, "asks for payment"),
        (403, "may not do this"),
        (404, "nothing is at this URL"),
        (405, "not for this method"),
        (406, "check the Accept header"),
        (408, "waited too long"),
        (409, "often a duplicate"),
        (410, "gone for good"),
        (411, "the length of the body"),
        (412, "check its If- headers"),
        (413, "the body is too large"),
        (414, "the URL is too long"),
        (415, "check the Content-Type header"),
        (421, "reached the wrong server"),
        (422, "refuses a value"),
        (423, "is locked there"),
        (425, "not ready"),
        (429, "too fast"),
        (431, "the headers are too large"),
        (500, "an error of its own"),
        (501, "does not know this method"),
        (502, "no proper response"),
        (503, "overloaded or down"),
        (504, "a gateway before the system waited too long"),
    ],
)
def test_a_status_is_explained_by_its_own_meaning(status: int, of_it: str) -> None:
    """RFC 9110 15, RFC 4918 11, RFC 6585 and RFC 8470 5.2."""
    assert of_it in explain(Attempt(status=status))


def test_a_response_that_counts_as_too_fast_is_explained_as_that() -> None:
    busy = Attempt(status=200, error_class=ErrorClass.BUSY)
    assert explain(busy) == "200: the system says that requests come too fast."


def test_no_status_promises_another_try_that_the_macro_may_not_make() -> None:
    assert not any("tried again" in text for text in STATUSES.values())
    last = Attempt(status=503, message="Not tried again: this was try 8, the last.")
    assert explain(last) == (
        "503: the system is overloaded or down for maintenance."
        " Not tried again: this was try 8, the last."
    )


@pytest.mark.parametrize("error", WITHOUT_RESPONSE)
def test_every_error_says_what_to_do_about_it(error: ErrorClass) -> None:
    attempt = Attempt(error_class=error, message="It went wrong.")
    attempt.outcome_unknown = error == ErrorClass.LOST
    text = explain(attempt)
    assert re.fullmatch(r"It went wrong\. [A-Z][^\n]{15,}\.", text), text


@pytest.mark.parametrize("error", sorted(WITH_RESPONSE))
def test_an_error_that_has_a_response_is_explained_by_its_status(error: str) -> None:
    assert explain(Attempt(status=302, error_class=error)).startswith("302: ")


def test_an_unknown_outcome_is_mentioned_once() -> None:
    timeout = Attempt(
        error_class=ErrorClass.TIMEOUT, message="Read timed out.", outcome_unknown=True
    )
    assert explain(timeout) == (
        "Read timed out. The system was too slow to respond. Outcome unknown: the"
        " system may have acted on the request."
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
def test_an_incomplete_response_says_why(cut: str, why: str) -> None:
    assert explain(Attempt(status=200, response_cut=cut)) == (
        f"200: the system accepted the request. The response is incomplete: {why}."
    )


@pytest.mark.parametrize(("status", "between"), [(299, "\n"), (300, " ")])
def test_a_success_has_what_was_stored_on_lines_of_its_own(
    status: int, between: str
) -> None:
    assert explain(Attempt(status=status, message="Stored: key = 1.")).endswith(
        f".{between}Stored: key = 1."
    )


@pytest.mark.parametrize(
    ("error", "label"),
    [
        ("value", "Return value missing"),
        ("http", "Refused by the destination"),
        ("timeout", "Timed out"),
        ("dns", "Name not found"),
        ("", ""),
    ],
)
def test_an_error_has_a_name_in_lists(error: str, label: str) -> None:
    assert error_label(error) == label
