"""Pages by cursor: the next one holds what it would have held, whatever comes in."""

from __future__ import annotations

from typing import Any

from rest_framework import exceptions, pagination
from rest_framework.request import Request

from ..selection.conditions import NUMBER
from .problems import in_parameter, invalid

PARAMETERS = ("cursor", "page_size")


class CursorPagination(pagination.CursorPagination):
    """Newest first; by number, which is unique and never changes."""

    ordering = "-pk"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    page_size_query_description = f"Rows on a page: 1 to {max_page_size}."
    cursor_query_description = "From the address in `next` or `previous`."

    def get_page_size(self, request: Request) -> int:
        given = request.query_params.get("page_size")
        if given is None:
            return self.page_size
        if not NUMBER.fullmatch(given) or not 0 < int(given) <= self.max_page_size:
            problem = f"Give a number from 1 to {self.max_page_size}."
            raise invalid([in_parameter("page_size", problem)])
        return int(given)

    def decode_cursor(self, request: Request) -> Any:
        try:
            cursor: Any = super().decode_cursor(request)
        except exceptions.NotFound:
            raise _bad_cursor() from None
        position = cursor and cursor.position
        if position is not None and not NUMBER.fullmatch(position):
            raise _bad_cursor()
        return cursor

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters = super().get_schema_operation_parameters(view)
        for each in parameters:
            if each["name"] == "page_size":
                bounds = {"minimum": 1, "maximum": self.max_page_size}
                each["schema"] |= bounds | {"default": self.page_size}
        return parameters


def _bad_cursor() -> Exception:
    problem = "This is not a cursor of ours. Follow the address in `next` as it is."
    return invalid([in_parameter("cursor", problem)])
