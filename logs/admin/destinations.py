from __future__ import annotations

from django.contrib import admin

from feedback.scoping import ReadOnlyAdmin

from ..models import Destination


@admin.register(Destination)
class DestinationAdmin(ReadOnlyAdmin):
    list_display = [
        "origin",
        "community",
        "last_success_at",
        "last_failure_at",
        "consecutive_failures",
    ]
    list_select_related = ["community"]
    search_fields = ["origin"]
