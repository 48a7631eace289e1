"""Pages by keyset: the next one holds what it would have held, whatever comes in.

A cursor holds the last row's place in the order and its number, which is unique: rows
that share a moment are neither lost nor given twice. A row without a value comes after
all others, and before them downwards, as PostgreSQL's indexes have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import F, Field, Q, QuerySet
from django.db.models.expressions import OrderBy
from rest_framework import pagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from ..names import did_you_mean
from ..selection.keyset import behind
from ..texts import NUMBER
from .problems import in_parameter, invalid

PARAMETERS = ("cursor", "page_size", "ordering", "fields")
NEWEST_FIRST = "-id"


@dataclass(frozen=True, slots=True)
class Cursor:
    value: Any
    pk: int
    is_back: bool


@dataclass(frozen=True, slots=True)
class Order:
    """A column, and the number as the tie-break, both in the same direction."""

    name: str
    column: str
    is_descending: bool
    may_be_null: bool

    @classmethod
    def named(cls, given: str, columns: dict[str, str], model: Any) -> Order:
        """Raises KeyError."""
        column = columns[given.removeprefix("-")]
        may_be_null = column != "pk" and _field(model, column).null
        return cls(given, column, given.startswith("-"), may_be_null)

    def columns(self, is_back: bool) -> list[str | OrderBy]:
        is_down = self.is_descending != is_back
        first: list[str | OrderBy] = [f"-{self.column}" if is_down else self.column]
        if self.may_be_null:
            column = F(self.column)
            up, down = column.asc(nulls_last=True), column.desc(nulls_first=True)
            first = [down if is_down else up]
        return first if self.column == "pk" else [*first, "-pk" if is_down else "pk"]

    def after(self, cursor: Cursor) -> list[Q]:
        """What follows, in parts that an index is searched for one by one."""
        is_down = self.is_descending != cursor.is_back
        lookup = "lt" if is_down else "gt"
        further = Q((f"pk__{lookup}", cursor.pk))
        if self.column == "pk":
            return [further]
        is_null = Q((f"{self.column}__isnull", True))
        if cursor.value is None:
            return [is_null & further, ~is_null] if is_down else [is_null & further]
        sign = "-" if is_down else ""
        order = [f"{sign}{self.column}", f"{sign}pk"]
        beyond = behind(order, [cursor.value, cursor.pk])
        return [beyond, is_null] if self.may_be_null and not is_down else [beyond]


class CursorPagination(pagination.CursorPagination):
    """Newest first, or in the order of `ordering`, which the view allows."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    page_size_query_description = f"Rows on a page: 1 to {max_page_size}."
    cursor_query_description = "From the address in `next` or `previous`."
    # For views that state none of their own: the columns by their names.
    ORDERING: ClassVar[dict[str, str]] = {"id": "pk"}

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any]:
        self.order = _order(request, view, queryset.model)
        self.size = self.get_page_size(request)
        self.url = request.build_absolute_uri()
        self.salt = f"{request.path} {self.order.name}"
        cursor = self._cursor(request, queryset)
        is_back = bool(cursor and cursor.is_back)
        rows = queryset.order_by(*self.order.columns(is_back))
        listed: list[Any] = []
        for part in self.order.after(cursor) if cursor else [Q()]:
            listed += rows.filter(part)[: self.size + 1 - len(listed)]
        has_more = len(listed) > self.size
        self.rows = listed[: self.size]
        if is_back:
            self.rows.reverse()
        self.has_next = bool(cursor) if is_back else has_more
        self.has_previous = has_more if is_back else bool(cursor)
        return self.rows

    def get_next_link(self) -> str | None:
        return self._link(-1, False) if self.has_next and self.rows else None

    def get_previous_link(self) -> str | None:
        return self._link(0, True) if self.has_previous and self.rows else None

    def _link(self, index: int, is_back: bool) -> str:
        row = self.rows[index]
        column = self.order.column
        value = None
        if column != "pk" and getattr(row, column) is not None:
            value = _field(row, column).value_to_string(row)
        cursor = signing.dumps([value, row.pk, is_back], salt=self.salt)
        return replace_query_param(self.url, self.cursor_query_param, cursor)

    def _cursor(self, request: Request, rows: QuerySet) -> Cursor | None:
        given = request.query_params.get(self.cursor_query_param)
        if given is None:
            return None
        try:
            value, pk, is_back = signing.loads(given, salt=self.salt)
            if value is not None:
                value = _field(rows.model, self.order.column).to_python(value)
        except (signing.BadSignature, ValidationError):
            raise _bad_cursor() from None
        return Cursor(value, pk, is_back)

    def get_page_size(self, request: Request) -> int:
        given = request.query_params.get("page_size")
        if given is None:
            return self.page_size
        if not NUMBER.fullmatch(given) or not 0 < int(given) <= self.max_page_size:
            problem = f"Give a number from 1 to {self.max_page_size}."
            raise invalid([in_parameter("page_size", problem)])
        return int(given)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters = super().get_schema_operation_parameters(view)
        for each in parameters:
            if each["name"] == "page_size":
                bounds = {"minimum": 1, "maximum": self.max_page_size}
                each["schema"] |= bounds | {"default": self.page_size}
        names = [f"{sign}{name}" for name in _columns(view) for sign in ("", "-")]
        ordering = {
            "name": "ordering",
            "in": "query",
            "required": False,
            "description": "In which order; `-` is downwards. Rows that share a value"
            " are in the order of their numbers. Those without a value come last, and"
            " first downwards.",
            "schema": {"type": "string", "enum": names, "default": NEWEST_FIRST},
        }
        return [*parameters, ordering]


def _columns(view: Any) -> dict[str, str]:
    own: dict[str, str] = getattr(view, "ordering_columns", {})
    return {**CursorPagination.ORDERING, **own}


def _order(request: Request, view: Any, model: Any) -> Order:
    given = request.query_params.getlist("ordering") or [NEWEST_FIRST]
    columns = _columns(view)
    try:
        [name] = given
        return Order.named(name, columns, model)
    except ValueError:
        problem = "Give it once: rows that share a value are ordered by number."
    except KeyError:
        hint = did_you_mean(given[0].removeprefix("-"), columns)
        problem = f"Give one of {', '.join(sorted(columns))}, with - before it for"
        problem += f" downwards.{hint}"
    raise invalid([in_parameter("ordering", problem)])


def _field(model: Any, column: str) -> Field:
    field: Field = model._meta.get_field(column)
    return field


def _bad_cursor() -> Exception:
    problem = (
        "This is not a cursor of this list. Follow the address in `next` as it is, or"
        " begin without one."
    )
    return invalid([in_parameter("cursor", problem)])
