"""The ten commonest tasks do what docs/api.md says, each as curl and as Python."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import requests
from pytest_django.live_server_helper import LiveServer

from tests.api.tasks import CHECKS, Ground, values

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sweep]

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "api.md"
_BLOCK = re.compile(r"```(sh|python)\n(.*?)```", re.DOTALL)


def blocks() -> dict[str, dict[str, str]]:
    """The document's own code, by the task's heading and the language."""
    text = DOCUMENT.read_text().partition("## The ten commonest tasks")[2]
    text = text.partition("\n## ")[0]
    _, *tasks = text.split("\n### ")
    return {task.partition("\n")[0]: dict(_BLOCK.findall(task)) for task in tasks}


def set_up(language: str) -> str:
    """What the document has before the tasks, for whoever copies them."""
    text = DOCUMENT.read_text().partition("## The ten commonest tasks")[2]
    blocks = dict(_BLOCK.findall(text.partition("\n### ")[0]))
    return str(blocks[language])


@pytest.fixture
def ground(transactional_db: None) -> Ground:
    return Ground.build()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notes.txt").write_text("What I saw.\n")
    return tmp_path


def test_there_are_ten_of_them_in_both_languages() -> None:
    assert list(blocks()) == list(CHECKS)
    assert all(set(task) == {"sh", "python"} for task in blocks().values())


@pytest.mark.parametrize("task", CHECKS)
def test_a_task_in_the_shell(
    live_server: LiveServer, ground: Ground, folder: Path, task: str
) -> None:
    own = "".join(
        f"{name}={value}\n" for name, value in values(ground, live_server.url).items()
    )
    script = f"{set_up('sh')}\n{own}\nset -e\n{blocks()[task]['sh']}"
    command = ["bash", "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert CHECKS[task](ground), done.stdout


@pytest.mark.parametrize("task", CHECKS)
def test_a_task_in_python(
    live_server: LiveServer,
    ground: Ground,
    folder: Path,
    task: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    own = values(ground, live_server.url)
    before = re.sub(r"(?m)^(API|TYPE), .*$", "", set_up("python"))
    given: dict[str, object] = {**own}
    exec(before, given)  # noqa: S102
    exec(blocks()[task]["python"], given)  # noqa: S102
    assert CHECKS[task](ground)
    responses = [each for each in given.values() if isinstance(each, requests.Response)]
    assert all(each.ok for each in responses)
