"""What is stored under a key of a JSON column, by its type: else it is NULL.

A value of another type counts as missing. Both databases say the same.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Field, Q, TextField
from django.db.models.expressions import Func
from django.db.models.sql.compiler import SQLCompiler

_Sql = tuple[str, tuple[Any, ...]]
# Beyond, one of the databases compares approximations.
MAX_WHOLE = 2**63 - 1
MAX_DECIMAL = 2**53


class NumberField(Field):  # type: ignore[type-arg]
    """Whole numbers and decimals as each database compares them without rounding."""

    def get_prep_value(self, value: Any) -> Any:
        return value

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        if isinstance(value, Decimal) and connection.vendor == "sqlite":
            return float(value)
        return value


class StoredValue(Func):
    """The SQL of a subclass has `{value}`, `{text}`, `{type}` of what is stored."""

    arity = 1
    sqlite: str
    postgresql: str

    def __init__(self, column: str, key: str, item: str | None = None) -> None:
        super().__init__(column)
        self.column = column
        self.key = key
        self.item = item

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> _Sql:
        path = f"$.{json.dumps(self.key)}"
        parts = {
            "type": "JSON_TYPE({column}, {key})",
            "text": "JSON_EXTRACT({column}, {key})",
            "each": "JSON_EACH({column}, {key})",
        }
        return self._filled(compiler, self.sqlite, parts, path)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> _Sql:
        parts = {
            "type": "jsonb_typeof({column} -> {key})",
            "text": "({column} ->> {key})",
            "value": "({column} -> {key})",
        }
        return self._filled(compiler, self.postgresql, parts, self.key)

    def _filled(
        self, compiler: SQLCompiler, template: str, parts: dict[str, str], key: str
    ) -> _Sql:
        [source] = self.get_source_expressions()
        column, params = compiler.compile(source)
        sql = ""
        every: list[Any] = []
        for piece in _pieces(template.format(**parts, item="{item}")):
            if piece == "{column}":
                sql += column
                every += params
            elif piece in ("{key}", "{item}"):
                sql += "%s"
                every.append(key if piece == "{key}" else self.item)
            else:
                sql += piece
        return sql, tuple(every)


def _pieces(template: str) -> list[str]:
    """The template in parts: each placeholder one of its own."""
    for name in ("{column}", "{key}", "{item}"):
        template = template.replace(name, f"\0{name}\0")
    return template.split("\0")


def is_held(at: StoredValue, stored: object) -> Q | None:
    """Whether just this value, or a list with these in it, is stored there.

    PostgreSQL finds it in the index of the column. None on SQLite, which has none.
    """
    if connection.vendor != "postgresql":
        return None
    return Q((f"{at.column}__contains", {at.key: stored}))


class TextAt(StoredValue):
    output_field = TextField()
    sqlite = "CASE WHEN {type} = 'text' THEN {text} END"
    postgresql = "CASE WHEN {type} = 'string' THEN {text} END"


class IsTextAt(StoredValue):
    output_field = BooleanField()
    sqlite = "({type} = 'text')"
    postgresql = "({type} = 'string')"


class IsEmptyAt(StoredValue):
    """Missing, null or an empty text; never unknown."""

    output_field = BooleanField()
    sqlite = "(COALESCE({text}, '') = '')"
    postgresql = "(COALESCE({text}, '') = '')"


class NumberAt(StoredValue):
    output_field = NumberField()
    sqlite = "CASE WHEN {type} IN ('integer', 'real') THEN {text} END"
    postgresql = "CASE WHEN {type} = 'number' THEN {text}::numeric END"


class IsTrueAt(StoredValue):
    output_field = BooleanField()
    sqlite = "({type} = 'true')"
    postgresql = "({value} = 'true'::jsonb)"


class IsListAt(StoredValue):
    """A list with something in it."""

    output_field = BooleanField()
    sqlite = "({type} = 'array' AND {text} <> '[]')"
    postgresql = "({type} = 'array' AND {value} <> '[]'::jsonb)"

    def has(self, item: str) -> Q:
        return is_held(self, [item]) or Q(HasAt(self.column, self.key, item))


class HasAt(StoredValue):
    """A list that has this text among its items."""

    output_field = BooleanField()
    sqlite = (
        "({type} = 'array' AND EXISTS (SELECT 1 FROM {each}"
        " WHERE type = 'text' AND value = {item}))"
    )
    postgresql = "({type} = 'array' AND {value} @> jsonb_build_array({item}::text))"
