from __future__ import annotations

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from macros.models.usage import users_of
from macros.runs.control import said_of_runs

from ..access.actors import may
from ..models import Community, Project
from .config_pages import ConfigPages
from .retention import RetentionPages

STAYS_IN_LOG = (
    "What was sent about its tickets stays in the community's webhook log. To remove"
    " what is stored of a person, erase the tester first."
)


def used_elsewhere(rows: Sequence[Model]) -> list[str]:
    """What speaks of the rows that are deleted, and matches nothing then."""
    users = [(row, label) for row in rows for _, label in users_of(row)]
    return [f"{row} is used by: {label}. It does not run then." for row, label in users]


@admin.register(Community)
class CommunityAdmin(RetentionPages):
    change_form_template = "admin/feedback/community/change_form.html"
    list_display = ["name", "created_at", "left_to_delete"]
    search_fields = ["name"]

    def notes_on_deletion(self, rows: Sequence[Community]) -> list[str]:
        sent = (
            "Nothing that is stored about its testers stays, the webhook log included."
            " Copies at other systems and in backups are out of reach."
        )
        return [*said_of_runs(Community, rows), sent]


@admin.register(Project)
class ProjectAdmin(ConfigPages):
    owner_fields = ("community",)
    list_display = ["name", "community", "is_template", "created_at", "left_to_delete"]
    list_filter = ["is_template"]
    change_form_template = "admin/feedback/project/change_form.html"
    list_select_related = ["community"]
    search_fields = ["name"]

    def notes_on_deletion(self, rows: Sequence[Project]) -> list[str]:
        return [*used_elsewhere(rows), *said_of_runs(Project, rows), STAYS_IN_LOG]

    def page_of(self, request: HttpRequest, obj: Project) -> dict[str, object]:
        user = request.user
        return {
            "may_import": may(user, "macros.add_macro", obj),
            "may_clone": may(user, "feedback.add_project", obj.community),
        }
