"""A JSON body: text inside string literals, JSON values elsewhere."""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring
from typing import Any, NoReturn

from ..source import Literal, Piece, Source
from ..values import RawJson, encode_string, to_json, to_text
from .layout import MASK, Layout, Slot

# Two parentheses after a backslash are the language's escape, not one of JSON.
_QUOTE_OR_ESCAPE = re.compile(r'\\(\(\(|\)\)|.)|"', re.DOTALL)
_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|NaN|-?Infinity', re.DOTALL)
# json's message, by how it begins, and what it means to an author.
_MEANINGS = {
    "Expecting property name": "a name in double quotes is missing here",
    "Illegal trailing comma": "there is one comma too many here",
    "Expecting value": "a value is missing here",
    "Expecting ',' delimiter": "a comma is missing here",
    "Expecting ':' delimiter": "a colon is missing here",
    "Unterminated string": "the text that begins here has no closing double quote",
    "Invalid control character": (
        "a text in quotes cannot hold a line break or a tab; write \\n or \\t"
    ),
    "Invalid \\escape": "this backslash must be doubled",
    "Invalid \\uXXXX escape": "\\u needs four hexadecimal digits",
    "Extra data": "there is more after the end of the JSON value",
}


def lay_out_json(source: Source, pieces: list[Piece]) -> Layout:
    """Where tags are in strings and where values; invalid JSON is a problem."""
    if not source.text.strip():
        source.refuse(0, "The JSON body is empty")
        return Layout([])
    reader = JsonReader(source.text)
    parts = [reader.read(piece) for piece in pieces]
    if not source.problems:
        _check(source, "".join(reader.shadow), reader.values)
    return Layout(parts)


class JsonReader:
    """Tells string literals from the rest, and builds a shadow of the template.

    The shadow is as long as the source, so that a fault has the same position in
    both. A tag is text in a string and {} elsewhere, which nothing can stand next to
    unseen: a digit would join the next.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.inside = False
        self.shadow: list[str] = []
        # Where the tags in value position begin.
        self.values: set[int] = set()

    def read(self, piece: Piece) -> str | Slot:
        if isinstance(piece, Literal):
            raw = self.source[piece.start : piece.end]
            self.shadow.append(_QUOTE_OR_ESCAPE.sub(self._read_mark, raw))
            return piece.text
        width = piece.end - piece.start
        if self.inside:
            self.shadow.append("x" * width)
            return Slot(piece, _in_string)
        self.shadow.append("{}".ljust(width))
        self.values.add(piece.start)
        return Slot(piece, _as_value, f'"{MASK}"')

    def _read_mark(self, mark: re.Match[str]) -> str:
        if mark[0] == '"':
            self.inside = not self.inside
        elif self.inside and mark[1] in ("((", "))"):
            return "xxx"
        return mark[0]


def _in_string(value: object) -> str:
    text = value if isinstance(value, str) else to_text(value)
    if text.isascii():
        return encode_basestring(text)[1:-1]
    return encode_string(text)[1:-1]


def _as_value(value: object) -> str:
    return value if isinstance(value, RawJson) else to_json(value)


class _Constant(Exception):
    """NaN or an infinity, which Python reads although JSON does not have them."""


def _refuse_constant(name: str) -> NoReturn:
    raise _Constant


def _check(source: Source, shadow: str, values: set[int]) -> None:
    decoder: dict[str, Any] = {"parse_constant": _refuse_constant, "parse_int": str}
    try:
        json.loads(shadow, **decoder)
    except json.JSONDecodeError as error:
        source.refuse(error.pos, _meaning(error, values))
    except RecursionError:
        source.refuse(0, "the JSON body is nested too deeply")
    except _Constant:
        tokens = _STRING_OR_CONSTANT.finditer(shadow)
        constant = next(token for token in tokens if token[0][0] != '"')
        source.refuse(
            constant.start(), f"{constant[0]} is not a JSON value; write null"
        )


def _meaning(error: json.JSONDecodeError, values: set[int]) -> str:
    if error.pos in values and error.msg.startswith("Expecting property name"):
        return "a tag that is an object's key must stand in double quotes"
    meanings = (
        text for start, text in _MEANINGS.items() if error.msg.startswith(start)
    )
    return f"this is not valid JSON: {next(meanings, error.msg)}"
