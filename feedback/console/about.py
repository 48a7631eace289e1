"""The admin of what is about tickets, testers or more, which is chosen first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from django.db.models import Model
from django.http import HttpRequest

from .owners import ABOUT, Selected, selectable
from .scoping import ScopedAdmin

M = TypeVar("M", bound=Model)


class AboutAdmin(ScopedAdmin[M], Generic[M]):
    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A key that is in use stays, whatever the name becomes."""
        return super().get_prepopulated_fields(request, obj) if obj is None else {}

    def also_selectable(
        self, request: HttpRequest, rows: list[Selected]
    ) -> Iterable[Selected]:
        """What may be chosen beside tickets and testers."""
        return ()

    def about(self, request: HttpRequest) -> Selected | None:
        """What the address says that a new row is about, if the actor may choose it."""
        key = request.GET.get(ABOUT, "")
        rows = self.selectable(request) if key else []
        return next((each for each in rows if each.key == key), None)

    def selectable(self, request: HttpRequest) -> list[Selected]:
        """In the order of their communities and labels; asked for once a request."""
        if not hasattr(request, "selectable"):
            permission = self.permission_to("add")
            rows = selectable(request.user, permission, whole_communities=True)
            rows = [*rows, *self.also_selectable(request, rows)]
            rows.sort(key=lambda each: (each.community.name, each.label))
            request.selectable = rows  # type: ignore[attr-defined]
        return request.selectable  # type: ignore[attr-defined,no-any-return]
