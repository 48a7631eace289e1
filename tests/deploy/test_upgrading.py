"""The steps of docs/upgrading.md, typed in a scratch folder; programs note their call.

What they do to deliveries is held by tests/processes/test_upgrade.py.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "upgrading.md").read_text()
DEBIAN = "### On a machine with Debian, by systemd\n"
# Programs that change the machine, or take long.
STAND_INS = {
    "git": 'mkdir -p "$5/deploy/systemd"; touch "$5/deploy/systemd/a.service"',
    "python3": "mkdir -p .venv/bin; cp ../../bin/noted .venv/bin/pip;"
    " cp ../../bin/noted .venv/bin/python",
    "chown": "",
    "systemctl": "",
    "runuser": 'shift 3; "$@"',
    "noted": "",
}


def commands(title: str, indent: int) -> list[str]:
    section = re.split(r"\n###? ", PAGE.partition(title)[2])[0]
    return re.findall(rf"^ {{{indent}}}(\S.*)$", section, re.MULTILINE)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """What the page begins with: the first installation, as a folder of its own."""
    for name in ("bin", "etc/systemd/system", "opt/centerhook/deploy", "backups"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "opt/centerhook/var").mkdir()
    (tmp_path / "opt/centerhook/var/kept").write_text("a file of a ticket")
    (tmp_path / "etc/centerhook.env").write_text("BASE_URL=https://a.example\n")
    note = f'echo "$(basename "$0") $*" >> {tmp_path}/noted\n'
    for name, does in STAND_INS.items():
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/bash\n{note}{does}\n")
        program.chmod(0o755)
    put_backup(tmp_path)
    return tmp_path


def put_backup(machine: Path) -> None:
    program = machine / "opt/centerhook/deploy/backup.sh"
    program.write_text((machine / "bin/noted").read_text())
    program.chmod(0o755)


def follow(machine: Path, version: str) -> list[str]:
    """What was called, in its order. Raises where a command fails."""
    (machine / "noted").write_text("")
    typed = "\n".join(commands(DEBIAN, 8)).replace("VERSION", version)
    typed = re.sub(r"(?<![\w./])/(opt|etc|backups)\b", rf"{machine}/\1", typed)
    environment = {**os.environ, "PATH": f"{machine}/bin:/usr/bin:/bin"}
    command = ["bash", "-euo", "pipefail", "-c", typed]
    subprocess.run(command, cwd=machine, env=environment, check=True)
    return (machine / "noted").read_text().replace(str(machine), "").splitlines()


def at(calls: list[str], words: str) -> int:
    return next(index for index, call in enumerate(calls) if words in call)


def test_one_upgrade_after_the_other_keeps_the_files_and_the_order(
    machine: Path,
) -> None:
    current = machine / "opt/centerhook"
    for version in ("v1.1.0", "v1.2.0"):
        calls = follow(machine, version)
        order = [
            *(f"backup.sh /backups/before-{version}", "git clone", "pip install"),
            *("manage.py check", "manage.py migrate", "systemctl stop"),
            *("systemctl daemon-reload", "systemctl start", "manage.py doctor"),
        ]
        steps = [at(calls, each) for each in order]
        assert steps == sorted(steps)
        assert os.readlink(current) == str(machine / f"opt/centerhook-{version}")
        assert (current / "var/kept").read_text() == "a file of a ticket"
        put_backup(machine)
    assert (machine / "opt/centerhook-first/deploy").is_dir(), "there to go back to"
    assert (machine / "opt/centerhook-v1.1.0/deploy").is_dir()


def test_what_is_named_is_there() -> None:
    asked = set(re.findall(r"manage\.py (\w+)", PAGE))
    assert asked <= {*get_commands()} and "migrate" in asked
    units = {path.stem for path in (ROOT / "deploy/systemd").glob("*.service")}
    named = re.findall(r"(?<![\w/.-])(centerhook-(?:web|clock|worker))(@?)", PAGE)
    assert {name + mark for name, mark in named} - {"centerhook-worker"} <= units
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
    lines = commands("### With Docker\n", 4)
    words = [line.split("compose.yaml ")[1].split() for line in lines]
    used = {each for line in words for each in line if each in {*services}}
    assert used == {"migrate", "worker", "clock", "web"}
    manifests = (ROOT / "deploy/kubernetes/centerhook.yaml").read_text()
    for line in commands("### On Kubernetes\n", 4):
        for name in re.findall(r"(?:job |job/|deploy/)(centerhook-\w+)", line):
            assert f"name: {name}" in manifests, line
