"""JSON with tags: text inside string literals, JSON values elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.encoder import encode_basestring
from typing import NoReturn

from ..source import RawTag
from ..values import RawJson, encode_string, to_json, to_text
from .layout import MASK, Region, Slot

_QUOTE_OR_ESCAPE = re.compile(r'\\.|"', re.DOTALL)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?', re.DOTALL)
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


class JsonReader:
    """Tells string literals from the rest, and builds a shadow of the JSON.

    A tag is text in a string and {} elsewhere, which nothing can stand next to unseen:
    a digit would join the next.
    """

    def __init__(self) -> None:
        self.inside = False
        self.shadow: list[str] = []
        self.length = 0
        # Where the tags in value position begin in the shadow, and all tags there.
        self.values: set[int] = set()
        self.spans: list[tuple[int, int, RawTag]] = []

    def read_text(self, text: str) -> None:
        for mark in _QUOTE_OR_ESCAPE.finditer(text):
            if mark[0] == '"':
                self.inside = not self.inside
        self._add(text)

    def read_tag(self, tag: RawTag, width: int) -> Slot:
        self.spans.append((self.length, self.length + width, tag))
        if self.inside:
            self._add("x" * width)
            return Slot(tag, _in_string)
        self.values.add(self.length)
        self._add("{}".ljust(width))
        return Slot(tag, _as_value, f'"{MASK}"')

    def _add(self, text: str) -> None:
        self.shadow.append(text)
        self.length += len(text)

    def problem(self) -> tuple[int, str] | None:
        """Where in the shadow it is no JSON, and why."""
        shadow = "".join(self.shadow)
        try:
            json.loads(shadow, parse_constant=_refuse_constant, parse_int=str)
        except json.JSONDecodeError as error:
            return error.pos, _meaning(error, self.values)
        except RecursionError:
            return 0, "the JSON body is nested too deeply"
        except _Constant:
            tokens = _STRING_OR_CONSTANT.finditer(shadow)
            constant = next(token for token in tokens if token[0][0] != '"')
            return constant.start(), f"{constant[0]} is not a JSON value; write null"
        return None

    def texts(self) -> Iterator[Region]:
        """What the strings that hold tags mean, if there was no problem."""
        shadow = "".join(self.shadow)
        spans = iter(self.spans)
        span = next(spans, None)
        key, key_end = "", -1
        for string in _STRING.finditer(shadow):
            tags = []
            while span is not None and span[0] < string.end():
                tags += [span] if string.start() < span[0] else []
                span = next(spans, None)
            if tags:
                name = key if not shadow[key_end : string.start()].strip() else ""
                yield Region(_meant(shadow, string, tags), name)
            if string[2]:
                key, key_end = string[1], string.end()


def _meant(
    shadow: str, string: re.Match[str], tags: list[tuple[int, int, RawTag]]
) -> list[str | RawTag]:
    parts: list[str | RawTag] = []
    position = string.start(1)
    for start, end, tag in tags:
        parts += [read_string(shadow[position:start]), tag]
        position = end
    return [*parts, read_string(shadow[position : string.end(1)])]


def read_string(written: str) -> str:
    """What the inside of a JSON string means. Raises ValueError."""
    return str(json.loads(f'"{written}"', strict=False))


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


def _meaning(error: json.JSONDecodeError, values: set[int]) -> str:
    if error.pos in values and error.msg.startswith("Expecting property name"):
        return "a tag that is an object's key must stand in double quotes"
    meanings = (
        text for start, text in _MEANINGS.items() if error.msg.startswith(start)
    )
    return f"this is not valid JSON: {next(meanings, error.msg)}"
