"""The usage log of API keys."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ..console.scoping import ReadOnlyAdmin
from ..models import ApiKey, KeyUse


class KeyFilter(admin.SimpleListFilter):
    """Django's own would name other communities' keys."""

    title = "API key"
    parameter_name = "api_key"

    def lookups(
        self, request: HttpRequest, model_admin: object
    ) -> list[tuple[str, str]]:
        keys = ApiKey.objects.visible_to(request.user)
        return [(str(key.pk), str(key)) for key in keys]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        known = any(self.value() == value for value, _ in self.lookup_choices)
        return queryset.filter(key=self.value()) if known else queryset.none()


@admin.register(KeyUse)
class KeyUseAdmin(ReadOnlyAdmin):
    """Calls with a key, by address, outcome and hour."""

    list_display = ["last_at", "key_name", "address", "outcome", "count", "first_at"]
    list_display_links = None
    list_select_related = ["key"]
    list_filter = [KeyFilter, "outcome", "last_at"]
    search_fields = ["address"]
    search_help_text = "Part of an address"
    list_title = "API key usage log"

    @admin.display(description="API key", ordering="key__name")
    def key_name(self, use: KeyUse) -> str | None:
        return use.key.name if use.key else None
