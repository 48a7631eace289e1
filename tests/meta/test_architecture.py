"""The documentation names packages, modules, functions and files that exist."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import pytest

from tests.meta.test_docs import PAGES
from tests.meta.test_imports import OURS, ROWS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
FOLDERS = "|".join([*OURS, "templates", "tests", "deploy", "docs", r"\.ci"])


def names_in(text: str) -> set[str]:
    """Dotted names of ours, also those in the diagram."""
    return set(re.findall(rf"\b(?:{'|'.join(OURS)})(?:\.[A-Za-z_]\w*)+", text))


def files_in(text: str) -> set[str]:
    """Paths between backticks that begin with one of our folders."""
    return set(re.findall(rf"`((?:{FOLDERS})/[^\s`]*)", text))


def exists(name: str) -> bool:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def has_file(path: str) -> bool:
    """Any that fits, where a part such as `<id>` is left open."""
    return any(ROOT.glob(re.sub(r"<\w+>", "*", path.rstrip("/"))))


def test_the_architecture_names_what_exists() -> None:
    names = names_in(PAGE.read_text())
    assert len(names) > 40
    assert {name for name in names if not exists(name)} == set()


def test_the_architecture_names_every_room() -> None:
    rooms = {
        f"{app}.{room.partition('.')[0]}"
        for app, rows in ROWS.items()
        for row in rows
        for room in row
    }
    assert rooms - names_in(PAGE.read_text()) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_files_that_exist(page: Path) -> None:
    files = files_in(page.read_text())
    assert {path for path in files if not has_file(path)} == set()


def test_what_is_gone_is_noticed() -> None:
    assert exists("macros.runs.start_run") and not exists("macros.runs.stop_run")
    assert not exists("macros.nothing")
    assert has_file("macros/authoring/presets/<id>.yaml")
    assert not has_file("macros/presets/<id>.yaml")
