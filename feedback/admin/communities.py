from __future__ import annotations

from django.contrib import admin

from ..models import Community, Project
from ..scoping import ScopedAdmin


@admin.register(Community)
class CommunityAdmin(ScopedAdmin):
    list_display = ["name", "created_at"]
    search_fields = ["name"]


@admin.register(Project)
class ProjectAdmin(ScopedAdmin):
    owner_fields = ("community",)
    list_display = ["name", "community", "created_at"]
    list_select_related = ["community"]
    search_fields = ["name"]
