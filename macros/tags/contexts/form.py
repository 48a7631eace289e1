"""A form body: `name=value`, one per line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from ..source import Piece, RawTag, Source
from ..values import to_text
from .layout import Layout, Region, Slot
from .nested import look_inside, nest

_Part = str | RawTag


@dataclass(slots=True)
class _Line:
    start: int
    parts: list[_Part] = field(default_factory=list)


def lay_out_form(source: Source, pieces: list[Piece]) -> Layout:
    """The pairs with & between them; a line that is not a pair is a problem."""
    result: list[str | Slot] = []
    regions: list[Region] = []
    for line in _lines(source, pieces):
        pair = _pair(line.parts)
        if pair is None:
            source.refuse(line.start, "a form line must be name=value; '=' is missing")
            continue
        name, value = pair
        if not name:
            source.refuse(line.start, "a form line must be name=value; no name is here")
        result += ["&"] if result else []
        result += [*map(_encoded, name), "=", *map(_encoded, value)]
        regions.append(Region(value, "".join(map(str, name))))
    return Layout(nest(result, look_inside(source, regions)))


def _lines(source: Source, pieces: list[Piece]) -> Iterator[_Line]:
    """The lines that are not blank; line breaks in values come too late to count."""
    line = _Line(0)
    for piece in pieces:
        if isinstance(piece, RawTag):
            line.parts.append(piece)
            continue
        # Escapes make the text shorter than the source, never by a line.
        offset = piece.start
        raw = source.text[piece.start : piece.end].split("\n")
        first, *others = piece.text.split("\n")
        line.parts.append(first)
        for before, text in zip(raw, others, strict=False):
            yield from _unless_blank(line)
            offset += len(before) + 1
            line = _Line(offset, [text])
    yield from _unless_blank(line)


def _unless_blank(line: _Line) -> Iterator[_Line]:
    if any(isinstance(part, RawTag) or part.strip() for part in line.parts):
        yield line


def _pair(parts: list[_Part]) -> tuple[list[_Part], list[_Part]] | None:
    for index, part in enumerate(parts):
        if isinstance(part, str) and "=" in part:
            name, _, value = part.partition("=")
            return (
                _trimmed([*parts[:index], name]),
                _trimmed([value, *parts[index + 1 :]]),
            )
    return None


def _trimmed(parts: list[_Part]) -> list[_Part]:
    """Without the spaces at both ends that authors put around the equals sign."""
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0].lstrip()
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip()
    return [part for part in parts if part != ""]


def _encoded(part: _Part) -> str | Slot:
    return Slot(part, _quoted) if isinstance(part, RawTag) else _quoted(part)


def _quoted(value: object) -> str:
    return quote_plus(to_text(value), errors="replace")
