"""What goes by age: one table, gone through in the order of its keys.

A tier says which rows come next, and takes away those that may go. When it does so, and
how many at once, is for `steps` alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple

from django.db.models import (
    CompositePrimaryKey,
    Func,
    IntegerField,
    Model,
    QuerySet,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils.text import capfirst

from .policies import Kept, Limits

# Rows that a step looks at, and of which it takes away those that may go.
STEP = 2_000
# Before all that was ever written.
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Row(NamedTuple):
    """What a step needs to know of a row.

    Its age is counted from `since`; None where it may not go at all. No row with a
    larger key is `born` before it.
    """

    key: int
    community: int | None
    since: datetime | None
    born: datetime
    run: int = 0


class Tier(ABC):
    """Rows of one table, and when they may go."""

    name: ClassVar[str]
    kept: ClassVar[Kept]
    model: ClassVar[type[Model]]
    # The look-up that leads to the community.
    community: ClassVar[str]
    # The column that their age is counted from, where they have one that is in order.
    moment: ClassVar[str]
    most: ClassVar[int] = STEP
    # The name of the tier whose rows hang on these: a pass waits for one of that.
    follows: ClassVar[str] = ""

    @property
    def noun(self) -> str:
        """What people call its rows."""
        return str(capfirst(self.model._meta.verbose_name_plural))

    def read(self, rows: QuerySet[Any]) -> list[Row]:
        """What a step needs to know of these, which are few and in order."""
        values = rows.values_list("pk", self.community, self.moment)
        return [Row(key, community, at, at) for key, community, at in values]

    def next(self, after: int, community: int | None = None) -> list[Row]:
        """Those that come after a key, of all or of one community."""
        rows: QuerySet[Any] = self.model._base_manager.filter(pk__gt=after)
        if community is not None:
            rows = rows.filter(**{self.community: community})
        return self.read(rows.order_by("pk")[: self.most])

    def begin(self, limits: Limits) -> None:  # noqa: B027
        """What can be done at once, before a pass."""

    @abstractmethod
    def remove(self, rows: Sequence[Row]) -> int:
        """Delete them, but for those that others hold; how many went.

        In a transaction, which waits for nobody who may wait for it.
        """

    def size(self, rows: Sequence[Row]) -> int:
        """About how many bytes they hold."""
        keys = [row.key for row in rows]
        return size_of(self.model._base_manager.filter(pk__any_of=keys))


def delete_free(rows: QuerySet[Any]) -> int:
    """Delete those that nobody holds, in one statement; how many went.

    What belongs to them must be gone. None of them is read, as Django would. They are
    selected without a join.
    """
    held = rows.order_by("pk").select_for_update(skip_locked=True)
    plain = rows.model._base_manager.filter(pk__in=held.values("pk"))
    return int(plain._raw_delete(plain.db))


def size_of(rows: QuerySet[Any]) -> int:
    total: Any = Value(0)
    for field in rows.model._meta.local_concrete_fields:
        if not isinstance(field, CompositePrimaryKey):
            total = total + Coalesce(_Bytes(field.attname), Value(0))
    return int(rows.order_by().aggregate(size=Sum(total))["size"] or 0)


class _Bytes(Func):
    """What a value takes as it is stored: PostgreSQL may have compressed it."""

    function = "PG_COLUMN_SIZE"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "LENGTH(CAST(%(expressions)s AS BLOB))"
        return self.as_sql(compiler, connection, template=template, **context)
