"""Look-ups of text that compare as people do, alike on both databases.

Django's `iexact` and `icontains` leave it to the database: SQLite knows capitals in
ASCII only, and none takes a decomposed letter for the same. So both are replaced, for
every text column: searches of the admin and of the API cannot differ.
"""

from __future__ import annotations

from typing import Any, cast

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, TextField
from django.db.models.expressions import Func
from django.db.models.lookups import BuiltinLookup, Contains, Exact
from django.db.models.sql.compiler import SQLCompiler

from ..names import SAME, UNSEEN, fold

_FUNCTION = "centerhook_fold"
_Sql = tuple[str, tuple[Any, ...]]


class Folded(Func):
    """A text as `feedback.names.fold` leaves it."""

    output_field = TextField()
    arity = 1

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> _Sql:
        # Nearly every text is ASCII, and needs no call of Python then.
        return self._cased(
            compiler,
            "length(CAST({0} AS BLOB)) = length({0})",
            "lower({0})",
            f"{_FUNCTION}({{0}})",
        )

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> _Sql:
        folded = 'lower(normalize({0}, NFKC) COLLATE "und-x-icu")'
        for letter, meant in SAME.items():
            folded = f"replace({folded}, '{letter}', '{meant}')"
        folded = f"normalize(translate({folded}, '{UNSEEN}', ''), NFKC) COLLATE \"C\""
        return self._cased(
            compiler,
            "octet_length({0}) = length({0})",
            'lower({0} COLLATE "C")',
            folded,
        )

    def _cased(
        self, compiler: SQLCompiler, is_ascii: str, lowered: str, folded: str
    ) -> _Sql:
        [source] = self.get_source_expressions()
        sql, params = compiler.compile(source)
        cased = f"CASE WHEN {is_ascii} THEN {lowered} ELSE {folded} END"
        return cased.replace("{0}", sql), tuple(params) * cased.count("{0}")


class _FoldedLookup(BuiltinLookup):
    """Compares the folded column with the folded text."""

    # How a database compares the two.
    plain: str

    def __init__(self, lhs: Any, rhs: Any) -> None:
        super().__init__(lhs, rhs)
        self.lhs = Folded(lhs)
        # Registered under one name, it is written in SQL as the other.
        self.lookup_name = self.plain

    def get_prep_lookup(self) -> Any:
        if hasattr(self.rhs, "resolve_expression"):
            return Folded(self.rhs)
        return fold(str(self.rhs))


class SameText(_FoldedLookup, Exact):
    lookup_name = "iexact"
    plain = "exact"


class HasText(_FoldedLookup, Contains):
    lookup_name = "icontains"
    plain = "contains"


def replace_lookups() -> None:
    for field in (CharField, TextField):
        field.register_lookup(SameText)
        field.register_lookup(HasText)


def add_function(connection: BaseDatabaseWrapper, **signal: object) -> None:
    """SQLite's own functions know no letters but those of ASCII."""
    if connection.vendor == "sqlite":
        database = cast(Any, connection.connection)
        database.create_function(_FUNCTION, 1, _fold_or_none, deterministic=True)


def _fold_or_none(text: str | None) -> str | None:
    return None if text is None else fold(str(text))
