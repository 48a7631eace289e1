"""`$filter` as a tree (OData 4.0, part 2, section 5.1.1), which knows no field yet."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import NotSupported, OptionRefused
from .tokens import FILTER, Plain, Token, tokens_of

MAX_DEPTH = 30
MAX_CONDITIONS = 100
_COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
_ARITHMETIC = ("add", "sub", "mul", "div", "divby", "mod", "has")
_LAMBDAS = ("any", "all")


@dataclass(frozen=True, slots=True)
class Literal:
    value: Plain
    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A field."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`operator` is `in` as well, with several on the right."""

    operator: str
    left: Node
    right: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class Junction:
    """`operator` is `and` or `or`."""

    operator: str
    parts: tuple[Node, ...]


Node = Literal | Name | Call | Comparison | Not | Junction


def parse(text: str) -> Node:
    """Raises OptionRefused, NotSupported."""
    parser = _Parser(tokens_of(text))
    tree = parser.expression(0)
    parser.expect("end", "the end")
    return tree


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._conditions = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def expression(self, depth: int, operator: str = "or") -> Node:
        """`or` binds the loosest, then `and`, then `not`."""
        if depth > MAX_DEPTH:
            problem = f"It is nested more than {MAX_DEPTH} levels deep."
            raise OptionRefused(FILTER, problem)
        parts = [self._operand(depth, operator)]
        while self._take_word(operator):
            parts.append(self._operand(depth, operator))
        return parts[0] if len(parts) == 1 else Junction(operator, tuple(parts))

    def _operand(self, depth: int, operator: str) -> Node:
        if operator == "or":
            return self.expression(depth, "and")
        if self._take_word("not"):
            if depth >= MAX_DEPTH:
                raise OptionRefused(
                    FILTER, f"It is nested more than {MAX_DEPTH} levels deep."
                )
            return Not(self._negated(depth + 1))
        return self._comparison(depth)

    def _negated(self, depth: int) -> Node:
        return self._operand(depth, "and")

    def _comparison(self, depth: int) -> Node:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            problem = f"Give at most {MAX_CONDITIONS} conditions."
            raise OptionRefused(FILTER, problem)
        left = self._value(depth)
        word = self._next.text if self._next.kind == "name" else ""
        if word in _ARITHMETIC:
            raise NotSupported(FILTER, f"The operator '{word}' is not supported.")
        if self._take_word("in"):
            return Comparison("in", left, self._list(depth))
        if word in _COMPARISONS:
            self._at += 1
            return Comparison(word, left, (self._value(depth),))
        return left

    def _list(self, depth: int) -> tuple[Node, ...]:
        self.expect("mark", "(")
        return self._until_closed(depth)

    def _until_closed(self, depth: int) -> tuple[Node, ...]:
        """What stands between commas, and the closing parenthesis."""
        every: list[Node] = []
        while not self._take_mark(")"):
            if every:
                self.expect("mark", ",")
            self._conditions += 1
            if self._conditions > MAX_CONDITIONS:
                problem = f"Give at most {MAX_CONDITIONS} values and conditions."
                raise OptionRefused(FILTER, problem)
            every.append(self._value(depth + 1))
        return tuple(every)

    def _value(self, depth: int) -> Node:
        token = self._next
        if self._take_mark("("):
            inner = self.expression(depth + 1)
            self.expect("mark", ")")
            return inner
        if token.kind == "literal":
            self._at += 1
            return Literal(token.value, token.text)
        if token.kind != "name":
            raise self._unexpected("a field, a value or a function")
        self._at += 1
        if self._take_mark("/"):
            raise self._path(token)
        if self._take_mark("("):
            return Call(token.text, self._until_closed(depth + 1))
        return Name(token.text)

    def _path(self, first: Token) -> OptionRefused:
        word = self._next.text
        what = f"'{word}'" if word in _LAMBDAS else f"A path such as '{first.text}/...'"
        return NotSupported(FILTER, f"{what} is not supported.")

    def _take_word(self, word: str) -> bool:
        token = self._next
        taken = token.kind == "name" and token.text == word
        self._at += taken
        return taken

    def _take_mark(self, mark: str) -> bool:
        token = self._next
        taken = token.kind == "mark" and token.text == mark
        self._at += taken
        return taken

    def expect(self, kind: str, text: str) -> None:
        token = self._next
        if (token.kind, token.text) != (kind, text):
            raise self._unexpected(text)
        self._at += 1

    def _unexpected(self, wanted: str) -> OptionRefused:
        token = self._next
        where = "At its end" if token.kind == "end" else f"At letter {token.at}"
        given = "" if token.kind == "end" else f", not '{token.text[:60]}'"
        return OptionRefused(FILTER, f"{where} there must be {wanted}{given}.")
