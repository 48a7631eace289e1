"""docs/operations.md and the script that follows it say the same.

The script itself, `.ci/try-operations`, takes a minute and is part of `.ci/run`.
"""

from __future__ import annotations

import shlex
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# What is there wherever the tests run; all else has a substitute.
HERE = {"git", "cd", "python3", ".venv/bin/pip", ".venv/bin/python", "mkdir", "install"}
HERE |= {"cp", "set"}


def script() -> Any:
    loader = SourceFileLoader("try_operations", str(ROOT / ".ci" / "try-operations"))
    spec = spec_from_loader(loader.name, loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_every_command_is_run_or_has_a_substitute() -> None:
    tried = script()
    programs = [shlex.split(command)[0] for command in tried.commands()]
    assert len(programs) > 20
    assert set(programs) - HERE == set(tried.SUBSTITUTES)


def test_the_page_names_each_substitute() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    for program, sentence in script().SUBSTITUTES.items():
        assert f"| `{program}` | {sentence} |\n" in page


def test_the_settings_that_the_page_names_are_those_that_are_written() -> None:
    tried = script()
    assert tried.named_on_the_page("DATABASE_URL").endswith("@127.0.0.1/centerhook")
    assert tried.named_on_the_page("REDIS_URL") == "redis://127.0.0.1:6379/0"


def test_the_script_is_part_of_ci() -> None:
    assert "\n.ci/try-operations\n" in (ROOT / ".ci" / "run").read_text()
