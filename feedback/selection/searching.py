"""Several texts of a row as one, in which each word of a search is looked for.

On PostgreSQL an index of trigrams finds words of three letters and more in it.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Model, Q, TextField
from django.db.models.expressions import Func
from django.db.models.lookups import Contains
from django.db.models.sql import Query

from ..models.folded import Folded
from ..names import fold

# No folded text has it, so no word is found across two texts.
_BETWEEN = "\u200b"


class Searched(Func):
    """The texts of these columns as people compare them, one behind the other."""

    output_field = TextField()
    template = "(%(expressions)s)"
    arg_joiner = f" || '{_BETWEEN}' || "

    def __init__(self, *columns: Any, **options: Any) -> None:
        is_named = isinstance(columns[0], str)
        parts = [Folded(F(each)) for each in columns] if is_named else columns
        super().__init__(*parts, **options)


def contains(columns: tuple[str, ...], word: str) -> Q:
    return Q(Contains(Searched(*columns), fold(word)))


def index_sql(
    model: type[Model], columns: tuple[str, ...], connection: BaseDatabaseWrapper
) -> str:
    """The expression that an index is made of, as a query has it."""
    query = Query(model)
    expression = Searched(*columns).resolve_expression(query)
    sql, _ = query.get_compiler(connection=connection).compile(expression)
    return str(sql)
