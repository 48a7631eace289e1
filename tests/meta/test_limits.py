"""The page of limits says what the code does."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "limits.md"
ROWS = re.findall(r"^\| .+ \| ([\d,]+) \| `([\w.]+)` \|$", PAGE.read_text(), re.M)


@pytest.mark.parametrize(("stated", "where"), ROWS)
def test_a_limit_is_what_the_page_says(stated: str, where: str) -> None:
    module, _, name = where.rpartition(".")
    assert f"{getattr(import_module(module), name):,.0f}" == stated


def test_every_row_is_looked_at() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if "| `" in line]
    assert len(rows) == len(ROWS) > 40
