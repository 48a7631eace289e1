"""What belongs to a row, read from the foreign keys that lead to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import (
    CASCADE,
    DO_NOTHING,
    RESTRICT,
    SET_NULL,
    ForeignKey,
    Model,
    Q,
    QuerySet,
)

# Counts of more are not worth the wait.
MAX_COUNTED = 100_000
# Each owner stands in the query once for each look-up; databases take some 30,000.
MAX_PARAMETERS = 5_000

Rows = QuerySet[Any]


@dataclass(frozen=True, slots=True)
class Related:
    """Rows of one model, and the look-ups from them to what they belong to."""

    model: type[Model]
    paths: frozenset[str]
    # The models that must be emptied before this one.
    before: frozenset[type[Model]] = frozenset()

    def rows(self, owners: Collection[int]) -> Rows:
        where = Q()
        for path in sorted(self.paths):
            where |= Q(**{f"{path}__in": list(owners)})
        return self.model._base_manager.filter(where).order_by()

    def in_words(self, count: int) -> str:
        """`12 tickets`; nothing where there are none."""
        opts = self.model._meta
        noun = opts.verbose_name if count == 1 else opts.verbose_name_plural
        if count > MAX_COUNTED:
            return f"more than {MAX_COUNTED:,} {noun}"
        return f"{count:,} {noun}" if count else ""


@dataclass(slots=True)
class Belongings:
    """`goes` with the row, dependents first; `stays` without its link to it.

    What `holds` the row keeps it from being deleted.
    """

    goes: list[Related] = field(default_factory=list)
    stays: list[Related] = field(default_factory=list)
    holds: list[Related] = field(default_factory=list)


@cache
def belongings(model: type[Any]) -> Belongings:
    walk = _Walk()
    walk.visit(model, "")
    order = sorted(walk.goes, key=lambda each: -walk.depths[each])
    return Belongings(
        [
            Related(each, frozenset(walk.goes[each]), frozenset(walk.children[each]))
            for each in order
        ],
        [
            Related(each, frozenset(paths))
            for each, paths in walk.stays.items()
            if each not in walk.goes
        ],
        [
            Related(key.model, frozenset([key.name]))
            for key in _foreign_keys(model)
            if key.remote_field.on_delete is RESTRICT
        ],
    )


def listed(related: list[Related], owners: Collection[int]) -> str:
    """`3 tickets, 1 comment`; nothing where there are none."""
    kinds = list(reversed(related))
    counts = counted(kinds, owners, MAX_COUNTED + 1)
    words = (each.in_words(count) for each, count in zip(kinds, counts, strict=True))
    return ", ".join(filter(None, words))


def counted(
    related: Sequence[Related], owners: Collection[int], limit: int
) -> list[int]:
    """How many there are of each, up to a limit: in one query, or few for many owners.

    There are tens of models below a project.
    """
    at_once = max(1, MAX_PARAMETERS // max(1, len(owners)))
    counts: list[int] = []
    for start in range(0, len(related), at_once):
        parts: list[str] = []
        parameters: list[Any] = []
        for each in related[start : start + at_once]:
            rows = each.rows(owners).values("pk")[:limit]
            try:
                sql, given = rows.query.sql_with_params()
            except EmptyResultSet:
                parts.append("0")
                continue
            parts.append(f"(SELECT COUNT(*) FROM ({sql}) AS counted)")  # noqa: S608
            parameters += given
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(parts)}", parameters)
            counts += cursor.fetchone()
    return counts


class _Walk:
    """From a model to all whose foreign keys lead to it."""

    def __init__(self) -> None:
        self.goes: dict[type[Model], set[str]] = defaultdict(set)
        self.stays: dict[type[Model], set[str]] = defaultdict(set)
        self.depths: dict[type[Model], int] = {}
        self.children: dict[type[Model], set[type[Model]]] = defaultdict(set)

    def visit(self, model: type[Model], lookup: str | None, depth: int = 1) -> None:
        """Without a look-up for the order only: what is there goes by another way."""
        for key in _foreign_keys(model):
            on_delete = key.remote_field.on_delete
            path = f"{key.name}__{lookup}" if lookup else key.name
            if on_delete is SET_NULL and lookup is not None:
                self.stays[key.model].add(path)
            # Rows whose key outlives what it names come before that, too.
            if on_delete not in (CASCADE, RESTRICT, DO_NOTHING):
                continue
            goes = on_delete is CASCADE and lookup is not None
            if goes:
                self.goes[key.model].add(path)
            if on_delete is not DO_NOTHING:
                self.children[model].add(key.model)
            self.depths[key.model] = max(self.depths.get(key.model, 0), depth)
            self.visit(key.model, path if goes else None, depth + 1)


def _foreign_keys(model: type[Model]) -> Iterator[ForeignKey[Any, Any]]:
    """Those of other models' rows that point at rows of this one."""
    for relation in model._meta.get_fields(include_hidden=True):
        key = getattr(relation, "field", None)
        if not isinstance(key, ForeignKey) or not relation.auto_created:
            continue
        # What is one row in two tables, and tables between two models.
        if not (key.remote_field.parent_link or key.model._meta.auto_created):
            yield key
