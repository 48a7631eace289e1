from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.forms import ModelForm
from django.http import HttpRequest

from logs import audit
from logs.models import Action

from ..models import ApiKey, Community, Project
from ..scoping import ScopedAdmin


@admin.register(Community)
class CommunityAdmin(ScopedAdmin):
    list_display = ["name", "created_at"]
    search_fields = ["name"]


@admin.register(Project)
class ProjectAdmin(ScopedAdmin):
    list_display = ["name", "community", "created_at"]
    list_select_related = ["community"]
    search_fields = ["name"]


@admin.register(ApiKey)
class ApiKeyAdmin(ScopedAdmin):
    list_display = ["name", "community", "shown_prefix", "is_enabled", "created_at"]
    list_select_related = ["community"]
    search_fields = ["name", "prefix"]
    readonly_fields = ["shown_prefix", "created_at"]
    fields = ["community", "name", "description", "is_enabled", *readonly_fields]

    @admin.display(description="Key begins with")
    def shown_prefix(self, key: ApiKey) -> str:
        return f"{key.prefix}..." if key.prefix else "(given when you save)"

    def save_model(
        self, request: HttpRequest, obj: Any, form: ModelForm, change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        token = obj.issue_token()
        super().save_model(request, obj, form, change)
        audit.record(Action.REVEALED, obj, detail="The new token was shown once.")
        messages.warning(
            request,
            f"The key is {token} - copy it now. Only its hash is kept, so it can't be"
            " shown again.",
        )
