"""Pages of an entity set, and single entities, from the rows of a package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import F, QuerySet

from ..packages.columns import Column
from ..packages.tables import Table, values_of
from ..packages.values import Value, json_text, moment_text
from .model import EntityModel
from .operands import LIST, Operand
from .options import Options
from .paging import Position, Sorting, sign, unsign

PAGE = 1_000
MAX_PAGE = 5_000
Entity = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """`count` is of all rows that the filter selects, where it was asked for.

    `token` leads to the next page; empty on the last one.
    """

    entities: list[Entity]
    count: int | None = None
    token: str = ""


@dataclass(frozen=True)
class EntitySet:
    """The rows of an open package. `exact` writes numbers as texts (IEEE754)."""

    table: Table
    exact: bool = False

    @cached_property
    def model(self) -> EntityModel:
        pairs = [(each.name, str(each.type)) for each in self.table.columns]
        return EntityModel(self.table.package.key, pairs)

    @cached_property
    def fields(self) -> dict[str, Operand]:
        """All that can be selected, compared and ordered by, keyed by name."""
        expressions = {each.name: each.expression for each in self.table.columns}
        operands = {}
        for name, each in self.model.properties.items():
            expression = expressions.get(each.column, F("pk"))
            is_there = self._is_there(expression)
            operands[name] = Operand(name, each.type, expression, is_there=is_there)
        return operands

    def _is_there(self, expression: Any) -> bool:
        """Whether it is a column of the rows themselves that is never null."""
        path = getattr(expression, "name", "") if isinstance(expression, F) else ""
        columns = {each.name: each for each in self.table.rows.model._meta.fields}
        return path == "pk" or (path in columns and not columns[path].null)

    def count(self, options: Options) -> int:
        return self._selected(options).order_by().count()

    def entity(self, key: int, options: Options) -> Entity | None:
        rows = self.table.rows.filter(pk=key)
        return next((each for _, each in self._entities(options, rows)), None)

    def page(self, options: Options, query: Sequence[object], size: int) -> Page:
        """`query` is all that a token is for. Raises OptionRefused."""
        query = [self.table.package.pk, self.table.package.columns, *query]
        sorting = Sorting(
            [(self.fields[each.name], each.is_descending) for each in options.order]
        )
        rows, left = self._selected(options), options.top
        count = rows.order_by().count() if options.is_counted else None
        if options.token:
            position = unsign(options.token, query)
            rows, left = rows.filter(sorting.behind(position)), position.left
        size = size if left is None else min(size, left)
        # One more says whether there is another page.
        rows = rows.order_by(*sorting.order_by())
        rows = rows[options.skip : options.skip + size + 1]
        each_with_position = list(self._entities(options, rows, sorting))
        entities = [entity for _, entity in each_with_position[:size]]
        rest = None if left is None else left - size
        if len(each_with_position) <= size or rest == 0:
            return Page(entities, count)
        last = replace(each_with_position[size - 1][0], left=rest)
        return Page(entities, count, sign(last, query, self.table.now))

    def _selected(self, options: Options) -> QuerySet[Any]:
        rows = self.table.rows
        return rows if options.where is None else rows.filter(options.where)

    def _entities(
        self,
        options: Options,
        rows: QuerySet[Any],
        sorting: Sorting | None = None,
    ) -> Iterator[tuple[Position, Entity]]:
        """Each with its position in the order."""
        names = options.select or self.model.properties
        properties = [self.model.properties[name] for name in names]
        columns = {each.name: each for each in self.table.columns}
        chosen = [columns[each.column] for each in properties if each.column in columns]
        orders = [_as_it_is(operand) for operand, _ in sorting.parts] if sorting else []
        for pk, values in values_of([*chosen, *orders], rows):
            pairs = zip(chosen, values, strict=False)
            by_column = {column.name: value for column, value in pairs}
            entity = {
                each.name: self._written(by_column.get(each.column, pk), each.type)
                for each in properties
            }
            yield Position.at(values[len(chosen) :], pk), entity

    def _written(self, value: Value, kind: str) -> Any:
        if kind == LIST:
            items = value if isinstance(value, list) else []
            return [
                each if isinstance(each, str) else json_text(each) for each in items
            ]
        if isinstance(value, datetime):
            return moment_text(value)
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        return json_text(value) if is_number and self.exact else value


def _as_it_is(operand: Operand) -> Column:
    """What rows are in order by, as the database has it."""
    return Column(
        name=operand.label,
        label=operand.label,
        group="",
        type=operand.type,  # type: ignore[arg-type]
        expression=operand.expression,
        read=lambda stored: stored,
    )
