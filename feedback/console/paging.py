"""Lists of big tables: counted up to a limit, and paged through to their end.

A list of more than MAX_LISTED rows says `10,000+`. Its next page is found by the last
row of the page before, which takes as long on the first page as on the last.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from ..selection.keyset import behind
from .counting import Count

# Beyond these people narrow the filter, so that no page counts all there is.
MAX_LISTED = 10_000
_CURSOR = re.compile(r"(after|before)-([0-9]{1,18})")
_LAST = "last"
_ELSEWHERE = re.compile(rf"{_CURSOR.pattern}|{_LAST}")


class BoundedPaginator(Paginator):
    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return Count.of(rows, MAX_LISTED)


@dataclass(frozen=True, slots=True)
class Order:
    """The columns by which a list is in order; `-` is downwards, the last is unique."""

    columns: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        return [column.lstrip("-") for column in self.columns]

    def backwards(self) -> list[str]:
        return [
            column[1:] if column.startswith("-") else f"-{column}"
            for column in self.columns
        ]

    def beyond(self, row: dict[str, Any], is_back: bool) -> Q:
        """Selects what comes after the row; with `is_back`, what comes before it."""
        order = self.backwards() if is_back else self.columns
        return behind(order, [row[name] for name in self.names])


def order_of(rows: QuerySet[Any]) -> Order | None:
    """None where a column may be missing, or is another table's: no row says it."""
    given = rows.query.order_by
    columns = tuple(each for each in given if isinstance(each, str))
    is_plain = all(_is_plain(rows.model, each) for each in columns)
    return Order(columns) if is_plain and len(columns) == len(given) else None


def _is_plain(model: type[Model], column: str) -> bool:
    name = column.lstrip("-")
    if name == "pk":
        return True
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return bool(field.concrete and not field.is_relation and not field.null)


class PagedList(ChangeList):
    """A list that is paged through by its rows, where it is too long for numbers."""

    # The pages beside this one, as the parameter of the address has them.
    previous_page = next_page = last_page = ""
    # Whether there are more rows than are counted, and whether pages lead to them.
    is_endless = has_cursor = False
    most_listed = page = ""

    def get_results(self, request: HttpRequest) -> None:
        self.page = request.GET.get(PAGE_VAR, "")
        super().get_results(request)
        self.most_listed = f"{MAX_LISTED:,}"
        self.is_endless = bool(getattr(self.result_count, "is_more", False))
        if not self.is_endless:
            self.result_list = self._listed()
        elif order := order_of(self.queryset):
            self.has_cursor = True
            self._turn_to(self.page, order)
        if first := self.first_rows():
            others = [row for row in self.result_list if row not in first]
            self.result_list = [*first, *others]

    def first_rows(self) -> list[Any]:
        """What stands above the first page, in whatever order the list is."""
        return []

    @property
    def is_first_page(self) -> bool:
        return self.page_num == 1 and not _ELSEWHERE.fullmatch(self.page)

    def _listed(self) -> QuerySet[Any]:
        """The rows of a page of a list that was counted to its end.

        Found first and put in order then. For few among millions PostgreSQL would
        rather go through all of them in that order, in the hope of meeting some soon.
        """
        keys = self.queryset.order_by().values_list("pk", flat=True)
        matches, order = list(keys[:MAX_LISTED]), self.queryset.query.order_by
        begin = (self.page_num - 1) * self.list_per_page
        is_whole = self.show_all or not self.multi_page
        page = slice(None) if is_whole else slice(begin, begin + self.list_per_page)
        if order in (("pk",), ("-pk",)):
            matches, page = (
                sorted(matches, reverse=order == ("-pk",))[page],
                slice(None),
            )
        rows = self.root_queryset.filter(pk__any_of=matches)
        return self.apply_select_related(rows).order_by(*order)[page]

    def _turn_to(self, page: str, order: Order) -> None:
        size = self.list_per_page
        rows, cursor = self.queryset, _CURSOR.fullmatch(page)
        is_back = page == _LAST or bool(cursor and cursor[1] == "before")
        if cursor:
            rows = rows.filter(order.beyond(self._row(cursor[2], order), is_back))
        if is_back:
            rows = rows.order_by(*order.backwards())
        skipped = (self.page_num - 1) * size
        listed = list(rows[skipped : skipped + size + 1])
        has_more = len(listed) > size
        shown = listed[:size]
        if is_back:
            shown.reverse()
        self.result_list = shown
        if shown and (has_more if is_back else bool(cursor or skipped)):
            self.previous_page = f"before-{shown[0].pk}"
        if shown and (page != _LAST if is_back else has_more):
            self.next_page, self.last_page = f"after-{shown[-1].pk}", _LAST

    def _row(self, pk: str, order: Order) -> dict[str, Any]:
        """The row that a page begins beside, which may be gone."""
        if order.names == ["pk"]:
            return {"pk": int(pk)}
        row = self.root_queryset.filter(pk=pk).values(*order.names).first()
        if row is None:
            raise IncorrectLookupParameters
        return row
