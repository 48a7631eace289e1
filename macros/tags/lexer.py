"""Cuts a template into literals and tags, in one pass over the text.

A tag ends on the line it began on, so one that is not closed spoils only that line.
"""

from __future__ import annotations

import re

from .arguments import after_quoted
from .limits import MAX_FILTERS, MAX_TAGS
from .source import Literal, Piece, RawFilter, RawTag, Source

_PARENTHESES = re.compile(r"\(+|\)+")
_NAME_STOP = re.compile(r"[()|\n]")
_FILTER_STOP = re.compile(r"[():|\n]")
_ARGUMENT_STOP = re.compile(r"[()|\n,=]|\Z")
_SPACE = re.compile(r"[ \t]*")
_CLOSING = re.compile(r"\)+")


class _Unclosed(Exception):
    """A tag whose end is not reached; `resume` is where to read on."""

    def __init__(self, offset: int, message: str, resume: int) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.resume = resume


def cut(source: Source, keep_backslashes: bool) -> list[Piece]:
    """The pieces in order; what is wrong goes to the source's problems.

    keep_backslashes: the output has escapes of its own, so that an even run of
    backslashes before a tag is not halved.
    """
    return _Lexer(source, keep_backslashes).run()


class _Lexer:
    def __init__(self, source: Source, keep_backslashes: bool) -> None:
        self.source = source
        self.text = source.text
        self.keep_backslashes = keep_backslashes
        self.pieces: list[Piece] = []
        self.chunks: list[str] = []
        # Where the literal being read began, and what of it is in chunks already.
        self.literal_start = self.taken = 0
        # Single parentheses open in the text: `(see (this))` closes two, rightly.
        self.depth = 0
        self.tags = 0

    def run(self) -> list[Piece]:
        position = 0
        while not self.source.is_spoilt:
            mark = _PARENTHESES.search(self.text, position)
            if mark is None:
                break
            position = self._mark(mark)
        self._end_literal(len(self.text))
        return self.pieces

    def _mark(self, run: re.Match[str]) -> int:
        start, length = run.start(), len(run[0])
        opens = run[0][0] == "("
        if length == 1:
            self.depth = max(0, self.depth + (1 if opens else -1))
            return run.end()
        backslashes = self._backslashes_before(start)
        kept = backslashes if self.keep_backslashes else backslashes // 2
        if backslashes % 2:
            kept = backslashes - 1 if self.keep_backslashes else kept
            self._take(start - backslashes, "\\" * kept + run[0][:2], start + 2)
            self.depth += 2 if opens else 0
            return start + 2
        if not opens:
            return self._close(start, length)
        self._take(start - backslashes, "\\" * kept, start)
        return self._open(start, length)

    def _backslashes_before(self, position: int) -> int:
        start = position
        while start > self.taken and self.text[start - 1] == "\\":
            start -= 1
        return position - start

    def _close(self, start: int, length: int) -> int:
        if length > self.depth:
            self.source.refuse(
                start, "these )) close no tag; write \\)) for the characters themselves"
            )
        self.depth = max(0, self.depth - length)
        return start + length

    def _open(self, start: int, length: int) -> int:
        if length > 3:
            self.source.refuse(
                start, "a tag cannot stand inside a tag; write \\(( for (( as text"
            )
            self.depth += length
            return start + length
        if length == 3:
            self.depth += 1
            start += 1
        try:
            tag = _TagReader(self.text, start).read()
        except _Unclosed as error:
            self.source.refuse(error.offset, error.message)
            return error.resume
        self.tags += 1
        if self.tags > MAX_TAGS:
            self.source.give_up(start, f"this is one tag more than {MAX_TAGS:,}")
            return tag.end
        self._end_literal(start)
        self.pieces.append(tag)
        self.literal_start = self.taken = tag.end
        return tag.end

    def _take(self, start: int, text: str, end: int) -> None:
        self.chunks += self.text[self.taken : start], text
        self.taken = end

    def _end_literal(self, end: int) -> None:
        if self.literal_start < end:
            text = "".join(self.chunks) + self.text[self.taken : end]
            self.pieces.append(Literal(self.literal_start, end, text))
        self.chunks = []


class _TagReader:
    """Reads one tag, from its opening parentheses to its closing ones."""

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.start = start
        self.position = start + 2
        self.closed = False

    def read(self) -> RawTag:
        name = self._read_part(_NAME_STOP).strip()
        filters: list[RawFilter] = []
        while not self.closed:
            if len(filters) == MAX_FILTERS:
                message = f"a tag takes at most {MAX_FILTERS} filters"
                raise _Unclosed(self.start, message, self._line_end())
            filters.append(self._read_filter())
        return RawTag(self.start, self.position, name, tuple(filters))

    def _read_filter(self) -> RawFilter:
        self._skip_space()
        start = self.position
        name = self._read_part(_FILTER_STOP).strip()
        if self.closed or self.text[self.position - 1] != ":":
            return RawFilter(name, start)
        argument_start = self.position
        return RawFilter(name, start, self._read_argument(), argument_start)

    def _read_part(self, stop: re.Pattern[str]) -> str:
        """The text up to a separator, which is read too, or to the tag's end."""
        start = self.position
        depth = 0
        while True:
            stop_match = stop.search(self.text, self.position)
            if stop_match is None or stop_match[0] == "\n":
                raise self._unclosed()
            self.position = stop_match.start()
            if stop_match[0] == "(":
                depth += self._read_open()
            elif stop_match[0] == ")":
                end, depth = self._read_close(depth)
                if self.closed:
                    return self.text[start:end]
            else:
                self.position = stop_match.end()
                return self.text[start : stop_match.start()]

    def _read_argument(self) -> str:
        start = self.position
        depth = 0
        self._skip_quoted()
        while True:
            stop_match = _ARGUMENT_STOP.search(self.text, self.position)
            if stop_match is None or stop_match[0] in ("\n", ""):
                raise self._unclosed()
            self.position = stop_match.start()
            if stop_match[0] == "|":
                self.position += 1
                return self.text[start : stop_match.start()]
            if stop_match[0] == "(":
                depth += self._read_open()
            elif stop_match[0] == ")":
                end, depth = self._read_close(depth)
                if self.closed:
                    return self.text[start:end]
            else:
                self.position += 1
                self._skip_quoted()

    def _read_open(self) -> int:
        if self.text.startswith("((", self.position):
            message = "the tag is not closed; write )) before the next (("
            raise _Unclosed(self.start, message, self.position)
        self.position += 1
        return 1

    def _read_close(self, depth: int) -> tuple[int, int]:
        """Where the text ends if the tag does, and the parentheses still open.

        The last two of a run close the tag: ((Field: Size (cm))).
        """
        run = _CLOSING.match(self.text, self.position)
        length = run.end() - run.start() if run else 0
        if length < 2:
            self.position += 1
            return self.position, max(0, depth - 1)
        end = self.position + min(length - 2, depth)
        self.position = end + 2
        self.closed = True
        return end, 0

    def _skip_space(self) -> None:
        space = _SPACE.match(self.text, self.position)
        self.position = space.end() if space else self.position

    def _skip_quoted(self) -> None:
        try:
            self.position = after_quoted(self.text, self.position)
        except ValueError as error:
            offset: int = error.args[0]
            message = f"the quote {self.text[offset]} is not closed"
            raise _Unclosed(offset, message, self._line_end()) from None

    def _unclosed(self) -> _Unclosed:
        message = "the tag is not closed; end it with ))"
        return _Unclosed(self.start, message, self._line_end())

    def _line_end(self) -> int:
        end = self.text.find("\n", self.position)
        return len(self.text) if end < 0 else end
