"""docs/troubleshooting.md says of each status and error what the log says of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from logs.models import Attempt, ErrorClass
from logs.recording.explanations import ERRORS, STATUSES, explain
from macros.retries import cause_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
# Beside those with a meaning of their own, those that each class is known by.
SHOWN = sorted({200, 500, *STATUSES})


def then(error: str, status: int | None) -> str:
    """What becomes of the delivery."""
    if status is not None and 200 <= status <= 299:
        return "delivered"
    if status == 410:
        return "failed, and the macro is paused"
    return "tried again" if cause_of(error, status) else "failed"


def row(status: int) -> str:
    _, _, meaning = explain(Attempt(status=status)).partition(": ")
    return f"| {status} | {meaning} | {then('http', status)} |"


def error_row(error: ErrorClass) -> str:
    return f"| {error.label} | {ERRORS[error]} | {then(error, None)} |"


@pytest.mark.parametrize("status", SHOWN)
def test_a_status_is_explained_as_the_log_explains_it(status: int) -> None:
    assert f"\n{row(status)}\n" in PAGE


@pytest.mark.parametrize("error", [ErrorClass(name) for name in ERRORS])
def test_so_is_what_got_no_response(error: ErrorClass) -> None:
    assert f"\n{error_row(error)}\n" in PAGE


def test_no_other_status_or_error_is_explained() -> None:
    labels = {ErrorClass(name).label for name in ERRORS}
    line = re.compile(
        r"^\| (\d{3}|[A-Z][^|]+) \| .+ \| (?:delivered|failed|tried)", re.M
    )
    table = line.findall(PAGE)
    assert set(table) == {*map(str, SHOWN), *labels}


def test_what_to_do_is_said_of_the_usual_ones() -> None:
    headings = " ".join(re.findall(r"^### (.+)$", PAGE, re.MULTILINE))
    for status in (400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 503):
        assert str(status) in headings
    for name in ("No connection", "certificate", "policy", "Timed out"):
        assert name in headings
