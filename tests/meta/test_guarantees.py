"""Every promise of the documents names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["delivery-guarantees.md", "security.md"]


def document(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_promise_names_a_test_that_exists(name: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", document(name)))
    tests = (ROOT / "tests").rglob("test_*.py")
    there = set(re.findall(r"def (test_\w+)", "".join(p.read_text() for p in tests)))
    assert len(named) > 30
    assert named - there == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_promise_is_left_without_a_test(name: str) -> None:
    text = document(name).partition("## Doors")
    rows = [row for row in (text[2] or text[0]).splitlines() if row.startswith("| ")]
    promises = [row for row in rows if not re.match(r"\| (promise|what|deleted) ", row)]
    assert promises
    assert [row for row in promises if "`test_" not in row] == []
