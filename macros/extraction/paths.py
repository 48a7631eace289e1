"""JSONPath (RFC 9535) and regular expressions over a stranger's response.

Both are written by one party and run on the data of another, in the thread that works
for everybody. So regular expressions are RE2's, whose time grows with the text only,
and JSONPaths spend from an allowance: `$[*,*][*,*][*,*]` doubles at every step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from re import Match as TextMatch
from typing import Any, Protocol

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
# few times what the longest response can hold.
ALLOWANCE = 200_000
_MAX_PATTERN_MEMORY = 1 << 20


class ExtractionError(Exception):
    """A response has no usable value; the message ends a sentence on the value."""


class Pattern(Protocol):
    """A regular expression that RE2 has compiled."""

    groups: int

    def finditer(self, text: str) -> Iterator[TextMatch[str]]: ...


class Allowance(dict[str, int]):
    """What the paths of one web request may still look at.

    It travels as the filter context, which reaches the queries in filters.
    """

    def __init__(self) -> None:
        super().__init__(left=ALLOWANCE)

    def spend(self, node: JSONPathMatch, selectors: Sequence[object]) -> None:
        value = node.obj
        reach = 1 + len(value) if isinstance(value, (dict, list)) else 1
        self["left"] -= reach * len(selectors)
        if self["left"] < 0:
            raise ExtractionError("asks for too much work on a response of this size")


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
            counted = _Child if is_child else _Descent
            yield counted(
                env=segment.env, token=segment.token, selectors=segment.selectors
            )


@lru_cache(maxsize=256)
def _pattern(text: str) -> Pattern | None:
    """A pattern of match() or search(), which may come from the response itself."""
    try:
        return _compiled(text)
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


# Results are not kept between responses.
_ENVIRONMENT = _Environment(strict=True, filter_caching=False)


def compile_path(text: str) -> JSONPath:
    """Raises ValueError, with a sentence that names the fault."""
    if not text.startswith("$"):
        raise ValueError(f"A JSONPath begins with $, such as $.key; '{text}' does not.")
    try:
        path = _ENVIRONMENT.compile(text)
    except OverflowError:
        raise ValueError("A number in the JSONPath is too large.") from None
    except JSONPathError as error:
        at = getattr(error.token, "index", -1)
        where = f", at character {at + 1}" if at >= 0 else ""
        raise ValueError(
            f"This is not a valid JSONPath expression: {error.message}{where}."
        ) from None
    if not isinstance(path, JSONPath):
        raise ValueError("Give a single JSONPath expression.")
    return path


def find_all(
    path: JSONPath, data: Any, allowance: Allowance, limit: int
) -> list[object]:
    """The values at the path, at most `limit` + 1. Raises ExtractionError.

    Unlike the library's own `findall` it takes a response that is a string as the
    value that it is, and does not parse it once more.
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
    values: list[object] = []
    try:
        for node in nodes:
            values.append(node.obj)
            if len(values) > limit:
                break
    except JSONPathRecursionError:
        raise ExtractionError("goes deeper than a response may be nested") from None
    except JSONPathError as error:
        raise ExtractionError(
            f"can't be applied to this response: {error.message}"
        ) from None
    return values


def compile_pattern(text: str) -> Pattern:
    """Raises ValueError, with a sentence that names the fault."""
    try:
        pattern = _compiled(text)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        if isinstance(reason, bytes):
            reason = reason.decode("utf-8", "replace")
        raise ValueError(
            f"This regular expression can't be used: {reason}. It is read by RE2, which"
            " has no look-around and no back-references."
        ) from None
    if pattern.groups > 1:
        raise ValueError("Use at most one group (...); write others as (?:...).")
    return pattern


def search(pattern: Pattern, text: str, limit: int) -> list[str]:
    """The group of each match, or all of it if there is none; at most `limit` + 1."""
    values: list[str] = []
    for match in pattern.finditer(text):
        value = match.group(1) if pattern.groups else match.group(0)
        if value is not None:
            values.append(value)
        if len(values) > limit:
            break
    return values


def _compiled(text: str) -> Pattern:
    """Raises re2.error."""
    options = re2.Options()
    options.max_mem = _MAX_PATTERN_MEMORY
    options.log_errors = False  # The author is told instead.
    pattern: Pattern = re2.compile(text, options)
    return pattern
