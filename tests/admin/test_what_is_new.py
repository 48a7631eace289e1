"""What is new is read by everybody who is signed in, whatever the file holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.test import Client

from centerhook import __version__, releases
from feedback.access.roles import Role
from tests import factories

URL = "/admin/what-is-new/"
TEXT = """# Changelog

Words before the first release.

## 2.0.0

### Improvements

Runs

- A `<b>run</b>` *waits* for [its destination](docs/x.md).
- <script>alert(1)</script>

### Fixes

- The word `one`, and one ` alone.

## 1.0.0 (12 May)

- Without a part.
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "CHANGELOG.md"
    path.write_text(TEXT)
    monkeypatch.setattr(releases, "CHANGELOG", path)
    return path


@pytest.fixture
def page(db: None) -> Client:
    client = Client()
    bugs = factories.feedback_type()
    client.force_login(factories.member(bugs, Role.OBSERVER, "oscar"))
    return client


def shown(page: Client) -> str:
    response = page.get(URL)
    assert response.status_code == 200
    return response.content.decode()


def test_the_version_in_the_footer_leads_to_it(page: Client) -> None:
    html = shown(page)
    link = f'<a class="quiet" href="{URL}" title="What is new">CenterHook {__version__}'
    assert link in html
    assert f"This is CenterHook {__version__}." in html
    assert "Improvements" in html and "nothing to read" not in html.lower()


def test_releases_are_read_as_they_are_written(file: Path) -> None:
    new, old = releases.newest(file)
    assert (new.name, old.name) == ("2.0.0", "1.0.0 (12 May)")
    assert [part.title for part in new.parts] == ["Improvements", "Fixes"]
    [runs] = new.parts[0].groups
    assert runs.title == "Runs"
    first, second = runs.lines
    assert [(each.text, each.element) for each in first] == [
        ("A ", ""),
        ("<b>run</b>", "code"),
        (" ", ""),
        ("waits", "em"),
        (" for its destination.", ""),
    ]
    [[fix]] = [group.lines for group in new.parts[1].groups]
    assert "".join(each.text for each in fix) == "The word one, and one ` alone."
    [[part]] = [each.groups for each in old.parts]
    assert part.lines[0][0].text == "Without a part."


def test_nothing_of_it_is_markup(file: Path, page: Client) -> None:
    html = shown(page)
    assert "<code>&lt;b&gt;run&lt;/b&gt;</code>" in html
    assert "<script>alert" not in html and "&lt;script&gt;alert(1)" in html
    assert "Words before" not in html


def test_what_is_changed_is_read_anew(file: Path, page: Client) -> None:
    assert "2.0.0" in shown(page)
    file.write_text("## 3.0.0\n- Newer.\n")
    os.utime(file, (1, 1))
    assert "3.0.0" in shown(page)


def test_only_so_many_are_shown(file: Path) -> None:
    entry = "- word\n"
    file.write_text("".join(f"## 1.{each}\n{entry}" for each in range(9, 0, -1)))
    names = [each.name for each in releases.newest(file)]
    assert names == [f"1.{each}" for each in range(9, 4, -1)]
    file.write_text(f"## 2.0\n{entry * 9000}## 1.0\n{entry}")
    [release] = releases.newest(file)
    lines = [line for group in release.parts[0].groups for line in group.lines]
    assert len(lines) == releases.MAX_LINES
    file.write_text("## 1.0\n- " + "[" * releases.MAX_LENGTH)
    [release] = releases.newest(file)


@pytest.mark.parametrize("text", ["", "\0", "no heading", "## \n", "###\n- x\n", "- "])
def test_another_shape_breaks_no_page(file: Path, page: Client, text: str) -> None:
    file.write_text(text)
    assert "What is new" in shown(page)


def test_bytes_that_are_no_text_break_no_page(file: Path, page: Client) -> None:
    file.write_bytes(b"## 1.0\n- \xff\xfe\n")
    assert "1.0" in shown(page)


def test_without_the_file_the_page_says_so(file: Path, page: Client) -> None:
    file.unlink()
    assert "is not beside the code" in shown(page)


def test_nobody_reads_it_without_signing_in(db: None) -> None:
    assert Client().get(URL).status_code == 302
