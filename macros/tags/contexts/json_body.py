"""A JSON body."""

from __future__ import annotations

import re

from ..source import Literal, Piece, Source
from .json_text import JsonReader
from .layout import Layout, Slot
from .members import with_omissions
from .nested import look_inside, nest

# Two parentheses after a backslash are the language's escape, not one of JSON.
_ESCAPE = re.compile(r"\\(\(\(|\)\)|.)", re.DOTALL)


def lay_out_json(source: Source, pieces: list[Piece]) -> Layout:
    """Where tags are in strings and where values; invalid JSON is a problem."""
    if not source.text.strip():
        source.refuse(0, "The JSON body is empty")
        return Layout([])
    reader, parts = read_json(source.text, pieces)
    if source.problems:
        return Layout(parts)
    if problem := reader.problem():
        source.refuse(*problem)
        return Layout(parts)
    nested = nest(parts, look_inside(source, reader.texts()))
    return Layout(with_omissions(source, pieces, nested, reader))


def read_json(text: str, pieces: list[Piece]) -> tuple[JsonReader, list[str | Slot]]:
    """The shadow is as long as the text, so that a fault is at one offset in both."""
    reader = JsonReader()
    parts: list[str | Slot] = []
    for piece in pieces:
        if isinstance(piece, Literal):
            reader.read_text(_ESCAPE.sub(_covered, text[piece.start : piece.end]))
            parts.append(piece.text)
        else:
            parts.append(reader.read_tag(piece, piece.end - piece.start))
    return reader, parts


def _covered(escape: re.Match[str]) -> str:
    return "xxx" if escape[1] in ("((", "))") else escape[0]
