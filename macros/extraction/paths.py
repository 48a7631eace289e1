"""JSONPath (RFC 9535) over what a stranger sent, within a budget.

`$[*,*][*,*][*,*]` doubles its work at every step, and a filter is worked out for every
element. So each segment pays for what it looks at, before it does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError, JSONPathMatch, Parser
from jsonpath.exceptions import JSONPathRecursionError
from jsonpath.filter import BaseExpression
from jsonpath.function_extensions import Match, Search
from jsonpath.segments import (
    JSONPathChildSegment,
    JSONPathRecursiveDescentSegment,
    JSONPathSegment,
)
from jsonpath.selectors import Filter, IndexSelector, JSONPathSelector, NameSelector
from jsonpath.stream import TokenStream

from .budget import Budget, ExtractionError, current
from .patterns import matches

# A text is compared so many characters at a step.
_COMPARED = 10_000
# A descent looks at a node, and hands it up through all that it is in.
_VISIT = 2
_LEVELS = 8


class _Child(JSONPathChildSegment):
    def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterable[JSONPathMatch]:
        each = _price(self.selectors)
        for node in nodes:
            _pay(node, len(self.selectors), each)
            for selector in self.selectors:
                yield from selector.resolve(node)


class _Descent(JSONPathRecursiveDescentSegment):
    def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterable[JSONPathMatch]:
        each = _price(self.selectors)
        for node in nodes:
            for below in self._visit(node):
                height = (len(below.parts) - len(node.parts)) // _LEVELS
                _pay(below, _VISIT + len(self.selectors) + height, each)
                for selector in self.selectors:
                    yield from selector.resolve(below)


def _price(selectors: Iterable[JSONPathSelector]) -> int:
    """The steps that a segment takes for each member or element."""
    return sum(_steps(each) for each in selectors)


def _steps(selector: JSONPathSelector) -> int:
    if isinstance(selector, (NameSelector, IndexSelector)):
        return 0
    return _size(selector.expression) if isinstance(selector, Filter) else 1


def _size(expression: BaseExpression) -> int:
    """How many parts of a filter are worked out for an element, at most."""
    return 1 + sum(_size(child) for child in expression.children())


def _pay(node: JSONPathMatch, once: int, each: int) -> None:
    value = node.obj
    reach = len(value) if each and isinstance(value, (dict, list)) else 0
    current().spend(once + each * reach)


class _Parser(Parser):
    def parse_query(self, stream: TokenStream) -> Iterable[JSONPathSegment]:
        for segment in super().parse_query(stream):
            is_child = isinstance(segment, JSONPathChildSegment)
            counted = _Child if is_child else _Descent
            yield counted(
                env=segment.env, token=segment.token, selectors=segment.selectors
            )


class _Match(Match):
    def __call__(self, value: object, pattern: object) -> bool:
        return matches(value, pattern, whole=True)


class _Search(Search):
    def __call__(self, value: object, pattern: object) -> bool:
        return matches(value, pattern, whole=False)


class _Environment(JSONPathEnvironment):
    parser_class = _Parser

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        self.function_extensions["match"] = _Match()
        self.function_extensions["search"] = _Search()

    def compare(self, left: object, operator: str, right: object) -> bool:
        if operator not in ("&&", "||"):
            for value in (left, right):
                _pay_to_compare(value)
        return super().compare(left, operator, right)


def _pay_to_compare(value: object) -> None:
    """For each text, member and element in it: a filter compares whole values."""
    to_do = [value]
    while to_do:
        value = to_do.pop()
        if isinstance(value, str):
            current().spend(len(value) // _COMPARED)
        elif isinstance(value, (dict, list)):
            current().spend(1 + len(value))
            to_do += value.values() if isinstance(value, dict) else value


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


def find_all(path: JSONPath, data: Any, budget: Budget, limit: int) -> list[object]:
    """The values at the path, at most `limit` + 1. Raises ExtractionError.

    Unlike the library's own `findall` it takes a response that is a string as the
    value that it is, and does not parse it once more.
    """
    nodes: Iterable[JSONPathMatch] = [
        JSONPathMatch(
            filter_context={}, obj=data, parent=None, path="$", parts=(), root=data
        )
    ]
    for segment in path.segments:
        nodes = segment.resolve(nodes)
    values: list[object] = []
    budget.pay()
    try:
        for node in nodes:
            values.append(node.obj)
            if len(values) > limit:
                break
    except JSONPathRecursionError:
        raise ExtractionError("goes deeper than it may be nested") from None
    except JSONPathError as error:
        raise ExtractionError(f"can't be applied here: {error.message}") from None
    return values
