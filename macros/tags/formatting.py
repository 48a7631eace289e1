"""Lays out a JSON body for reading, with its tags as they are written."""

from __future__ import annotations

import re

from .compiler import compile_template
from .contexts import OutputContext
from .contexts.json_body import read_json
from .errors import Problem, TemplateError
from .lexer import cut
from .limits import MAX_SOURCE
from .scope import Scope
from .source import RawTag, Source

INDENT = "  "
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_TOO_LONG = Problem(
    1, 1, f"Formatted, it would be longer than {MAX_SOURCE:,} characters", None
)


def format_json(source: str, scope: Scope) -> str:
    """The same JSON with a member or an item per line. Raises TemplateError."""
    compile_template(source, OutputContext.JSON, scope)
    printer = _Printer()
    for token in _tokens(source):
        printer.write(token)
        if printer.length > MAX_SOURCE:
            raise TemplateError([_TOO_LONG])
    return "".join(printer.parts)


def _tokens(source: str) -> list[str]:
    """The tokens of a body that compiles: punctuation, texts, other values, tags."""
    pieces = cut(Source(source), keep_backslashes=True)
    reader, _ = read_json(source, pieces)
    shadow = "".join(reader.shadow)
    ends = {piece.start: piece.end for piece in pieces if isinstance(piece, RawTag)}
    tokens: list[str] = []
    position = 0
    while token := _TOKEN.search(shadow, position):
        start = token.start()
        position = ends[start] if start in reader.values else token.end()
        tokens.append(source[start:position])
    return tokens


class _Printer:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = self.depth = 0
        self.last = ""

    def write(self, token: str) -> None:
        if token in ("}", "]"):
            self.depth -= 1
            if self.last not in ("{", "["):
                self._break()
        elif self.last in ("{", "[", ","):
            self._break()
        elif self.last == ":":
            self._add(" ")
        if token in ("{", "["):
            self.depth += 1
        self._add(token)
        self.last = token

    def _break(self) -> None:
        self._add("\n" + INDENT * self.depth)

    def _add(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)
