"""The pages are short enough to be read, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
README_MAX_WORDS = 900
PICTURE_MAX_BYTES = 200_000


def text_of(page: Path) -> str:
    """A page without its code, where brackets are no links."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", lambda code: re.sub(r"[\[\]#]", "", code[0]), text)


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    names: list[str] = []
    for heading in re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE):
        shown = re.sub(r"\[([^]]*)]\([^)]*\)", r"\1", heading)
        names.append(re.sub(r"[^\w\- ]", "", shown.strip().lower()).replace(" ", "-"))
    before = [names[:index].count(name) for index, name in enumerate(names)]
    pairs = zip(names, before, strict=True)
    return {f"{name}-{count}" if count else name for name, count in pairs}


def links(page: Path) -> list[str]:
    """Where a page's links and pictures lead, apart from other servers."""
    every = re.findall(r"]\(([^)\s]+)\)", text_of(page))
    return [link for link in every if not link.startswith(("https://", "mailto:"))]


def leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    file = page.parent / name if name else page
    return file.exists() and (not anchor or anchor in anchors(file))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    assert [link for link in links(page) if not leads_somewhere(page, link)] == []


def test_a_link_to_a_heading_or_file_that_is_gone_is_noticed() -> None:
    readme = ROOT / "README.md"
    assert leads_somewhere(readme, "docs/settings.md#signing-in")
    assert not leads_somewhere(readme, "docs/settings.md#signing-out")
    assert not leads_somewhere(readme, "docs/nothing.md")


def linked_from(page: Path) -> set[Path]:
    return {(page.parent / link.partition("#")[0]).resolve() for link in links(page)}


def test_readme_and_index_lead_to_every_page() -> None:
    readme, index = ROOT / "README.md", ROOT / "docs" / "index.md"
    assert index in linked_from(readme)
    assert set(PAGES) - linked_from(readme) - linked_from(index) == {readme}


def test_the_site_s_menu_has_every_page_once() -> None:
    listed = (ROOT / "docs" / "index.md").read_text().splitlines()
    pages = [page.stem for page in (ROOT / "docs").glob("*.md") if page.stem != "index"]
    assert [name for name in pages if listed.count(name) != 1] == []


# In Markdown, or in HTML for two themes.
PICTURES = re.compile(r"(?:\]\(|src(?:set)?=\")([^)\"]+\.png)")


def test_the_readme_is_short_and_begins_with_a_picture() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.split()) <= README_MAX_WORDS
    top = text.partition("\n## ")[0]
    assert "(prefers-color-scheme: dark)" in top
    assert len(PICTURES.findall(top)) == 2


def test_every_picture_is_shown_and_small() -> None:
    shown = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in PICTURES.findall(page.read_text())
    }
    assert set((ROOT / "docs" / "images").iterdir()) == shown
    assert [path for path in shown if path.stat().st_size > PICTURE_MAX_BYTES] == []
