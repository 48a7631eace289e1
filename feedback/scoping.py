"""What every admin page of ours has in common: it shows the user's own rows only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest


class ScopedMixin(BaseModelAdmin):
    """Lists, detail pages, pickers and autocompletes through `visible_to(user)`."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).visible_to(request.user)  # type: ignore[attr-defined]

    def get_field_queryset(
        self, db: str | None, db_field: Field[Any, Any], request: HttpRequest
    ) -> QuerySet[Any] | None:
        rows = super().get_field_queryset(db, db_field, request)
        manager = db_field.remote_field.model._default_manager
        if hasattr(manager, "visible_to"):
            rows = manager.all() if rows is None else rows
            return rows.visible_to(request.user)
        return rows


class ScopedAdmin(ScopedMixin, admin.ModelAdmin):
    pass


class ReadOnlyAdmin(ScopedAdmin):
    """History: looked at, never added to or changed by hand."""

    actions = None
    show_full_result_count = False

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
