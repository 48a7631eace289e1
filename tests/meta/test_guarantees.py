"""Every promise of docs/delivery-guarantees.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "delivery-guarantees.md"


def test_every_promise_names_a_test_that_exists() -> None:
    text = DOCUMENT.read_text()
    named = set(re.findall(r"`(test_\w+)`", text))
    tests = (ROOT / "tests").rglob("test_*.py")
    there = set(re.findall(r"def (test_\w+)", "".join(p.read_text() for p in tests)))
    assert len(named) > 30
    assert named - there == set()


def test_no_promise_is_left_without_a_test() -> None:
    rows = [row for row in DOCUMENT.read_text().splitlines() if row.startswith("| ")]
    promises = [row for row in rows if not re.match(r"\| (promise|what|deleted) ", row)]
    assert [row for row in promises if "`test_" not in row] == []
