"""What every admin page of ours has in common: it shows the user's own rows only."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse


class ScopedMixin(BaseModelAdmin):
    """Lists, detail pages, pickers and autocompletes through `visible_to(user)`."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return cast(QuerySet[Any], rows.visible_to(request.user))

    def get_field_queryset(
        self, db: str | None, db_field: Any, request: HttpRequest
    ) -> QuerySet[Any] | None:
        rows: Any = super().get_field_queryset(db, db_field, request)
        manager = db_field.remote_field.model._default_manager
        if hasattr(manager, "visible_to"):
            rows = manager.all() if rows is None else rows
            rows = rows.visible_to(request.user)
        return cast(QuerySet[Any] | None, rows)


class ScopedAdmin(ScopedMixin, admin.ModelAdmin):
    pass


class ReadOnlyAdmin(ScopedAdmin):
    """History: looked at, never added to or changed by hand."""

    actions = None
    show_full_result_count = False
    list_title = ""

    def page_of(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What the template of one row's page shows."""
        return {}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": self.list_title, **(extra_context or {})}
        return super().changelist_view(request, context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        context = self.page_of(request, obj) if obj else {}
        return super().change_view(
            request, object_id, form_url, context | (extra_context or {})
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False
