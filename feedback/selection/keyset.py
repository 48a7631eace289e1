"""What comes behind a row, in the order of columns of which the last is unique.

Rows that share all values but the last are told apart by it: an index of these columns
is entered at that very row. Said by AND and OR instead, it would be entered at the
first of them, and after an import or a change of many rows there are thousands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Q
from django.db.models.fields.tuple_lookups import (
    Tuple,
    TupleGreaterThan,
    TupleLessThan,
)
from django.db.models.lookups import GreaterThan, LessThan
from django.db.models.sql.compiler import SQLCompiler

_Sql = tuple[str, list[Any] | tuple[Any, ...]]


class _Above(TupleGreaterThan):
    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> _Sql:
        """Django takes SQLite to compare no rows, since it knows no lists of them."""
        return GreaterThan.as_sql(self, compiler, connection)


class _Below(TupleLessThan):
    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> _Sql:
        return LessThan.as_sql(self, compiler, connection)


def behind(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Selects what comes later than these values of the columns, given as `order_by`
    takes them; none of them may be null.
    """
    names = [each.lstrip("-") for each in order]
    descending = [each.startswith("-") for each in order]
    if len(set(descending)) == 1:
        return all_behind(list(map(F, names)), values, is_descending=descending[0])
    later, same = Q(), Q()
    for name, is_less, value in zip(names, descending, values, strict=True):
        later |= same & Q((f"{name}__{'lt' if is_less else 'gt'}", value))
        same &= Q((name, value))
    # The same again of the first column alone is what an index is searched for.
    return Q((f"{names[0]}__{'lte' if descending[0] else 'gte'}", values[0])) & later


def all_behind(
    columns: Sequence[Any], values: Sequence[Any], *, is_descending: bool
) -> Q:
    """The same of expressions that all go one way."""
    if len(columns) == 1:
        return Q((LessThan if is_descending else GreaterThan)(columns[0], values[0]))
    lookup = _Below if is_descending else _Above
    return Q(lookup(Tuple(*columns), tuple(values)))
