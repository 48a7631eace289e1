from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    QueryDict,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse

from ..access.roles import CHANGE_TICKET, DELETE_TICKET
from ..access.unlocking import lock_of
from ..changes import unit
from ..console.scoping import may_here
from ..forms import questions_of
from ..models import Feedback, FeedbackType, FieldKind, Visibility
from ..selection.tickets import SEARCHED, FeedbackFilterSet
from . import conversation, filters, transfer
from .change_many import change_many
from .columns import (
    Column,
    answer_column,
    external_column,
    external_table,
    status_column,
)
from .filters import Offered
from .last_deliveries import LAST_DELIVERY, last_delivery_column
from .lists import ConditionsAdmin
from .look import ChosenColumns, name_of
from .open_type import (
    TYPE,
    chosen_type,
    listed_questions,
    macros_for,
    macros_for_list,
    type_of,
    types_for,
)
from .perform import as_action, hosts_of
from .ticket_form import TicketForm

_FILTERED_KINDS = frozenset(
    {FieldKind.CHOICE, FieldKind.MULTIPLE_CHOICE, FieldKind.CHECKBOX}
)
# What actions of the list need.
_PERMISSIONS = {"change_many": CHANGE_TICKET, "delete_selected": DELETE_TICKET}


@admin.register(Feedback)
class FeedbackAdmin(ChosenColumns, ConditionsAdmin):
    form = TicketForm
    fixed_columns = ("reference", "title")
    list_display_links = ["reference", "title"]
    date_hierarchy = "created_at"
    search_fields = SEARCHED
    exact_column = "reference"
    list_title = "All tickets"
    list_select_related = ["status", "submitter", "feedback_type__project"]
    list_per_page = 50
    autocomplete_fields = ["submitter"]
    readonly_fields = [
        "type_name",
        "reference",
        "external",
        "created_at",
        "modified_at",
    ]
    inlines = [conversation.CommentInline]
    actions = [change_many]

    def all_columns(self, request: HttpRequest) -> list[Column]:
        columns: list[Column] = ["reference", "title", status_column, "submitter"]
        feedback_type = chosen_type(request)
        if feedback_type is None:
            columns.insert(1, "feedback_type")
        else:
            columns += [answer_column(each) for each in listed_questions(feedback_type)]
            columns += [
                external_column(name) for name in feedback_type.external_column_names
            ]
        return [
            *columns,
            last_delivery_column,
            "visibility",
            "created_at",
            "modified_at",
        ]

    def standard_columns(self, request: HttpRequest) -> list[Column]:
        """Without what few look at, and the answers that the type does not list."""
        feedback_type = chosen_type(request)
        questions = listed_questions(feedback_type) if feedback_type else []
        unlisted = {
            name_of(answer_column(each)) for each in questions if not each.in_list
        }
        left_out = {"visibility", "modified_at", *unlisted}
        if feedback_type is None:
            left_out.add(LAST_DELIVERY)
        columns = self.all_columns(request)
        return [each for each in columns if name_of(each) not in left_out]

    def part_of_list(self, query: QueryDict) -> str:
        given = query.get(TYPE, "")
        return given if given.isdecimal() else ""

    def offers(self, request: HttpRequest) -> list[Offered]:
        states = [("true", "Open"), ("false", "Closed")]
        offers = [filters.choices("open", states, "open or closed")]
        if feedback_type := chosen_type(request):
            offers.append(filters.rows("status", feedback_type.statuses.all()))
            questions = listed_questions(feedback_type)
            offers += [
                filters.question(each)
                for each in questions
                if each.kind in _FILTERED_KINDS
            ]
            offers += filters.external(feedback_type.external_column_names)
        return [
            *offers,
            filters.choices("visibility", Visibility.choices),
            filters.typed("submitter", "Name or e-mail"),
            filters.moments("created"),
            filters.moments("modified"),
        ]

    def filterset(
        self,
        request: HttpRequest,
        data: QueryDict,
        rows: QuerySet,
        beside: Iterable[str],
    ) -> FeedbackFilterSet:
        return FeedbackFilterSet(data, rows, types=types_for(request), beside=beside)

    def shown_on_page(self, request: HttpRequest) -> list[str]:
        shown = super().shown_on_page(request)
        return [*shown, TYPE] if chosen_type(request) else shown

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        macros = macros_for_list(request)
        actions = dict(as_action(macro, macro.name) for macro in macros)
        actions |= super().get_actions(request)
        if feedback_type := chosen_type(request):
            # A role elsewhere gives nothing here.
            for name, permission in _PERMISSIONS.items():
                if not may_here(request, permission, feedback_type):
                    actions.pop(name, None)
        return actions

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        feedback_type = chosen_type(request)
        hosts = hosts_of(macros_for_list(request))
        context = {
            "feedback_type": feedback_type,
            "title": str(feedback_type) if feedback_type else self.list_title,
            "macro_hosts": hosts,
            "lock": lock_of(feedback_type.project.community, request.user)
            if feedback_type and hosts
            else None,
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        types = FeedbackType.objects.visible_to(request.user, self.permission_to("add"))
        if self.has_add_permission(request) and chosen_type(request) not in types:
            context = {
                **self.admin_site.each_context(request),
                "title": "What kind of ticket?",
                "opts": self.opts,
                "types": types.select_related("project"),
            }
            template = "admin/feedback/feedback/choose_type.html"
            return TemplateResponse(request, template, context)
        return super().add_view(request, form_url, extra_context)

    def page_of(self, request: HttpRequest, obj: Feedback) -> dict[str, object]:
        tickets = reverse("admin:feedback_feedback_changelist")
        return {
            "ticket": obj,
            "subject": obj,
            "macros": macros_for(request, obj.feedback_type),
            "list_url": f"{tickets}?{TYPE}={obj.feedback_type_id}",
        }

    def get_form(
        self,
        request: HttpRequest,
        obj: Feedback | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[forms.ModelForm]:
        feedback_type = type_of(request, obj)
        questions = questions_of(feedback_type)
        members = {**questions, "feedback_type": feedback_type}
        kwargs["form"] = type("TypedTicketForm", (TicketForm,), members)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(
        self, request: HttpRequest, obj: Feedback | None = None
    ) -> list[Any]:
        feedback_type = type_of(request, obj)
        ticket = ["title", "description", ("status", "visibility"), "submitter"]
        if obj:
            ticket = [("type_name", "reference"), *ticket]
            ticket.append(("created_at", "modified_at"))
        fieldsets: list[Any] = [(None, {"fields": ticket})]
        questions = questions_of(feedback_type)
        if questions:
            fieldsets.append((feedback_type.name, {"fields": list(questions)}))
        if obj:
            fieldsets.append(("From other systems", {"fields": ["external"]}))
        return fieldsets

    def save_model(
        self, request: HttpRequest, obj: Feedback, form: Any, change: bool
    ) -> None:
        """Only what was edited: a macro or somebody else may have changed the rest."""
        if not change:
            return super().save_model(request, obj, form, change)
        with unit() as opened:
            stored = opened.lock(Feedback, [obj.pk], ["form_values"])
            if not stored:
                raise Http404("The ticket was deleted meanwhile.")
            obj.form_values = form.answered(stored[obj.pk]["form_values"])
            obj.save(update_fields=[*form.changed_data, "form_values"])
            obj.refresh_from_db()
        if not self._has(request, "change", obj):
            raise PermissionDenied

    def get_urls(self) -> list[URLPattern]:
        own = [*conversation.urls(self), *transfer.urls(self)]
        return [*own, *super().get_urls()]

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        conversation.save_files(request, form)

    def save_formset(
        self,
        request: HttpRequest,
        form: forms.ModelForm,
        formset: forms.BaseModelFormSet,
        change: bool,
    ) -> None:
        for comment in formset.save(commit=False):
            if not (comment.macro_name or comment.listener_name or comment.key_name):
                comment.author = comment.author or request.user
        super().save_formset(request, form, formset, change)

    @admin.display(description="type")
    def type_name(self, ticket: Feedback) -> str:
        return str(ticket.feedback_type)

    @admin.display(description="external data")
    def external(self, ticket: Feedback) -> str:
        return external_table(ticket)
