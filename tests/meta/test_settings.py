"""Every environment setting is documented where people look for it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Set by tests/environment.py alone.
FOR_TESTS = frozenset({"TEST_DATABASE"})


def settings_read() -> list[str]:
    """The names that settings.py reads from the environment, in its order."""
    tree = ast.parse((ROOT / "centerhook" / "settings.py").read_text())
    calls = [
        (node.lineno, node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]
    names = [str(name) for _, name in sorted(calls)]
    return [name for name in dict.fromkeys(names) if name not in FOR_TESTS]


def documented() -> list[str]:
    """The names in the first column of the tables of docs/settings.md."""
    text = (ROOT / "docs" / "settings.md").read_text()
    cells = re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([A-Z0-9_]+)`", cell)]


def test_the_settings_are_found() -> None:
    expected = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "LEASE_SECONDS"}
    assert expected <= set(settings_read())


@pytest.mark.parametrize("name", settings_read())
def test_a_setting_has_its_row_in_the_documentation(name: str) -> None:
    assert name in documented(), f"docs/settings.md has no row for {name}"


def test_no_setting_is_documented_twice_or_after_it_is_gone() -> None:
    assert sorted(documented()) == sorted(settings_read())
