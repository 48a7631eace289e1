"""The filters beside the list of tickets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from ..answers import answer_is
from ..forms import PREFIX, stored_answer
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
        if _is_offered(self):
            return queryset.filter(visibility=self.value())
        return queryset.none() if self.value() else queryset


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
        # The search too, which get_filters_params() leaves out.
        others = dict(changelist.filter_params)
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
        for word in (self.value() or "").replace("\0", " ").split():
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
            if _is_offered(self):
                return queryset.filter(status=self.value())
            return queryset.none() if self.value() else queryset

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
            if _is_offered(self):
                stored = stored_answer(question, str(self.value()))
                own = [question.feedback_type_id]
                return queryset.filter(
                    answer_is(own, question.key, question.kind, stored)
                )
            return queryset.none() if self.value() else queryset

    return QuestionFilter


def _is_offered(spec: admin.SimpleListFilter) -> bool:
    """Whether the value in the address is one of the filter's own."""
    return any(spec.value() == value for value, _ in spec.lookup_choices)
