from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.text import Truncator

from macros.runs.control import said_of_runs
from macros.schedules.listing import rows_for as schedule_rows
from macros.triggers.listing import rows_for as trigger_rows

from ..console.ordered import POSITION, Line, OrderedInline, ordered_list
from ..console.scoping import ScopedAdmin, ScopedInline
from ..models import (
    CHOICE_KINDS,
    USUAL_STATUSES,
    FeedbackType,
    FormField,
    Status,
    key_from_label,
)
from .communities import STAYS_IN_LOG, used_elsewhere
from .removals import AskingFormSet

# As many characters of the choices as the line of a question shows.
_MAX_CHOICES = 80
_LISTS = [("Statuses", "status", Status), ("Questions", "question", FormField)]


class StatusFormSet(AskingFormSet):
    def clean(self) -> None:
        super().clean()
        gone = self.deleted_forms
        kept = [form for form in self.forms if form not in gone]
        if not any(form.instance.pk or form.has_changed() for form in kept):
            raise ValidationError(
                "A feedback type needs a status: a new ticket gets the first of them."
            )


class StatusInline(OrderedInline, ScopedInline, admin.StackedInline):
    model = Status
    formset = StatusFormSet
    fieldsets = [
        (None, {"fields": [POSITION]}),
        (None, {"fields": [("name", "colour", "is_open")]}),
    ]
    is_flat = True

    def get_extra(
        self, request: HttpRequest, obj: FeedbackType | None = None, **kwargs: Any
    ) -> int:
        """A new type begins with the usual ones."""
        extra = super().get_extra(request, obj, **kwargs)
        return extra + (0 if obj else len(USUAL_STATUSES))


class QuestionForm(forms.ModelForm):
    def clean_key(self) -> str:
        """Made here already, so that the keys of a form's questions are compared."""
        key: str = self.cleaned_data["key"]
        return key or key_from_label(self.cleaned_data.get("label", ""))


class FormFieldInline(OrderedInline, ScopedInline, admin.StackedInline):
    model = FormField
    formset = AskingFormSet
    form = QuestionForm
    fieldsets = [
        (None, {"fields": [POSITION]}),
        (
            None,
            {
                "fields": [
                    ("label", "kind"),
                    "choices",
                    ("required", "in_list"),
                    ("help_text", "key"),
                ]
            },
        ),
    ]
    verbose_name = "question"

    def line_of(self, row: FormField) -> Line:
        notes = [row.get_kind_display()]
        if row.kind in CHOICE_KINDS:
            notes.append(Truncator(", ".join(row.choice_list)).chars(_MAX_CHOICES))
        notes += ["required"] if row.required else []
        notes += ["in the list"] if row.in_list else []
        return Line(row.label or "Question", " · ".join(filter(None, notes)))


@admin.register(FeedbackType)
class FeedbackTypeAdmin(ScopedAdmin[FeedbackType]):
    owner_fields = ("project",)
    list_display = ["name", "project", "prefix", "ticket_list", "left_to_delete"]
    list_select_related = ["project__community"]
    search_fields = ["name", "project__name"]
    inlines = [StatusInline, FormFieldInline]

    def get_formset_kwargs(
        self,
        request: HttpRequest,
        obj: FeedbackType,
        inline: InlineModelAdmin,
        prefix: str,
    ) -> dict[str, Any]:
        """What a new type begins with is sent back as if somebody had typed it."""
        kwargs = super().get_formset_kwargs(request, obj, inline, prefix)
        if inline.model is Status and obj.pk is None and request.method == "GET":
            kwargs["initial"] = [
                {**status, POSITION: position}
                for position, status in enumerate(USUAL_STATUSES, start=1)
            ]
        return kwargs

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        by_model = {each.opts.model: each for each in context["inline_admin_formsets"]}
        context["lists"] = [
            (title, ordered_list(each.formset.prefix, noun, [each]))
            for title, noun, model in _LISTS
            if (each := by_model.get(model))
        ]
        return super().render_change_form(request, context, *args, **kwargs)

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
