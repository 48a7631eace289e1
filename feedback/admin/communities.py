from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from ..access.actors import may
from ..console.scoping import ScopedAdmin
from ..models import Community, Project
from .config_pages import ConfigPages


@admin.register(Community)
class CommunityAdmin(ScopedAdmin[Community]):
    list_display = ["name", "created_at"]
    search_fields = ["name"]


@admin.register(Project)
class ProjectAdmin(ConfigPages):
    owner_fields = ("community",)
    list_display = ["name", "community", "is_template", "created_at"]
    list_filter = ["is_template"]
    change_form_template = "admin/feedback/project/change_form.html"
    list_select_related = ["community"]
    search_fields = ["name"]

    def page_of(self, request: HttpRequest, obj: Project) -> dict[str, object]:
        user = request.user
        return {
            "may_import": may(user, "macros.add_macro", obj),
            "may_clone": may(user, "feedback.add_project", obj.community),
        }
