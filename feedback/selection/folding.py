"""Look-ups of text that compare as people do, alike on both databases.

Django's `iexact`, `icontains`, `istartswith` and `iendswith` leave it to the database:
SQLite knows capitals in ASCII only, and none takes a decomposed letter for the same. So
they are replaced, for every text column: searches of the admin and of the API cannot
differ.
"""

from __future__ import annotations

from typing import Any, cast

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, TextField
from django.db.models.lookups import (
    BuiltinLookup,
    Contains,
    EndsWith,
    Exact,
    StartsWith,
)

from ..models.folded import FUNCTION, Folded
from ..names import fold


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


class BeginsText(_FoldedLookup, StartsWith):
    lookup_name = "istartswith"
    plain = "startswith"


class EndsText(_FoldedLookup, EndsWith):
    lookup_name = "iendswith"
    plain = "endswith"


def replace_lookups() -> None:
    for field in (CharField, TextField):
        for lookup in (SameText, HasText, BeginsText, EndsText):
            field.register_lookup(lookup)


def add_function(connection: BaseDatabaseWrapper, **signal: object) -> None:
    """SQLite's own functions know no letters but those of ASCII."""
    if connection.vendor == "sqlite":
        database = cast(Any, connection.connection)
        database.create_function(FUNCTION, 1, _fold_or_none, deterministic=True)


def _fold_or_none(text: str | None) -> str | None:
    return None if text is None else fold(str(text))
