"""Names in the database as people compare them, and unique as they see them."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q, TextField, UniqueConstraint
from django.db.models.expressions import Func
from django.db.models.sql.compiler import SQLCompiler

from ..names import SAME, UNSEEN

# SQLite calls it; `feedback.selection.folding` gives it to each connection.
FUNCTION = "centerhook_fold"
_Sql = tuple[str, tuple[Any, ...]]


def unique_name(
    *owners: str, name: str, message: str, of: str = "name", within: Q | None = None
) -> UniqueConstraint:
    """One name for each owner, whatever its capitals and however it is encoded."""
    return UniqueConstraint(
        *owners,
        Folded(of),
        name=name,
        condition=within,
        violation_error_message=message,
    )


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
            f"{FUNCTION}({{0}})",
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
