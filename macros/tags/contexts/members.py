"""Members of JSON objects that are left out when a tag in them has no value."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from feedback.names import normalise

from ..arguments import whole
from ..source import Literal, Piece, RawTag, Source
from .json_text import JsonReader
from .layout import Member, Members, Part, Slot

OMIT = "omit"
# Each level takes some of the interpreter's stack, and nobody needs as many.
MAX_LEVELS = 20
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_PARENTHESES = re.compile(r"\\(\(\(|\)\)|.)", re.DOTALL)


@dataclass(slots=True)
class _Span:
    """A member, from the quote of its name to the end of its value."""

    name: str
    start: int
    end: int = 0
    # The tags that leave it out.
    tags: list[RawTag] = field(default_factory=list)


@dataclass(slots=True)
class _Container:
    """An object with its members so far, or an array, which has none."""

    is_object: bool
    members: list[_Span] = field(default_factory=list)
    wants_name: bool = True


def omitted_by(tag: RawTag) -> str | None:
    """The name of the member that the tag leaves out."""
    for each in tag.filters:
        if normalise(each.name) == OMIT:
            return whole((each.argument or "").strip())
    return None


def with_omissions(
    source: Source, pieces: list[Piece], parts: list[str | Slot], reader: JsonReader
) -> list[Part]:
    """The parts, one for each piece, with the members that can be left out apart."""
    if not any(omitted_by(tag) is not None for _, _, tag in reader.spans):
        return [*parts]
    finder = _Finder(source, reader)
    finder.find()
    arranger = _Arranger(source, pieces, parts, finder.omitting)
    return arranger.between(0, len(source.text))


class _Finder:
    """Walks over the tokens of the JSON, and knows which members it is in."""

    def __init__(self, source: Source, reader: JsonReader) -> None:
        self.source = source
        self.shadow = "".join(reader.shadow)
        self.values = reader.values
        self.spans = reader.spans
        self.next_span = 0
        self.stack: list[_Container] = []
        self.last_end = 0
        self.omitting: list[list[_Span]] = []

    def find(self) -> None:
        position = 0
        while token := _TOKEN.search(self.shadow, position):
            position = token.end()
            if token.start() in self.values:
                position = self.spans[self.next_span][1]
            else:
                self._read(token)
            self._note_tags(position)
            self.last_end = position
        self.omitting.sort(key=lambda members: members[0].start)

    def _read(self, token: re.Match[str]) -> None:
        mark = token[0]
        top = self.stack[-1] if self.stack else None
        if mark in ("{", "["):
            self.stack.append(_Container(mark == "{"))
        elif mark in ("}", "]"):
            self._end_member(self.stack.pop())
        elif mark == "," and top is not None:
            self._end_member(top)
            top.wants_name = True
        elif top is not None and top.is_object and top.wants_name:
            top.members.append(_Span(json.loads(mark), token.start()))
            top.wants_name = False

    def _end_member(self, container: _Container) -> None:
        if container.members:
            container.members[-1].end = self.last_end

    def _note_tags(self, end: int) -> None:
        while self.next_span < len(self.spans) and self.spans[self.next_span][0] < end:
            tag = self.spans[self.next_span][2]
            self.next_span += 1
            name = omitted_by(tag)
            if name is not None and not self._note(tag, name):
                message = f"no member with the name '{name}' is around this tag"
                self.source.refuse(tag.start, message)

    def _note(self, tag: RawTag, name: str) -> bool:
        for container in reversed(self.stack):
            if container.members and container.members[-1].name == name:
                if not any(each.tags for each in container.members):
                    self.omitting.append(container.members)
                container.members[-1].tags.append(tag)
                return True
        return False


class _Arranger:
    """Cuts the parts at the members of those objects."""

    def __init__(
        self,
        source: Source,
        pieces: list[Piece],
        parts: list[str | Slot],
        omitting: list[list[_Span]],
    ) -> None:
        self.source = source
        self.pieces = pieces
        self.parts = parts
        self.omitting = omitting
        self.next_object = self.next_piece = self.levels = 0

    def between(self, start: int, end: int) -> list[Part]:
        result: list[Part] = []
        while self.next_object < len(self.omitting):
            members = self.omitting[self.next_object]
            if members[0].start >= end:
                break
            self.next_object += 1
            result += self._flat(start, members[0].start)
            result.append(self._members(members))
            start = members[-1].end
        return [*result, *self._flat(start, end)]

    def _members(self, spans: list[_Span]) -> Members:
        self.levels += 1
        if self.levels > MAX_LEVELS:
            message = f"members are left out at more than {MAX_LEVELS} levels"
            self.source.refuse(spans[0].start, message)
            return Members(())
        members = []
        before = spans[0].start
        for span in spans:
            comma = "".join(map(str, self._flat(before, span.start)))
            inside = tuple(self.between(span.start, span.end))
            members.append(Member(comma, inside, tuple(span.tags)))
            before = span.end
        self.levels -= 1
        return Members(tuple(members))

    def _flat(self, start: int, end: int) -> list[Part]:
        result: list[Part] = []
        while start < end:
            piece = self.pieces[self.next_piece]
            if isinstance(piece, Literal):
                raw = self.source.text[start : min(end, piece.end)]
                result.append(_PARENTHESES.sub(_freed, raw))
            else:
                result.append(self.parts[self.next_piece])
            start = min(end, piece.end)
            if start == piece.end:
                self.next_piece += 1
        return result


def _freed(escape: re.Match[str]) -> str:
    return escape[1] if escape[1] in ("((", "))") else escape[0]
