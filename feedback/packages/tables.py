"""A package opened: its columns and its rows, or all that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from ..models import DataPackage
from ..selection.by_filter import condition_of
from ..selection.catalogue import Catalogue
from ..selection.shared import SharedCatalogues
from . import records  # noqa: F401 - it registers itself
from .columns import MAX_COLUMNS, Column, ColumnCatalogue
from .kinds import KINDS
from .values import Value

# Rows that one look at the database brings.
CHUNK = 2_000


@dataclass(frozen=True)
class Fault:
    """`path` leads to what is wrong in the package, such as `columns`, 3."""

    path: tuple[str | int, ...]
    sentence: str


class PackageBroken(Exception):
    """The package has lost a part, so it gives nothing."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(" ".join(each.sentence for each in faults))
        self.faults = faults


@dataclass(frozen=True)
class Table:
    """Rows in the order of their keys, which never change."""

    package: DataPackage
    columns: list[Column]
    rows: QuerySet[Any]
    # What is computed from the clock is of this moment.
    now: datetime

    def narrowed(self, **conditions: Any) -> Table:
        return replace(self, rows=self.rows.filter(**conditions))

    def first(self, count: int) -> Table:
        return replace(self, rows=self.rows[:count])

    def values(self) -> Iterator[tuple[int, list[Value]]]:
        return values_of(self.columns, self.rows)


def values_of(
    columns: Sequence[Column], rows: QuerySet[Any]
) -> Iterator[tuple[int, list[Value]]]:
    """Each row's key and its values, in one look at the database."""
    sources = list(dict.fromkeys(map(_source, columns)))
    positions = [sources.index(_source(each)) for each in columns]
    pairs = list(zip(columns, positions, strict=True))
    for pk, *stored in rows.values_list("pk", *sources).iterator(chunk_size=CHUNK):
        yield pk, [column.value_in(stored[at]) for column, at in pairs]


def _source(column: Column) -> Any:
    return column.expression if column.source is None else column.source


def columns_for(
    package: DataPackage,
    now: datetime | None = None,
    catalogue: Catalogue | None = None,
) -> ColumnCatalogue:
    """All that the package could have."""
    kind, at = KINDS[package.what], now or timezone.now()
    return kind.columns(package.owner, at, catalogue)


def rows_of(package: DataPackage) -> QuerySet[Any]:
    """Raises PackageBroken where its filter has lost a part."""
    rows = KINDS[package.what].rows(package).order_by("pk")
    if package.filter is None:
        return rows
    try:
        return rows.filter(condition_of(package.filter))
    except ValidationError as error:
        fault = Fault(("filter",), " ".join(error.messages))
        raise PackageBroken([fault]) from None


def opened(package: DataPackage, now: datetime | None = None) -> Table:
    """Raises PackageBroken."""
    now = now or timezone.now()
    columns, faults = chosen(columns_for(package, now), package.columns)
    try:
        rows = rows_of(package)
    except PackageBroken as broken:
        faults += broken.faults
    if faults:
        raise PackageBroken(faults)
    return Table(package, columns, rows, now)


def broken(packages: Sequence[DataPackage]) -> set[int]:
    """Those that have lost a part; asks as often for many as for one."""
    filters = [each.filter for each in packages if each.filter is not None]
    shared = SharedCatalogues(
        {each.community_id for each in packages},
        filters,
        {column["name"] for each in packages for column in each.columns},
    )
    lost = shared.broken(filters)
    return {
        each.pk
        for each in packages
        if each.filter_id in lost or _has_lost_columns(each, shared)
    }


def _has_lost_columns(package: DataPackage, shared: SharedCatalogues) -> bool:
    catalogue = shared.of(package.owner, package.subject_kind)
    columns = columns_for(package, catalogue=catalogue)
    return bool(chosen(columns, package.columns)[1])


def chosen(
    catalogue: ColumnCatalogue, kept: object
) -> tuple[list[Column], list[Fault]]:
    """The columns that are kept so, and what is wrong with the others."""
    columns: list[Column] = []
    faults: list[Fault] = []
    if not isinstance(kept, list) or not 0 < len(kept) <= MAX_COLUMNS:
        sentence = f"Choose between 1 and {MAX_COLUMNS} columns."
        return [], [Fault(("columns",), sentence)]
    for number, each in enumerate(kept):
        name, kind = _name_and_type(each)
        column = catalogue.find(name, kind)
        if column is None:
            problem = catalogue.problem(name, kind)
            sentence = f"The column '{name[:110]}' can't be read: {problem}"
            faults.append(Fault(("columns", number), sentence))
        elif column.name in {other.name for other in columns}:
            sentence = f"The column '{name}' is there twice."
            faults.append(Fault(("columns", number), sentence))
        else:
            columns.append(column)
    return columns, faults


def _name_and_type(kept: object) -> tuple[str, str]:
    if isinstance(kept, Mapping):
        return str(kept.get("name", "")), str(kept.get("type") or "")
    return str(kept), ""


def check(package: DataPackage) -> None:
    """Bring its columns into the form that is kept; raises ValidationError."""
    columns, faults = chosen(columns_for(package), package.columns)
    if faults:
        raise ValidationError({"columns": [each.sentence for each in faults]})
    package.columns = [column.kept for column in columns]
