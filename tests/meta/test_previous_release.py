"""The release before is found, or it is said that it is not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.processes import releases


def git(folder: Path, *words: str) -> str:
    named = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    command = ["git", "-C", str(folder), *named, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Two releases of a program that is one file."""
    folder = tmp_path / "history"
    folder.mkdir()
    git(folder, "init", "-q")
    for text in ("first", "second"):
        (folder / "program").write_text(text)
        git(folder, "add", "program")
        git(folder, "commit", "-qm", text)
    return folder


def named(folder: Path, commit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = folder / "previous_release"
    name.write_text(f"{commit}\n")
    monkeypatch.setattr(releases, "NAMED_IN", name)
    monkeypatch.setattr(releases, "ROOT", folder)


def unpacked(tmp_path: Path) -> str:
    return (releases.unpack(tmp_path / "code") / "program").read_text()


def test_it_is_the_commit_that_is_named(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = git(history, "rev-parse", "HEAD~").strip()
    named(history, first, monkeypatch)
    assert unpacked(tmp_path) == "first"


def test_for_a_commit_that_is_not_there_this_release_stands_in_with_a_warning(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(history, "0" * 40, monkeypatch)
    with pytest.warns(UserWarning, match="clone does not have it"):
        assert unpacked(tmp_path) == "second"


def test_in_a_shallow_clone_this_release_stands_in(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = git(history, "rev-parse", "HEAD~").strip()
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{history}", str(shallow))
    named(shallow, first, monkeypatch)
    assert unpacked(tmp_path) == "second"
