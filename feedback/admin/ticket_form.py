"""A ticket's page: its own form, the questions of its type, and its comments."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from logs.models import Run

from ..console.scoping import ScopedInline
from ..forms import PREFIX, answers_in
from ..models import Comment, Feedback, FeedbackType, Status


class CommentInline(ScopedInline, admin.TabularInline):
    model = Comment
    extra = 0
    fields = ["text", "by", "created_at"]
    readonly_fields = ["by", "created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        runs = Run.objects.filter(pk=OuterRef("run_number"))
        rows = super().get_queryset(request).select_related("author")
        signed: QuerySet = rows.annotate(has_run=Exists(runs))
        return signed

    @admin.display(description="by")
    def by(self, comment: Comment) -> str:
        """A person, a listener, or the macro and the run of it."""
        if comment.listener_name:
            return f"Listener {comment.listener_name}"
        if not comment.macro_name:
            return str(comment.author or "-")
        label = f"Macro {comment.macro_name}, run {comment.run_number}"
        if not comment.has_run:  # type: ignore[attr-defined]
            return label
        url = reverse("admin:logs_run_change", args=[comment.run_number])
        return format_html('<a href="{}">{}</a>', url, label)


class TicketForm(forms.ModelForm):
    """A ticket with its type's own questions, stored together in `form_values`."""

    class Meta:
        model = Feedback
        fields = ["title", "description", "status", "visibility", "submitter"]

    feedback_type: FeedbackType

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.feedback_type_id is None:
            self.instance.feedback_type = self.feedback_type
        statuses = Status.objects.filter(feedback_type=self.feedback_type)
        if "status" in self.fields:
            self.fields["status"].queryset = statuses  # type: ignore[attr-defined]
        for key, value in self.instance.form_values.items():
            self.initial.setdefault(PREFIX + key, value)

    def clean(self) -> dict[str, object]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.instance.form_values = self.answered(self.instance.form_values)
        return cleaned

    def answered(self, stored: dict[str, Any]) -> dict[str, Any]:
        """The answers that are stored, with those that were edited in their place."""
        edited = [name for name in self.changed_data if name.startswith(PREFIX)]
        answers = {name.removeprefix(PREFIX) for name in edited}
        kept = {key: value for key, value in stored.items() if key not in answers}
        given = {name: self.cleaned_data.get(name) for name in edited}
        return kept | answers_in(given)
