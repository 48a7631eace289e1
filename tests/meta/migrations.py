"""What a migration may not do while workers of the version before are at work.

Every table counts as a big one. Exceptions are named, each with its reason, in
`tests/meta/test_migrations.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import ConnectionHandler
from django.db.migrations import Migration, operations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Field, GeneratedField, ManyToManyField, Value
from django.db.models.functions import Now

from feedback.migrating import AddIndexAtWork, InBatches

NEEDS_DEFAULT = (
    "takes no empty value and has no default in the database: processes of the version"
    " before write rows without it. Give it db_default or null=True."
)
REWRITES = (
    "makes PostgreSQL write every row anew while nobody may read the table. Add another"
    " column, fill it in batches, and drop the old one two releases later."
)
INDEXES = (
    "makes an index while nobody may write to the table. Use AddIndexAtWork, and for a"
    " field db_index=False beside it."
)
CHECKS = (
    "has PostgreSQL read every row while nobody may write to the table, and what the"
    " version before writes may not fit."
)
IN_USE = (
    "is taken away from processes of the version before, which still read it. Take it"
    " out of the models in one release (SeparateDatabaseAndState), and out of the"
    " database in a later one, as an exception that names the first."
)
UNBATCHED = (
    "may change any number of rows in one transaction. Use RunPython(InBatches(...)) in"
    " a migration with atomic = False."
)
UNREAD = "is not looked at by this linter. Use operations that it knows."
NOT_ATOMIC = "can't be made inside a transaction: set atomic = False."
CUT_OFF = (
    "can't be made again where it was cut off: without a transaction only"
    " AddIndexAtWork and InBatches can. Put it into a migration of its own."
)

# They touch no row and no column that the version before knows.
HARMLESS = (
    operations.CreateModel,
    operations.AlterModelOptions,
    operations.AlterModelManagers,
    operations.AlterModelTableComment,
    operations.AlterOrderWithRespectTo,
    operations.RemoveConstraint,
    operations.RemoveIndex,
    operations.RenameIndex,
)
TAKES_AWAY = (
    operations.RemoveField,
    operations.RenameField,
    operations.DeleteModel,
    operations.RenameModel,
    operations.AlterModelTable,
)
# Without a connection: it only knows the names of types.
POSTGRES: Any = ConnectionHandler(
    {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "none"}}
)["default"]


@dataclass
class Linter:
    """Goes through the operations of one migration, from the state before it."""

    migration: Migration
    state: ProjectState
    # Tables that it makes itself: nobody uses them yet.
    made: set[str] = field(default_factory=set)

    def faults(self) -> Iterator[tuple[str, str]]:
        """Where it is, `logs.0004_x run.colour`, and what is wrong there."""
        label = self.migration.app_label
        self.state = self.state.clone()
        for operation in self.flat(self.migration.operations):
            name = name_of(operation)
            where = f"{label}.{self.migration.name} {name}"
            if model_of(operation) not in self.made:
                yield from ((where, why) for why in self.wrong_with(operation))
            if isinstance(operation, operations.CreateModel):
                self.made.add(operation.name_lower)
            operation.state_forwards(label, self.state)

    def flat(self, every: list[Operation]) -> Iterator[Operation]:
        """What is done to the database; what is done to the models alone is not."""
        for operation in every:
            if isinstance(operation, operations.SeparateDatabaseAndState):
                state = self.state.clone()
                yield from self.flat(operation.database_operations)
                self.state = state
                operation.state_forwards(self.migration.app_label, self.state)
            else:
                yield operation

    def wrong_with(self, operation: Operation) -> Iterator[str]:
        if isinstance(operation, AddIndexAtWork):
            if self.migration.atomic:
                yield NOT_ATOMIC
        elif isinstance(operation, operations.RunPython):
            if self.migration.atomic or not isinstance(operation.code, InBatches):
                yield UNBATCHED
        else:
            yield from self.wrong_with_schema(operation)
            if not self.migration.atomic:
                yield CUT_OFF

    def wrong_with_schema(self, operation: Operation) -> Iterator[str]:
        if isinstance(operation, operations.AddField):
            yield from added(operation.field)
        elif isinstance(operation, operations.AlterField):
            yield from altered(self.before(operation), operation.field)
        elif isinstance(operation, operations.AddIndex):
            yield INDEXES
        elif isinstance(operation, operations.AddConstraint):
            yield CHECKS
        elif isinstance(operation, TAKES_AWAY):
            yield IN_USE
        elif isinstance(operation, operations.RunSQL):
            yield UNBATCHED
        elif not isinstance(operation, HARMLESS):
            yield UNREAD

    def before(self, operation: operations.AlterField) -> Field[Any, Any]:
        key = self.migration.app_label, operation.model_name_lower
        return self.state.models[key].fields[operation.name]


def added(new: Field[Any, Any]) -> Iterator[str]:
    if isinstance(new, ManyToManyField):  # A table of its own.
        return
    if isinstance(new, GeneratedField):
        yield REWRITES
        return
    if not new.null and not new.has_db_default():
        yield NEEDS_DEFAULT
    if new.has_db_default() and not is_constant(new.db_default):
        yield REWRITES
    if new.unique or new.db_index:
        yield INDEXES
    if has_check(new):
        yield CHECKS


def altered(old: Field[Any, Any], new: Field[Any, Any]) -> Iterator[str]:
    if old.db_column != new.db_column:
        yield IN_USE
    if not fits(type_of(old), type_of(new)):
        yield REWRITES
    if (old.null and not new.null) or (has_check(new) and not has_check(old)):
        yield CHECKS
    if old.has_db_default() and not new.has_db_default() and not new.null:
        yield NEEDS_DEFAULT
    if (new.unique or new.db_index) and not (old.unique or old.db_index):
        yield INDEXES


def is_constant(default: object) -> bool:
    """Worked out once: PostgreSQL keeps it beside the table, and writes no row."""
    known = isinstance(default, Value | Now)
    return known or not hasattr(default, "resolve_expression")


def has_check(each: Field[Any, Any]) -> bool:
    """As a PositiveIntegerField has one; a plain IntegerField has none."""
    return each.get_internal_type() in POSTGRES.data_type_check_constraints


def type_of(each: Field[Any, Any]) -> tuple[str, int | None]:
    """The column's type, and of a text how long it may be."""
    if each.remote_field:
        return f"key of {each.remote_field.model}".lower(), None
    kind = str(each.db_type(POSTGRES))
    is_text = kind == "text" or kind.startswith("varchar")
    return ("text", each.max_length) if is_text else (kind, None)


def fits(old: tuple[str, int | None], new: tuple[str, int | None]) -> bool:
    """Whether no row has to be looked at: the same type, or a text that is longer."""
    is_longer = new[1] is None or (old[1] is not None and old[1] <= new[1])
    return old[0] == new[0] and is_longer


def name_of(operation: Operation) -> str:
    """`run.colour`, `run` or what it does."""
    model = model_of(operation) or type(operation).__name__
    part = getattr(operation, "name", "") or getattr(operation, "old_name", "")
    return f"{model}.{part}" if part and part.lower() != model else model


def model_of(operation: Operation) -> str:
    name = getattr(operation, "model_name", "") or getattr(operation, "name", "")
    return str(name or getattr(operation, "old_name", "")).lower()
