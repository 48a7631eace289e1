"""Selections that name each row once, whatever they are joined with."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import ForeignKey, Model, QuerySet
from django.db.models.sql.datastructures import Join

M = TypeVar("M", bound=Model)


def each_once(rows: QuerySet[M]) -> QuerySet[M]:
    """The same rows, to be filtered further.

    Themselves wherever that is sure: to join a million rows with their own table takes
    as long as to read them.
    """
    query = rows.query
    is_cut = query.is_sliced or query.combinator or query.group_by is not None
    joins = [each for each in query.alias_map.values() if isinstance(each, Join)]
    if not is_cut and all(isinstance(each.join_field, ForeignKey) for each in joins):
        return rows
    named = rows.order_by() if not query.is_sliced else rows
    return rows.model._default_manager.filter(pk__in=named.values("pk"))
