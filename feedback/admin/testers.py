from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from macros.models import Macro
from macros.runs import macros_for

from ..access.roles import RUN_MACRO
from ..models import Community, Tester
from ..selection.conditions import NUMBER
from .columns import external_column, external_table
from .filters import external_filter
from .perform import perform
from .privacy import PrivacyPages
from .tester_filters import (
    CommunityFilter,
    CountryFilter,
    ErasedFilter,
    ProjectFilter,
    ScoreFilter,
)


@admin.register(Tester)
class TesterAdmin(PrivacyPages):
    owner_fields = ("community",)
    list_select_related = ["community"]
    list_per_page = 50
    change_list_template = "admin/feedback/tester/change_list.html"
    change_form_template = "admin/feedback/tester/change_form.html"
    search_fields = ["email", "first_name", "last_name", "company"]
    readonly_fields = ["external"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "community",
                    "email",
                    ("first_name", "last_name"),
                    ("phone", "company"),
                ]
            },
        ),
        (
            "Postal address",
            {
                "fields": [
                    "street1",
                    "street2",
                    ("postal_code", "city"),
                    ("region", "country"),
                ]
            },
        ),
        (None, {"fields": ["score"]}),
        ("From other systems", {"fields": ["external"]}),
    ]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = [external_column(name) for name in _columns_of(request)]
        listed = ["email", "name", "company", "country", "score"]
        return [*listed, *columns, "community"]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        external = [external_filter(name) for name in _columns_of(request)]
        places = [CommunityFilter, ProjectFilter]
        return [*places, CountryFilter, ScoreFilter, *external, ErasedFilter]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        macros = list(_macros_in(request))
        owners = {macro.owner for macro in macros}
        actions = {}
        for macro in macros:
            name = f"macro_{macro.pk}"
            label = f"{macro} ({macro.runs_on})" if len(owners) > 1 else str(macro)
            actions[name] = (partial(perform, macro=macro), name, label)
        return actions | super().get_actions(request)

    def page_of(self, request: HttpRequest, obj: Tester) -> dict[str, Any]:
        macros = Macro.objects.visible_to(request.user, RUN_MACRO)
        fitting = macros_for(obj, macros.filter(is_active=True))
        return {
            **super().page_of(request, obj),
            "subject": obj,
            "macros": fitting,
            "list_url": reverse("admin:feedback_tester_changelist"),
        }

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Only what was edited: an answer or a macro may have changed the rest."""
        if not change:
            return super().save_model(request, obj, form, change)
        obj.save(update_fields=form.changed_data)
        if not self._has(request, "change", obj):
            raise PermissionDenied

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": "Testers", **(extra_context or {})}
        return super().changelist_view(request, context)

    @admin.display(description="external data")
    def external(self, tester: Tester) -> str:
        return external_table(tester)


def _columns_of(request: HttpRequest) -> list[str]:
    """Of the community whose list is open, or of all that are in it."""
    if not hasattr(request, "tester_columns"):
        rows = Community.objects.visible_to(request.user, "feedback.view_tester")
        if community := _number(request, "community"):
            rows = rows.filter(pk=community)
        names = [name for each in rows for name in each.tester_column_names]
        request.tester_columns = list(dict.fromkeys(names))  # type: ignore[attr-defined]
    return request.tester_columns  # type: ignore[attr-defined,no-any-return]


def _macros_in(request: HttpRequest) -> QuerySet[Macro]:
    """Those for testers, of what the list is narrowed to."""
    rows = Macro.objects.visible_to(request.user, RUN_MACRO).filter(
        feedback_type=None, is_active=True
    )
    if community := _number(request, "community"):
        rows = rows.filter(community=community)
    if project := _number(request, "project"):
        whole = Q(project=None, community__projects=project)
        rows = rows.filter(Q(project=project) | whole).distinct()
    return rows.select_related("community", "project").order_by("name", "pk")


def _number(request: HttpRequest, name: str) -> int:
    """What the list is narrowed to; 0 where it is not."""
    text = request.GET.get(name, "")
    return int(text) if NUMBER.fullmatch(text) else 0
