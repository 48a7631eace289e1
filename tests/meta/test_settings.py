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


def test_the_settings_are_found() -> None:
    expected = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "LEASE_SECONDS"}
    assert expected <= set(settings_read())


@pytest.mark.parametrize("name", settings_read())
def test_a_setting_is_documented_in_the_readme(name: str) -> None:
    readme = (ROOT / "README.md").read_text()
    assert re.search(rf"`{name}`|\b{name}=", readme), f"README.md does not name {name}"


def test_the_readme_names_no_setting_that_is_gone() -> None:
    """In its tables of settings: rows that begin with a name in capitals."""
    readme = (ROOT / "README.md").read_text()
    rows = re.findall(r"^\|\s*`([A-Z][A-Z0-9_]+)`", readme, re.MULTILINE)
    known = {*settings_read(), *FOR_TESTS}
    gone = {name for name in rows if name.removesuffix("_FILE") not in known}
    assert gone == set()
