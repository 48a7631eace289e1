"""What is new, for everybody who is signed in: the newest releases of CHANGELOG.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse

CHANGELOG = Path(__file__).resolve().parents[1] / "CHANGELOG.md"
MAX_RELEASES = 5
# Characters that are read of the file, and lines that are shown of it.
MAX_LENGTH = 200_000
MAX_LINES = 500
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line: a template writes its text, and escapes it."""

    text: str
    # The element that it stands in: "code", "em" or none.
    element: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Lines under a line of their own, which may be empty."""

    title: str
    lines: list[list[Piece]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Part:
    """`Improvements` or `Fixes`."""

    title: str
    groups: list[Group] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Release:
    name: str
    parts: list[Part] = field(default_factory=list)


def releases_page(site: AdminSite, request: HttpRequest) -> TemplateResponse:
    context = {
        **site.each_context(request),
        "title": "What is new",
        "releases": newest(CHANGELOG),
    }
    return TemplateResponse(request, "admin/what_is_new.html", context)


def newest(path: Path) -> list[Release]:
    """Empty where the file is not there, or is of another shape."""
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return []


@lru_cache(maxsize=2)
def _read(path: Path, written_at: int) -> list[Release]:
    with path.open(encoding="utf-8", errors="replace") as file:
        return list(releases_in(file.read(MAX_LENGTH)))


def releases_in(text: str) -> Iterator[Release]:
    """The first ones, each with what stands below its heading."""
    below = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    left = MAX_LINES
    for section in below[:MAX_RELEASES]:
        name, _, rest = section.partition("\n")
        release = Release(name.strip())
        for line in rest.splitlines()[:left]:
            _add(release, line.strip())
        left -= rest.count("\n")
        yield release
        if left <= 0:
            return


def _add(release: Release, line: str) -> None:
    if line.startswith("### "):
        release.parts.append(Part(line[4:]))
    elif line:
        is_entry = line.startswith(("- ", "* "))
        if not release.parts:
            release.parts.append(Part(""))
        groups = release.parts[-1].groups
        if not is_entry or not groups:
            groups.append(Group("" if is_entry else _plain(line)))
        if is_entry:
            groups[-1].lines.append(list(_pieces(line[2:])))


def _pieces(line: str) -> Iterator[Piece]:
    """Code stands between backticks, what people click on between stars."""
    for is_code, text in _between("`", line):
        if is_code:
            yield Piece(text, "code")
            continue
        for is_name, part in _between("*", _plain(text)):
            yield Piece(part, "em" if is_name else "")


def _between(mark: str, text: str) -> Iterator[tuple[bool, str]]:
    """Texts in turn outside and inside of the marks; a last one alone is a letter."""
    parts = text.split(mark)
    if len(parts) % 2 == 0:
        parts[-2:] = [mark.join(parts[-2:])]
    for at, part in enumerate(parts):
        if part:
            yield bool(at % 2), part


def _plain(text: str) -> str:
    """Links as their words."""
    return _LINK.sub(r"\1", text)
