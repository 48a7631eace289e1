"""The conditions by which tickets are selected, by name: for API and saved filters."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.db.models.lookups import Exact
from django.http import QueryDict

from ..forms import PREFIX, stored_answer
from ..models import Feedback, FeedbackType, FormField, Project, Status, Visibility
from .answers import answer_is
from .conditions import (
    ChoiceFilter,
    ConditionFilter,
    LookupField,
    MomentFilter,
    RowsFilter,
    StrictFilterSet,
    TextFilter,
    did_you_mean,
)

EXTERNAL_PREFIX = "external_"
# Where a search looks for each of its words.
SEARCHED = (
    "reference",
    "title",
    "description",
    "submitter__email",
    "submitter__last_name",
)
# No numbers: databases take them for places in a list.
_EXTERNAL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]{0,99}")


class SearchField(LookupField):
    """Every word must be somewhere in these columns."""

    def __init__(self, *, columns: Iterable[str], **options: Any) -> None:
        self.columns = tuple(columns)
        super().__init__(lookup="", **options)

    def clean(self, value: str | None) -> Q | None:
        text = forms.CharField.clean(self, value)
        found = Q()
        for word in text.split():
            somewhere = (Q(**{f"{field}__icontains": word}) for field in self.columns)
            found &= Q(*somewhere, _connector=Q.OR)
        return found if text.strip() else None


class SearchFilter(ConditionFilter):
    field_class = SearchField


class AnswerField(LookupField):
    """An answer to one of the questions, which have the same key in several types."""

    def __init__(self, *, questions: list[FormField], **options: Any) -> None:
        self.questions = questions
        super().__init__(lookup="", **options)

    def read(self, text: str) -> Any:
        types: dict[tuple[str, str], list[int]] = defaultdict(list)
        values = {}
        problems: list[str] = []
        for question in self.questions:
            try:
                value = stored_answer(question, text)
            except ValidationError as error:
                problems += error.messages
                continue
            kind = (question.kind, repr(value))
            types[kind].append(question.feedback_type_id)
            values[kind] = value
        if not types:
            raise ValidationError(list(dict.fromkeys(problems)))
        key = self.questions[0].key
        found = (
            answer_is(ids, key, kind[0], values[kind]) for kind, ids in types.items()
        )
        return Q(*found, _connector=Q.OR)

    def clean(self, value: str | None) -> Q | None:
        text = forms.CharField.clean(self, value)
        return self.read(text) if text else None


class AnswerFilter(ConditionFilter):
    field_class = AnswerField


class ExternalField(LookupField):
    """External data of a name, compared as text."""

    def clean(self, value: str | None) -> Any:
        text = forms.CharField.clean(self, value)
        stored = Cast(KeyTextTransform(self.lookup, "external_data"), TextField())
        return Exact(stored, text) if text else None


class ExternalFilter(ConditionFilter):
    field_class = ExternalField


def external_conditions(names: Iterable[str]) -> dict[str, ConditionFilter]:
    """By parameter, of those that name external data."""
    found = {}
    for name in names:
        key = name.removeprefix(EXTERNAL_PREFIX)
        if name.startswith(EXTERNAL_PREFIX) and _EXTERNAL_NAME.fullmatch(key):
            found[name] = ExternalFilter(lookup=key)
    return found


class FeedbackFilterSet(StrictFilterSet):
    """Over tickets; `types` are the feedback types that may be spoken of.

    Beside what stands here it knows `field_<key>` for each question of their forms,
    and `external_<name>`.
    """

    status = RowsFilter(
        lambda own: Status.objects.filter(feedback_type__in=own.types),
        lookup="status",
        help_text="Name or number of a status; several times: any of them.",
    )
    open = ChoiceFilter(
        lookup="status__is_open",
        meanings={"true": True, "false": False},
        help_text="Whether the status says that the ticket needs work.",
    )
    type = RowsFilter(
        lambda own: own.types,
        lookup="feedback_type",
        help_text="Name or number of a feedback type; several times: any of them.",
    )
    project = RowsFilter(
        lambda own: Project.objects.filter(feedback_types__in=own.types).distinct(),
        lookup="feedback_type__project",
        help_text="Name or number of a project; several times: any of them.",
    )
    visibility = ChoiceFilter(
        lookup="visibility", meanings={each: each for each in Visibility.values}
    )
    submitter_email = TextFilter(
        lookup="submitter__email__iexact",
        help_text="The submitter's whole e-mail address.",
    )
    reference = TextFilter(
        lookup="reference__iexact", help_text="The ticket's reference, such as BUG-12."
    )
    search = SearchFilter(
        columns=SEARCHED,
        help_text="Words that must all be found in reference, title, description, or"
        " the submitter's e-mail or last name.",
    )
    created_after = MomentFilter(
        lookup="created_at__gte", help_text="Submitted at this moment or later."
    )
    created_before = MomentFilter(
        lookup="created_at__lt", help_text="Submitted before this moment."
    )
    modified_after = MomentFilter(
        lookup="modified_at__gte", help_text="Last changed at this moment or later."
    )
    modified_before = MomentFilter(
        lookup="modified_at__lt", help_text="Last changed before this moment."
    )

    def __init__(
        self,
        data: QueryDict,
        queryset: QuerySet[Feedback],
        *,
        types: QuerySet[FeedbackType],
        beside: Iterable[str] = (),
    ) -> None:
        super().__init__(data, queryset, beside)
        self.types = types
        for name in self.data:
            if name.startswith(PREFIX):
                self._add_answer(name, name.removeprefix(PREFIX))
        for name, condition in external_conditions(self.data).items():
            self.add(name, condition)

    @property
    def errors(self) -> dict[str, list[str]]:
        return super().errors | {
            name: [f"No form has this field.{self._nearest_question(name)}"]
            for name in self.data
            if name.startswith(PREFIX) and name not in self.filters
        }

    def _add_answer(self, name: str, key: str) -> None:
        if "\0" in key:
            return
        questions = FormField.objects.filter(feedback_type__in=self.types, key=key)
        found = list(questions.select_related("feedback_type"))
        if found:
            self.add(name, AnswerFilter(questions=found))

    def _nearest_question(self, name: str) -> str:
        questions = FormField.objects.filter(feedback_type__in=self.types).order_by()
        keys = questions.values_list("key", flat=True).distinct()[:1000]
        return did_you_mean(name, [PREFIX + key for key in keys])
