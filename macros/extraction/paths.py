"""JSONPath (RFC 9535) and regular expressions over what a stranger answered.

Both are written by one party and run on the data of another, in the thread that works
for everybody. So regular expressions are RE2's, whose time grows with the text only,
and JSONPaths spend from an allowance: `$[*,*][*,*][*,*]` doubles at every step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import re2
from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError, JSONPathMatch, Parser
from jsonpath.exceptions import JSONPathRecursionError
from jsonpath.function_extensions import Match, Search
from jsonpath.segments import (
    JSONPathChildSegment,
    JSONPathRecursiveDescentSegment,
    JSONPathSegment,
)
from jsonpath.stream import TokenStream

# Members and elements that the paths of one web request may look at, all together: a
# few times what the longest answer can hold.
ALLOWANCE = 200_000
_MAX_PATTERN_MEMORY = 1 << 20


class Unfit(Exception):
    """What an answer has does not do; the message is the rest of a sentence."""


class Allowance(dict[str, int]):
    """Travels along as the filter context, which reaches the queries in filters."""

    def __init__(self) -> None:
        super().__init__(left=ALLOWANCE)

    def spend(self, node: JSONPathMatch, selectors: Sequence[object]) -> None:
        held = node.obj
        reach = 1 + len(held) if isinstance(held, (dict, list)) else 1
        self["left"] -= reach * len(selectors)
        if self["left"] < 0:
            raise Unfit("asks for too much work on an answer of this size")


def _charge(node: JSONPathMatch, selectors: Sequence[object]) -> None:
    allowance = node.filter_context()
    if isinstance(allowance, Allowance):
        allowance.spend(node, selectors)


class _Child(JSONPathChildSegment):
    def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterable[JSONPathMatch]:
        for node in nodes:
            _charge(node, self.selectors)
            for selector in self.selectors:
                yield from selector.resolve(node)


class _Descent(JSONPathRecursiveDescentSegment):
    def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterable[JSONPathMatch]:
        for node in nodes:
            for below in self._visit(node):
                _charge(below, self.selectors)
                for selector in self.selectors:
                    yield from selector.resolve(below)


class _Parser(Parser):
    def parse_query(self, stream: TokenStream) -> Iterable[JSONPathSegment]:
        for segment in super().parse_query(stream):
            is_child = isinstance(segment, JSONPathChildSegment)
            made = _Child if is_child else _Descent
            yield made(
                env=segment.env, token=segment.token, selectors=segment.selectors
            )


@lru_cache(maxsize=256)
def _pattern(text: str) -> Any:
    """A pattern of match() or search(), which may come from the answer itself."""
    try:
        return re2.compile(text, _options())
    except re2.error:
        return None  # RFC 9535 2.4.6: it matches nothing.


class _Match(Match):
    def check_cache(self, pattern: str) -> Any:
        return _pattern(pattern)


class _Search(Search):
    def check_cache(self, pattern: str) -> Any:
        return _pattern(pattern)


class _Environment(JSONPathEnvironment):
    parser_class = _Parser

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        self.function_extensions["match"] = _Match()
        self.function_extensions["search"] = _Search()


# Results are not kept between answers.
_ENVIRONMENT = _Environment(strict=True, filter_caching=False)


def compile_path(text: str) -> JSONPath:
    """Raises ValueError with a sentence."""
    if not text.startswith("$"):
        raise ValueError(f"A JSONPath begins with $, such as $.key; '{text}' does not.")
    try:
        path = _ENVIRONMENT.compile(text)
    except JSONPathError as error:
        at = getattr(error.token, "index", -1)
        where = f", at character {at + 1}" if at >= 0 else ""
        raise ValueError(f"This is no JSONPath: {error.message}{where}.") from None
    if not isinstance(path, JSONPath):
        raise ValueError("Give one JSONPath.")
    return path


def find_all(path: JSONPath, data: Any, allowance: Allowance, most: int) -> list[Any]:
    """The values at the path, and one more than `most` at the most. Raises Unfit.

    Unlike the library's own `findall` it takes an answer that is a string as the
    value that it is, and not as JSON once more.
    """
    nodes: Iterable[JSONPathMatch] = [
        JSONPathMatch(
            filter_context=allowance,
            obj=data,
            parent=None,
            path="$",
            parts=(),
            root=data,
        )
    ]
    for segment in path.segments:
        nodes = segment.resolve(nodes)
    found: list[Any] = []
    try:
        for node in nodes:
            found.append(node.obj)
            if len(found) > most:
                break
    except JSONPathRecursionError:
        raise Unfit("goes deeper than an answer may be nested") from None
    except JSONPathError as error:
        raise Unfit(f"can't be applied to this answer: {error.message}") from None
    return found


def compile_pattern(text: str) -> Any:
    """Raises ValueError with a sentence."""
    try:
        pattern = re2.compile(text, _options())
    except re2.error as error:
        said = error.args[0] if error.args else ""
        said = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        raise ValueError(
            f"This regular expression can't be used: {said}. It is read by RE2, which"
            " has no look-around and no back-references."
        ) from None
    if pattern.groups > 1:
        raise ValueError("Put one part at most into (...); write others as (?:...).")
    return pattern


def search(pattern: Any, text: str, most: int) -> list[str]:
    """What the group matched, or without one all of each match; `most` + 1 at most."""
    found: list[str] = []
    for match in pattern.finditer(text):
        value = match.group(1) if pattern.groups else match.group(0)
        if value is not None:
            found.append(value)
        if len(found) > most:
            break
    return found


def _options() -> Any:
    options = re2.Options()
    options.max_mem = _MAX_PATTERN_MEMORY
    options.log_errors = False  # They are said to the author.
    return options
