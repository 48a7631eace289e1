"""The conditions by which testers are selected, by name: for API and saved filters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import QueryDict

from ..models import Feedback, Project, Tester
from .conditions import (
    ChoiceFilter,
    ConditionFilter,
    LookupField,
    MomentFilter,
    RowsField,
    RowsFilter,
    StrictFilterSet,
    TextFilter,
)
from .tickets import SearchFilter, external_conditions

# Where a search looks for each of its words.
SEARCHED = ("email", "first_name", "last_name", "company")
_SCORE = re.compile(r"-?[0-9]{1,9}")


class ScoreField(LookupField):
    def read(self, text: str) -> int:
        if not _SCORE.fullmatch(text):
            raise ValidationError("Give a whole number, such as 10.")
        return int(text)


class ScoreFilter(ConditionFilter):
    field_class = ScoreField


class SubmittedInField(RowsField):
    """Whose tickets are in one of the projects."""

    def clean(self, value: list[str] | None) -> Q | None:
        found = super().clean(value)
        if found is None:
            return None
        tickets = Feedback.objects.filter(found).order_by()
        return Q(pk__in=tickets.values("submitter"))


class SubmittedInFilter(RowsFilter):
    @property
    def field(self) -> RowsField:
        return SubmittedInField(rows=self.rows(self.parent), **self.extra)


class TesterFilterSet(StrictFilterSet):
    """Over testers; `projects` are those that may be spoken of.

    Beside what stands here it knows `external_<name>`.
    """

    email = TextFilter(lookup="email__iexact", help_text="The whole e-mail address.")
    country = TextFilter(
        lookup="country__iexact", help_text="Two letters, ISO 3166, such as DE."
    )
    project = SubmittedInFilter(
        lambda own: own.projects,
        lookup="feedback_type__project",
        help_text="Name or number of a project that they have submitted in; several"
        " times: any of them.",
    )
    search = SearchFilter(
        columns=SEARCHED,
        help_text="Words that must all be found in e-mail, names or company.",
    )
    score_at_least = ScoreFilter(
        lookup="score__gte", help_text="This many points or more."
    )
    erased = ChoiceFilter(
        lookup="erased_at__isnull",
        meanings={"true": False, "false": True},
        help_text="Whether they were erased.",
    )
    created_after = MomentFilter(
        lookup="created_at__gte", help_text="Added at this moment or later."
    )
    created_before = MomentFilter(
        lookup="created_at__lt", help_text="Added before this moment."
    )

    def __init__(
        self,
        data: QueryDict,
        queryset: QuerySet[Tester],
        *,
        projects: QuerySet[Project],
        beside: Iterable[str] = (),
    ) -> None:
        super().__init__(data, queryset, beside)
        self.projects: QuerySet[Any] = projects
        for name, condition in external_conditions(self.data).items():
            self.add(name, condition)
