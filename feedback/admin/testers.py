from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from macros.models import Macro
from macros.runs import macros_for

from ..access.roles import RUN_MACRO, VIEW_TESTER
from ..models import Community, Project, Tester
from ..selection.conditions import rows_named
from ..selection.testers import SEARCHED, TesterFilterSet
from . import filters
from .change_many import change_many
from .columns import Column, external_column, external_table
from .filters import TRUTH, Offered
from .last_deliveries import LAST_DELIVERY, last_delivery_column
from .lists import ConditionsAdmin
from .look import ChosenColumns, name_of
from .perform import as_action, hosts_of
from .privacy import PrivacyPages

Row = TypeVar("Row", Community, Project)


@admin.register(Tester)
class TesterAdmin(PrivacyPages, ChosenColumns, ConditionsAdmin):
    fixed_columns = ("email",)
    list_display_links = ["email"]
    owner_fields = ("community",)
    list_select_related = ["community"]
    list_per_page = 50
    change_list_template = "admin/feedback/tester/change_list.html"
    change_form_template = "admin/feedback/tester/change_form.html"
    search_fields = SEARCHED
    exact_column = "email"
    list_title = "Testers"
    actions = [change_many]
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

    def notes_on_deletion(self, rows: Sequence[Tester]) -> list[str]:
        return [
            "What was sent about them stays in the webhook log, and what they wrote in"
            " their tickets. To remove what is stored of a person, erase the tester in"
            " place of deleting."
        ]

    def all_columns(self, request: HttpRequest) -> list[Column]:
        columns = [external_column(name) for name in _columns_of(request)]
        listed = ["email", "name", "company", "country", "score"]
        more: list[Column] = ["community", "phone", "city", last_delivery_column]
        return [*listed, *columns, *more]

    def standard_columns(self, request: HttpRequest) -> list[Column]:
        left_out = ("phone", "city", LAST_DELIVERY)
        columns = self.all_columns(request)
        return [each for each in columns if name_of(each) not in left_out]

    def offers(self, request: HttpRequest) -> list[Offered]:
        title = "project they submitted in"
        return [
            filters.rows("community", _communities_for(request)),
            filters.rows("project", _projects_for(request), title),
            filters.typed("country", "Two letters: DE"),
            filters.typed("score_at_least", "A whole number", "score at least"),
            *filters.external(_columns_of(request)),
            filters.choices("erased", TRUTH),
        ]

    def filterset(
        self,
        request: HttpRequest,
        data: QueryDict,
        rows: QuerySet,
        beside: Iterable[str],
    ) -> TesterFilterSet:
        return TesterFilterSet(
            data,
            rows,
            communities=_communities_for(request),
            projects=_projects_for(request),
            beside=beside,
        )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        macros = _macros_for_list(request)
        owners = {macro.owner for macro in macros}
        actions = {}
        for macro in macros:
            label = f"{macro} ({macro.runs_on})" if len(owners) > 1 else str(macro)
            name, action = as_action(macro, label)
            actions[name] = action
        return actions | super().get_actions(request)

    def page_of(self, request: HttpRequest, obj: Tester) -> dict[str, object]:
        macros = Macro.objects.visible_to(request.user, RUN_MACRO)
        fitting = macros_for(obj, macros.filter(is_active=True))
        return {
            **super().page_of(request, obj),
            "subject": obj,
            "macros": fitting,
            "list_url": reverse("admin:feedback_tester_changelist"),
        }

    def save_model(
        self, request: HttpRequest, obj: Tester, form: ModelForm, change: bool
    ) -> None:
        """Only what was edited: a response or a macro may have changed the rest."""
        if not change:
            return super().save_model(request, obj, form, change)
        obj.save(update_fields=form.changed_data)
        obj.refresh_from_db()
        if not self._has(request, "change", obj):
            raise PermissionDenied

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        hosts = hosts_of(_macros_for_list(request))
        context = {
            "title": self.list_title,
            "macro_hosts": hosts,
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    @admin.display(description="external data")
    def external(self, tester: Tester) -> str:
        return external_table(tester)


def _communities_for(request: HttpRequest) -> QuerySet[Community]:
    """The communities that may be spoken of."""
    return Community.objects.visible_to(request.user, VIEW_TESTER)


def _projects_for(request: HttpRequest) -> QuerySet[Project]:
    """The projects that may be spoken of."""
    return Project.objects.visible_to(request.user, VIEW_TESTER)


def _columns_of(request: HttpRequest) -> list[str]:
    """The columns of the communities whose testers are listed."""
    if not hasattr(request, "tester_columns"):
        rows = _narrowed(request, "community", _communities_for(request))
        names = [name for each in rows for name in each.tester_column_names]
        request.tester_columns = list(dict.fromkeys(names))  # type: ignore[attr-defined]
    return request.tester_columns  # type: ignore[attr-defined,no-any-return]


def _macros_in(request: HttpRequest) -> QuerySet[Macro]:
    """Those for testers, of what the list is narrowed to."""
    rows = Macro.objects.visible_to(request.user, RUN_MACRO).filter(
        feedback_type=None, is_active=True
    )
    if request.GET.get("community"):
        communities = _narrowed(request, "community", _communities_for(request))
        rows = rows.filter(community__in=communities.values("pk"))
    if request.GET.get("project"):
        projects = _narrowed(request, "project", _projects_for(request)).values("pk")
        whole = Q(project=None, community__projects__in=projects)
        rows = rows.filter(Q(project__in=projects) | whole).distinct()
    return rows.select_related("community", "project").order_by("name", "pk")


def _macros_for_list(request: HttpRequest) -> list[Macro]:
    """Those that the list offers; looked up once a request."""
    if not hasattr(request, "listed_macros"):
        request.listed_macros = list(_macros_in(request))  # type: ignore[attr-defined]
    return request.listed_macros  # type: ignore[attr-defined,no-any-return]


def _narrowed(request: HttpRequest, name: str, rows: QuerySet[Row]) -> QuerySet[Row]:
    """Those of the rows that the list's parameter names; all, where it names none."""
    given = [each for each in request.GET.getlist(name) if each.strip()]
    if not given:
        return rows
    keys = {pk for each in given for (pk,) in rows_named(rows, each).values_list("pk")}
    return rows.filter(pk__in=keys)
