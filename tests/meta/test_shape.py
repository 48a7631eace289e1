"""Files and functions short enough to read in one screen or two."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_FILE = 300
MAX_TEST_FILE = 500
MAX_FUNCTION = 30
# Functions that may be longer, each with the reason.
LONG_FUNCTIONS = {}
OURS = ("centerhook", "feedback", "logs", "macros", "tests", "manage.py")


def sources() -> list[Path]:
    """Every Python file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *OURS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    paths = (ROOT / name for name in listed if name.endswith(".py"))
    return sorted(path for path in paths if path.exists())


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From `def` to its end, without the docstring."""
    length = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return length
    docstring = function.body[0]
    return length - ((docstring.end_lineno or 0) - docstring.lineno + 1)


def functions() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def test_no_file_is_too_long() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in sources()
        if "migrations" not in path.parts
    }
    assert len(lengths) > 100
    long = {name for name, count in lengths.items() if count > MAX_FILE}
    assert {name for name in long if not name.startswith("tests/")} == set()
    assert {name for name in long if lengths[name] > MAX_TEST_FILE} == set()


def test_no_function_is_too_long_but_those_with_a_reason() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.name}"
        for path, node in functions()
        if lines_of_code(node) > MAX_FUNCTION and "tests" not in path.parts
    }
    assert long == set(LONG_FUNCTIONS)


def test_no_module_is_named_for_nothing() -> None:
    empty = {"services", "utils", "helpers", "common"}
    assert [path for path in sources() if path.stem in empty] == []
