"""How a worker reads thousands of rows a second."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Self

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.base import ModelState
from django.db.models.sql.compiler import SQLCompiler


class QuickLoading(models.Model):
    """Loads rows without `Model.__init__`, at a sixth of what that costs.

    For the models of which a worker loads thousands a second. `__init__` goes through
    all fields of a class for each row, to fill in defaults and to send signals; a row
    from the database needs neither. Columns that were not loaded stay deferred.
    """

    class Meta:
        abstract = True

    @classmethod
    def from_db(
        cls,
        db: str | None,
        field_names: Collection[str],
        values: Collection[Any],
        **options: Any,
    ) -> Self:
        loaded = cls.__new__(cls)
        state = ModelState()
        state.adding, state.db = False, db
        # Newer Djangos give more to keep there, such as the fetch mode.
        for name, value in options.items():
            if value is not None:
                setattr(state, name, value)
        loaded.__dict__.update(zip(field_names, values, strict=True), _state=state)
        return loaded


@models.AutoField.register_lookup
@models.BigAutoField.register_lookup
class AnyOf(models.Lookup):
    """`pk__any_of=pks` is `pk__in=pks` with one parameter instead of one for each.

    Hundreds of parameters take Django longer than the database takes for the query.
    """

    lookup_name = "any_of"

    def get_prep_lookup(self) -> list[int]:
        return list(self.rhs)

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        each = "SELECT value FROM json_each(%s)"
        return f"{column} IN ({each})", [*params, json.dumps(self.rhs)]

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*params, self.rhs]
