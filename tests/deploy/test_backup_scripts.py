"""What the scripts of docs/backup.md make of settings. tests/processes runs them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def shell(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("given", "url", "password"),
    [
        ("postgres://me:p%40ss:w@db:5432/it", "postgres://me@db:5432/it", "p@ss:w"),
        ("postgresql://me@db/it?sslmode=require", None, ""),
        ("postgres://me@:/it?host=/run/pg", None, ""),
        ("postgres://me:p@ss@db/it", "postgres://me@db/it", "p@ss"),
    ],
)
def test_no_password_stands_among_the_arguments_of_a_process(
    given: str, url: str | None, password: str
) -> None:
    script = '. deploy/postgres-url.sh; echo "$url"; echo "$PGPASSWORD"'
    done = shell(script, DATABASE_URL=given)
    assert done.stdout.splitlines() == [url or given, password]


def test_a_file_may_hold_the_url(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgres://me@db/it\n")
    done = shell('. deploy/postgres-url.sh; echo "$url"', DATABASE_URL_FILE=str(file))
    assert done.stdout == "postgres://me@db/it\n"


@pytest.mark.parametrize("script", ["deploy/backup.sh", "deploy/restore.sh"])
def test_without_settings_they_say_what_is_missing(script: str, tmp_path: Path) -> None:
    for given in ({}, {"DATABASE_URL": "sqlite:///here.sqlite3"}):
        done = shell(f"{script} {tmp_path}/there", **given)
        assert done.returncode == 1 and "DATABASE_URL" in done.stderr
    assert shell(script).returncode != 0
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_over_and_nothing_half_has_the_name(tmp_path: Path) -> None:
    away = {"DATABASE_URL": "postgres://me@127.0.0.1:1/it"}
    (tmp_path / "there").mkdir()
    done = shell(f"deploy/backup.sh {tmp_path}/there", **away)
    assert done.returncode == 1 and "is there already" in done.stderr
    assert shell(f"deploy/backup.sh {tmp_path}/new", **away).returncode != 0
    assert not (tmp_path / "new").exists()


def test_a_folder_that_the_service_has_not_made_is_left_to_it(tmp_path: Path) -> None:
    """Made by a backup that runs as root, it would be closed to the service."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pg_dump").write_text("#!/bin/sh\nexit 0\n")
    (programs / "pg_dump").chmod(0o755)
    done = shell(
        f"PATH={programs}:$PATH; deploy/backup.sh {tmp_path}/new",
        DATABASE_URL="postgres://me@db/it",
        ATTACHMENTS_DIR=str(tmp_path / "attachments"),
        PACKAGES_DIR=str(tmp_path / "packages"),
    )
    assert done.returncode == 0, done.stderr
    made = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert made == ["attachments.tar.gz", "packages.tar.gz"]
    assert not (tmp_path / "attachments").exists()
    assert not (tmp_path / "packages").exists()


def test_a_backup_that_was_cut_off_is_made_again(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pg_dump").write_text("#!/bin/sh\nexit 0\n")
    (programs / "tar").write_text("#!/bin/sh\nkill $PPID\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    script = f"PATH={programs}:$PATH; deploy/backup.sh {tmp_path}/new"
    url = "postgres://me@db/it"
    assert shell(script, DATABASE_URL=url).returncode != 0
    assert (tmp_path / "new.part").is_dir() and not (tmp_path / "new").exists()
    (programs / "tar").unlink()
    done = shell(script, DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "new.part").exists()
    made = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert made == ["attachments.tar.gz", "packages.tar.gz"]


def test_a_restore_wants_a_paused_start(tmp_path: Path) -> None:
    for mode in ("", "normal"):
        url = "postgres://me@127.0.0.1:1/it"
        done = shell(f"deploy/restore.sh {tmp_path}", DATABASE_URL=url, MODE=mode)
        assert done.returncode == 1 and "MODE=paused" in done.stderr


def test_the_page_names_the_scripts() -> None:
    page = (ROOT / "docs" / "backup.md").read_text()
    for name in ("backup.sh", "restore.sh"):
        assert f"/opt/centerhook/deploy/{name} /backups/" in page
