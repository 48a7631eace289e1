"""The filters beside the list of tickets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from ..forms import PREFIX
from ..models import FeedbackType, FieldKind, FormField, Visibility

Choices = list[tuple[str, str]]


class OpenFilter(admin.SimpleListFilter):
    title = "open"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", "Open"), ("no", "Closed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(status__is_open=self.value() == "yes")


class VisibilityFilter(admin.SimpleListFilter):
    title = "visibility"
    parameter_name = "visibility"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return list(Visibility.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(visibility=self.value()) if self.value() else queryset


class SubmitterFilter(admin.SimpleListFilter):
    """A box to type in, since a community has more testers than a list can hold."""

    title = "submitter"
    parameter_name = "submitter"
    template = "admin/feedback/feedback/submitter_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("", "")]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        others = changelist.get_filters_params()
        others.pop(self.parameter_name, None)
        yield {
            "selected": bool(self.value()),
            "display": self.value(),
            "others": [
                (name, value)
                for name, values in others.items()
                for value in (values if isinstance(values, list) else [values])
            ],
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for word in (self.value() or "").split():
            queryset = queryset.filter(
                Q(submitter__email__icontains=word)
                | Q(submitter__first_name__icontains=word)
                | Q(submitter__last_name__icontains=word)
            )
        return queryset


def status_filter(feedback_type: FeedbackType) -> type[admin.SimpleListFilter]:
    class StatusFilter(admin.SimpleListFilter):
        title = "status"
        parameter_name = "status"

        def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
            return [(str(each.pk), each.name) for each in feedback_type.statuses.all()]

        def queryset(
            self, request: HttpRequest, queryset: QuerySet[Any]
        ) -> QuerySet[Any]:
            known = {value for value, _ in self.lookup_choices}
            if self.value() not in known:
                return queryset.none() if self.value() else queryset
            return queryset.filter(status=self.value())

    return StatusFilter


def question_filter(question: FormField) -> type[admin.SimpleListFilter]:
    """A filter on the stored answers of a choice or checkbox field."""

    class QuestionFilter(admin.SimpleListFilter):
        title = question.label
        parameter_name = PREFIX + question.key

        def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
            if question.kind == FieldKind.CHECKBOX:
                return [("true", "Yes"), ("false", "No")]
            return [(choice, choice) for choice in question.choice_list]

        def queryset(
            self, request: HttpRequest, queryset: QuerySet[Any]
        ) -> QuerySet[Any]:
            return _answered(queryset, question, self.value())

    return QuestionFilter


def _answered(
    tickets: QuerySet[Any], question: FormField, value: str | None
) -> QuerySet[Any]:
    if not value:
        return tickets
    answer = f"form_values__{question.key}"
    if question.kind == FieldKind.CHECKBOX:
        ticked = Q(**{answer: True})
        return tickets.filter(ticked if value == "true" else ~ticked)
    if question.kind == FieldKind.MULTIPLE_CHOICE:
        # The one way to look into a JSON list on every database: its text form holds
        # the choice between quotes, escaped (SQLite) or not (PostgreSQL).
        plain, escaped = json.dumps(value, ensure_ascii=False), json.dumps(value)
        return tickets.filter(
            Q(**{f"{answer}__icontains": plain})
            | Q(**{f"{answer}__icontains": escaped})
        )
    return tickets.filter(**{answer: value})
