"""A `$filter` as a Q over the expressions of a package's columns.

Texts are compared as in filters: capitals make no difference. `not` and `ne` select
exactly the rows that the condition without them does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Q
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    IsNull,
    LessThan,
    LessThanOrEqual,
    Lookup,
)
from django.utils import timezone

from ..names import did_you_mean
from ..selection.folding import BeginsText, EndsText, HasText
from ..selection.kinds import any_of
from ..selection.qualifiers import complement
from .errors import NotSupported, OptionRefused
from .operands import BOOLEAN, TEXT, Nothing, Operand
from .parsing import Call, Comparison, Junction, Literal, Name, Node, Not, parse
from .tokens import FILTER, Plain

_TEXT_TESTS: dict[str, type[Lookup[Any]]] = {
    "contains": HasText,
    "startswith": BeginsText,
    "endswith": EndsText,
}
_ORDERS: dict[str, type[Lookup[Any]]] = {
    "gt": GreaterThan,
    "ge": GreaterThanOrEqual,
    "lt": LessThan,
    "le": LessThanOrEqual,
}
# What it is with its sides changed.
_TURNED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_Conditions = Comparison | Not | Junction


def compile_filter(text: str, fields: Mapping[str, Operand]) -> Q:
    """`fields` are all there are, by name. Raises OptionRefused, NotSupported."""
    return _Compiler(fields).condition(parse(text))


def nothing() -> Q:
    return Q(pk__in=[])


class _Compiler:
    def __init__(self, fields: Mapping[str, Operand]) -> None:
        self._fields = fields

    def condition(self, node: Node) -> Q:
        match node:
            case Junction(operator, parts):
                every = [self.condition(each) for each in parts]
                return any_of(every) if operator == "or" else Q(*every)
            case Not(part):
                return complement(self.condition(part))
            case Comparison():
                return self._comparison(node)
            case Literal(bool() as value, _):
                return Q() if value else nothing()
            case Call(function, arguments) if function in _TEXT_TESTS:
                return self._text_test(function, arguments)
            case Name() | Call():
                operand = self._operand(node)
                if operand.type == BOOLEAN:
                    return Q(Exact(operand.expression, True))
        raise OptionRefused(FILTER, f"{_shown(node)} is no condition: compare it.")

    def _text_test(self, function: str, arguments: tuple[Node, ...]) -> Q:
        if len(arguments) != 2:
            raise OptionRefused(FILTER, f"{function}() takes a field and a text.")
        operand, value = self._operand(arguments[0]), self._plain(arguments[1])
        if operand.type != TEXT or not isinstance(value, str):
            raise OptionRefused(FILTER, f"{function}() takes a text field and a text.")
        if operand.case is not None and value != operand.case(value):
            return nothing()
        return Q(_TEXT_TESTS[function](operand.expression, value))

    def _comparison(self, node: Comparison) -> Q:
        operator, left, right = node.operator, node.left, node.right
        if operator == "in":
            values = [self._plain(each) for each in right]
            return self._same(self._operand(left), values)
        other = right[0]
        if isinstance(left, Literal) and not isinstance(other, Literal):
            left, other = other, left
            operator = _TURNED.get(operator, operator)
        value = self._plain(other)
        if self._is_condition(left):
            return self._truth(self.condition(left), operator, value)
        operand = self._operand(left)
        if operator in _ORDERS:
            return self._ordered(operand, operator, value)
        same = self._same(operand, [value])
        return same if operator == "eq" else complement(same)

    def _same(self, operand: Operand, values: list[Plain]) -> Q:
        looked_for = []
        for value in values:
            try:
                looked_for += [] if value is None else [operand.same(value)]
            except Nothing:
                continue
        tests = [Q(IsNull(operand.expression, True))] if None in values else []
        if operand.type == BOOLEAN:
            tests += [Q(Exact(operand.expression, each)) for each in looked_for]
        elif looked_for:
            tests.append(Q(In(operand.compared, looked_for)))
        return any_of(tests) if tests else nothing()

    def _ordered(self, operand: Operand, operator: str, value: Plain) -> Q:
        if value is None:
            return nothing()
        # Below 2.5 is below 3, and at most 2.5 is at most 2.
        bound = operand.bound(value, is_lower=operator in ("ge", "lt"))
        return Q(_ORDERS[operator](operand.compared, bound))

    def _truth(self, condition: Q, operator: str, value: Plain) -> Q:
        if operator not in ("eq", "ne") or not isinstance(value, bool):
            raise OptionRefused(FILTER, "Compare a condition with true or false.")
        is_wanted = value is (operator == "eq")
        return condition if is_wanted else complement(condition)

    def _is_condition(self, node: Node) -> bool:
        is_test = isinstance(node, Call) and node.function in _TEXT_TESTS
        return is_test or isinstance(node, _Conditions)

    def _operand(self, node: Node) -> Operand:
        match node:
            case Name(name):
                if name in self._fields:
                    return self._fields[name]
                near = did_you_mean(name, self._fields)
                problem = f"There is no field '{name[:60]}'.{near}"
                raise OptionRefused(FILTER, problem)
            case Call(function, arguments):
                if len(arguments) != 1:
                    problem = f"The function '{function[:60]}' is not supported"
                    raise NotSupported(FILTER, f"{problem} with these arguments.")
                return self._operand(arguments[0]).under(function)
        raise OptionRefused(FILTER, f"{_shown(node)} is no field.")

    def _plain(self, node: Node) -> Plain:
        if isinstance(node, Literal):
            return node.value
        if node == Call("now", ()):
            return timezone.now()
        if isinstance(node, Name) and node.name not in self._fields:
            self._operand(node)
        if isinstance(node, Name | Call):
            problem = "Comparing a field with another one is not supported."
            raise NotSupported(FILTER, problem)
        raise OptionRefused(FILTER, f"{_shown(node)} is no value.")


_NAMES: dict[type, Callable[[Any], str]] = {
    Literal: lambda node: f"'{node.text[:60]}'",
    Name: lambda node: f"'{node.name[:60]}'",
    Call: lambda node: f"{node.function[:60]}()",
}


def _shown(node: Node) -> str:
    name = _NAMES.get(type(node))
    return name(node) if name else "A condition"
