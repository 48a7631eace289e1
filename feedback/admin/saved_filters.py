"""Saved filters: their list and their page, with a builder of conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.html import format_html

from macros.models.usage import users_of

from ..console.owners import Selected, selectable, selected_by
from ..console.scoping import ScopedAdmin
from ..models import Feedback, Filter, SubjectKind, Tester
from ..selection.saved import compiled
from ..selection.shared import SharedCatalogues
from .filter_form import SELECTS, FilterForm, described, draft_from
from .filter_matches import list_of, matches
from .save_filter import save_list, sentences_of

BUILDER = "feedback_filter_builder"
NEW_BUILDER = "feedback_filter_new_builder"
# The attribute of a row in the list.
_IS_BROKEN = "is_broken"
# What selects by a filter, and what it is called.
_USERS = (
    *("triggers__macro", "schedules__macro", "packages"),
    *("listeners__feedback_type__project", "listeners__project"),
    "listeners__community",
)


@admin.register(Filter)
class FilterAdmin(ScopedAdmin[Filter]):
    form = FilterForm
    list_display = ["name", "selects", "state", "used_by", "modified_at"]
    list_per_page = 25
    list_select_related = [
        *("feedback_type__project__community", "project__community", "community"),
    ]
    list_filter = ["subject_kind"]
    linked_parameters = ("feedback_type", "project")
    search_fields = ["name", "description"]
    change_form_template = "admin/feedback/filter/change_form.html"
    readonly_fields = ["selects", "in_words"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows.prefetch_related(*_USERS)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Which of the page have lost a part is asked for all of them together."""
        changelist = super().get_changelist_instance(request)
        rows = changelist.result_list = [*changelist.result_list]
        shared = SharedCatalogues({row.community_id for row in rows}, rows)
        lost = shared.broken(rows)
        for row in rows:
            setattr(row, _IS_BROKEN, row.pk in lost)
        return changelist

    def get_fieldsets(self, request: HttpRequest, obj: Filter | None = None) -> Any:
        about = [SELECTS, "name", "description"]
        is_written = obj is None or self.has_change_permission(request, obj)
        conditions = "conditions" if is_written else "in_words"
        return [
            (None, {"fields": about}),
            ("Conditions", {"fields": [conditions], "classes": ["filter-builder"]}),
        ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Filter | None = None
    ) -> list[str]:
        """A new filter says what it selects, and stays with it."""
        fields = super().get_readonly_fields(request, obj)
        return [name for name in fields if name != SELECTS or obj is not None]

    def get_form(
        self,
        request: HttpRequest,
        obj: Filter | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[ModelForm]:
        rows = [] if obj else self._selectable(request)
        kwargs["form"] = type(
            "FilterFormOfUser",
            (FilterForm,),
            {"selectable": rows, "actor": request.user},
        )
        return super().get_form(request, obj, change, **kwargs)

    def _selectable(self, request: HttpRequest) -> list[Selected]:
        if not hasattr(request, "selectable"):
            rows = selectable(request.user, self.permission_to("add"))
            request.selectable = rows  # type: ignore[attr-defined]
        return request.selectable  # type: ignore[attr-defined,no-any-return]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row: Filter | None = kwargs.get("obj")
        name, arguments = (BUILDER, [row.pk]) if row else (NEW_BUILDER, [])
        context["builder_url"] = reverse(f"admin:{name}", args=arguments)
        return super().render_change_form(request, context, *args, **kwargs)

    def page_of(self, request: HttpRequest, obj: Filter) -> dict[str, object]:
        result = compiled(obj)
        return {
            "saved_filter": obj,
            "list_url": list_of(obj),
            "words": result.words,
            "broken": [each.sentence for each in result.problems],
            "users": used_in(obj),
        }

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What is in the way, by name."""
        sentences, counts, lacking, problems = super().get_deleted_objects(
            objs, request
        )
        if problems:
            problems += [label for row in objs for _, label in users_of(row)]
        return sentences, counts, lacking, problems

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.builder)
        return [
            path("builder/", view, name=NEW_BUILDER),
            path("<row:pk>/builder/", view, name=BUILDER),
            path(
                "save/",
                self.admin_site.admin_view(self.save_list),
                name="feedback_filter_save",
            ),
            *super().get_urls(),
        ]

    def builder(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """What the page asks while somebody builds; nothing is saved."""
        saved = (
            None if pk is None else self.row_to(request, self.permission_to("view"), pk)
        )
        if saved is None and not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            page = "add" if saved is None else "change"
            return redirect(f"admin:feedback_filter_{page}", *([pk] if pk else []))
        actions: dict[
            str, Callable[[HttpRequest, Filter | None], dict[str, object]]
        ] = {
            "catalogue": self._catalogue,
            "matches": self._matches,
        }
        act = actions.get(request.POST.get("do", ""))
        try:
            if act is None:
                raise ValidationError("The builder can't do that.")
            return JsonResponse(act(request, saved))
        except ValidationError as error:
            return JsonResponse({"refused": " ".join(error.messages)})

    def save_list(self, request: HttpRequest) -> HttpResponse:
        """The list that somebody comes from becomes a filter."""
        is_ticket = request.POST.get("kind") != SubjectKind.TESTER
        model: type[Feedback | Tester] = Feedback if is_ticket else Tester
        of: Any = self.admin_site.get_model_admin(model)
        url = reverse(f"admin:{of.opts.app_label}_{of.opts.model_name}_changelist")
        query = QueryDict(request.POST.get("query", ""))
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return redirect(url)
        try:
            name = forms.CharField(max_length=100).clean(request.POST.get("name"))
            row = save_list(request, of, query, name)
        except ValidationError as error:
            messages.error(request, sentences_of(error))
            return redirect(f"{url}?{query.urlencode()}")
        page = reverse("admin:feedback_filter_change", args=[row.pk])
        text = 'The list is saved as the filter <a href="{}">{}</a>.'
        messages.success(request, format_html(text, page, row.name))
        return redirect(list_of(row))

    def _catalogue(
        self, request: HttpRequest, saved: Filter | None
    ) -> dict[str, object]:
        return described(selected_by(self._draft(request, saved)), request.user)

    def _matches(self, request: HttpRequest, saved: Filter | None) -> dict[str, object]:
        return matches(self._draft(request, saved), request.user)

    def _draft(self, request: HttpRequest, saved: Filter | None) -> Filter:
        """As it is written, or as it is stored where it can only be looked at."""
        if saved is not None and not self.has_change_permission(request, saved):
            return saved
        rows = self._selectable(request) if saved is None else []
        return draft_from(request.POST, saved, rows, request.user)

    @admin.display(description="used by")
    def used_by(self, row: Filter) -> str:
        return ", ".join(label for _, label in users_of(row)) or "-"

    @admin.display(description="state")
    def state(self, row: Filter) -> str:
        if not getattr(row, _IS_BROKEN):
            return "OK"
        held = ", so what selects by it does not run" if users_of(row) else ""
        text = '<span class="state-failed">Lost a part: matches nothing{}</span>'
        return format_html(text, held)

    @admin.display(description="conditions")
    def in_words(self, row: Filter) -> str:
        return compiled(row).words or f"None: all {row.selects}."


def used_in(row: Filter) -> list[tuple[str, str]]:
    """What selects by the filter, each with its page if it has one."""
    return [(label, _page(user)) for user, label in users_of(row)]


def _page(row: Any) -> str:
    try:
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
        return reverse(name, args=[row.pk])
    except NoReverseMatch:
        return ""
