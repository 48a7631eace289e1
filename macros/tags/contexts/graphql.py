"""A GraphQL document with tags: a tag may stand in a text in double quotes.

https://spec.graphql.org/draft/#sec-Language.Source-Text
"""

from __future__ import annotations

import re
from json.encoder import encode_basestring

from ..source import RawTag
from ..values import to_text
from .json_text import read_string
from .layout import Region, Slot

_IGNORED = re.compile(r"[\s,\ufeff]+|#[^\n\r]*")
_BEGINNING = re.compile(
    r"(query|mutation|subscription|fragment)\b|\{[\s,]*[A-Za-z_.]", re.ASCII
)
_STARTS = re.compile(r'"""|"|#')
# What may end the text or comment that begins so.
_ENDS = {
    '"': re.compile(r'\\.|["\n\r]', re.DOTALL),
    '"""': re.compile(r'\\"""|"""'),
    "#": re.compile(r"[\n\r]"),
}
_LONG_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|.)", re.DOTALL)
_ADVICE = (
    'declare a variable, write its $name here, and put the tag among the "variables"'
)


def is_graphql(parts: list[str | RawTag]) -> bool:
    """Whether a document begins so; a tag is nothing that it could begin with."""
    text = "".join(part if isinstance(part, str) else "\0" for part in parts)
    position = 0
    while ignored := _IGNORED.match(text, position):
        position = ignored.end()
    return bool(_BEGINNING.match(text, position)) and "{" in text


class GraphqlReader:
    """Tells texts in quotes from the rest of a document."""

    def __init__(self) -> None:
        self.slots: dict[int, Slot] = {}
        self.problems: list[tuple[int, str]] = []
        self.texts: list[Region] = []
        # What began the text or comment being read, and the text as far as it is read.
        self._start = ""
        self._parts: list[str | RawTag] = []

    def read(self, parts: list[str | RawTag], values: set[int]) -> None:
        """`values` are where the tags begin that write a whole JSON value."""
        for part in parts:
            if isinstance(part, str):
                self._read_text(part)
            elif self._start == '"':
                self.slots[part.start] = Slot(part, _in_string)
                self._parts.append(part)
            elif self._start:
                message = "a tag can't stand in a comment or a block text of GraphQL"
                self.problems.append((part.start, f"{message}; {_ADVICE}"))
            elif part.start not in values:
                message = "in GraphQL a tag can stand only in double quotes"
                self.problems.append((part.start, f"{message}; {_ADVICE}"))
        self._end_text("", is_closed=False)

    def _read_text(self, text: str) -> None:
        start = position = 0
        while mark := _ENDS.get(self._start, _STARTS).search(text, position):
            position = mark.end()
            if mark[0][0] == "\\":
                continue
            if self._start:
                # Behind an empty one, another quote would begin a block text.
                is_closed = mark[0] == '"' and not text.startswith('"', position)
                self._end_text(text[start : mark.start()], is_closed)
            else:
                self._start, start = mark[0], position
        if self._start == '"':
            self._parts.append(_meant(text[start:]))

    def _end_text(self, text: str, is_closed: bool) -> None:
        tags = [part for part in self._parts if isinstance(part, RawTag)]
        if tags and is_closed:
            self.texts.append(Region([*self._parts, _meant(text)]))
        elif tags:
            message = f"the text around this tag can't be read as GraphQL; {_ADVICE}"
            self.problems.append((tags[0].start, message))
        self._start, self._parts = "", []


def _meant(written: str) -> str:
    """What a text means, with a letter for each escape that JSON does not have."""
    known = _LONG_ESCAPE.sub(lambda m: m[0] if len(m[1]) == 1 else "x", written)
    try:
        return read_string(known)
    except ValueError:
        return written


def _in_string(value: object) -> str:
    # A lone surrogate may not even be escaped.
    return encode_basestring(to_text(value).encode("utf-8", "replace").decode())[1:-1]
