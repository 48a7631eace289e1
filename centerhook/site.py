"""The admin site: Django's own, with the feedback types in its left-hand menu."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import SimpleLazyObject

from feedback.models import Feedback, FeedbackType
from logs.models import Destination, Run

RECENT_RUNS = 10
APP_ORDER = {"logs": 0, "macros": 1, "feedback": 2}


@dataclass(slots=True)
class MenuType:
    pk: int
    name: str
    open_count: int


@dataclass(slots=True)
class MenuProject:
    name: str
    community: str
    types: list[MenuType] = field(default_factory=list)


class CenterHookAdminSite(admin.AdminSite):
    site_title = "CenterHook"
    site_header = "CenterHook"
    index_title = "Overview"
    site_url = None

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        # Looked up only by the pages that show the menu.
        context["feedback_menu"] = SimpleLazyObject(lambda: _menu_for(request.user))
        return context

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        runs = Run.objects.visible_to(request.user)[:RECENT_RUNS]
        troubled = Destination.objects.visible_to(request.user).troubled()
        context = {
            "recent_runs": runs,
            "troubled": troubled,
            **(extra_context or {}),
        }
        return super().index(request, context)

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[Any]:
        """What people open daily comes first."""
        apps = super().get_app_list(request, app_label)
        return sorted(apps, key=lambda app: APP_ORDER.get(app["app_label"], 99))


def _menu_for(user: Any) -> list[MenuProject]:
    open_tickets = Feedback.objects.visible_to(user).open().order_by()
    counts = dict(open_tickets.values_list("feedback_type").annotate(Count("pk")))
    projects: dict[int, MenuProject] = {}
    types = FeedbackType.objects.visible_to(user).select_related("project__community")
    for each in types.order_by("project__community__name", "project__name", "name"):
        project = projects.setdefault(
            each.project_id, MenuProject(each.project.name, each.project.community.name)
        )
        project.types.append(MenuType(each.pk, each.name, counts.get(each.pk, 0)))
    return list(projects.values())
