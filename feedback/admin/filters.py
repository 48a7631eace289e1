"""The filters beside the lists of tickets and testers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTransform
from django.http import HttpRequest

from macros.tags import normalise

from ..forms import PREFIX, stored_answer
from ..models import FeedbackType, FieldKind, FormField, Visibility
from ..selection.answers import answer_is

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


class TypedFilter(admin.SimpleListFilter):
    """A box to type in, for what has more values than a list can hold."""

    template = "admin/feedback/feedback/typed_filter.html"
    parameter_name = ""
    asks_for = ""
    # Values that are offered as links beside the box.
    links: Choices | tuple[tuple[str, str], ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("", "")]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        # The search too, which get_filters_params() leaves out.
        others = dict(changelist.filter_params)
        others.pop(self.parameter_name, None)
        value = self.value() or ""
        labels = dict(self.links)
        yield {
            "selected": bool(value),
            "display": labels.get(value, value),
            "typed": "" if value in labels else value,
            "parameter": self.parameter_name,
            "asks_for": self.asks_for,
            "links": [
                (
                    changelist.get_query_string({self.parameter_name: each or None}),
                    label,
                    value == each,
                )
                for each, label in [("", "All"), *self.links]
                if self.links
            ],
            "others": [
                (name, value)
                for name, values in others.items()
                for value in (values if isinstance(values, list) else [values])
            ],
        }


class SubmitterFilter(TypedFilter):
    title = "submitter"
    parameter_name = "submitter"
    asks_for = "Name or e-mail"

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


# In place of a value: there is any, or none.
ANY, NONE = "*", "!"


def external_filter(name: str) -> type[admin.SimpleListFilter]:
    """A filter on external data: there is a value, there is none, or it is this one."""

    class ExternalFilter(TypedFilter):
        title = name
        parameter_name = f"external_{name}"
        asks_for = "Exactly this value"
        links = ((ANY, "Has a value"), (NONE, "Has none"))

        def queryset(
            self, request: HttpRequest, queryset: QuerySet[Any]
        ) -> QuerySet[Any]:
            value = (self.value() or "").strip().replace("\0", " ")
            return _with_external(queryset, name, value) if value else queryset

    return ExternalFilter


def _with_external(rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
    # The column may name it as people write it.
    keys = sorted({name, normalise(name)})
    has_any = Q(external_data__has_any_keys=keys)
    if value == ANY:
        return rows.filter(has_any)
    if value == NONE:
        return rows.exclude(has_any)
    # Transforms of their own, so that no name is taken for a lookup.
    held: dict[str, Any] = {
        f"external_{number}": KeyTransform(key, "external_data")
        for number, key in enumerate(keys)
    }
    where = Q()
    for alias, meant in product(held, _meanings(value)):
        where |= Q(**{alias: meant})
    found: QuerySet[Any] = rows.alias(**held).filter(where)
    return found


def _meanings(text: str) -> list[Any]:
    """What was typed as a text, and as the number or truth value that it may be."""
    try:
        meant = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return [text]
    return [text, meant] if isinstance(meant, (bool, int, float)) else [text]


def _is_offered(spec: admin.SimpleListFilter) -> bool:
    """Whether the value in the address is one of the filter's own."""
    return any(spec.value() == value for value, _ in spec.lookup_choices)
