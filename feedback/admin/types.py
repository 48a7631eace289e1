from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html

from macros.runs.control import said_of_runs
from macros.schedules.listing import rows_for as schedule_rows
from macros.triggers.listing import rows_for as trigger_rows

from ..console.scoping import ScopedAdmin, ScopedInline
from ..models import FeedbackType, FormField, Status, key_from_label
from .communities import STAYS_IN_LOG, used_elsewhere
from .removals import AskingFormSet


class StatusInline(ScopedInline, admin.TabularInline):
    model = Status
    formset = AskingFormSet
    extra = 0


class QuestionForm(forms.ModelForm):
    def clean_key(self) -> str:
        """Made here already, so that the keys of a form's questions are compared."""
        key: str = self.cleaned_data["key"]
        return key or key_from_label(self.cleaned_data.get("label", ""))


class FormFieldInline(ScopedInline, admin.StackedInline):
    model = FormField
    formset = AskingFormSet
    form = QuestionForm
    extra = 0
    fields = [
        ("label", "key"),
        ("kind", "required", "in_list"),
        "choices",
        ("help_text", "position"),
    ]


@admin.register(FeedbackType)
class FeedbackTypeAdmin(ScopedAdmin[FeedbackType]):
    owner_fields = ("project",)
    list_display = ["name", "project", "prefix", "ticket_list", "left_to_delete"]
    list_select_related = ["project__community"]
    search_fields = ["name", "project__name"]
    inlines = [StatusInline, FormFieldInline]

    def page_of(self, request: HttpRequest, obj: FeedbackType) -> dict[str, object]:
        user, macros = request.user, obj.macros.all()
        rows = [*trigger_rows(user, macros), *schedule_rows(user, macros)]
        return {"automation": rows}

    def notes_on_deletion(self, rows: Sequence[FeedbackType]) -> list[str]:
        return [
            *used_elsewhere(rows),
            *said_of_runs(FeedbackType, rows),
            STAYS_IN_LOG,
        ]

    @admin.display(description="tickets")
    def ticket_list(self, feedback_type: FeedbackType) -> str:
        return format_html(
            '<a href="../feedback/?type={}">Open the list</a>',
            feedback_type.pk,
        )
