"""The conditions by which testers are selected, by name: for API and saved filters."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import QueryDict

from ..models import Community, Feedback, Project, Tester
from .conditions import (
    ChoiceFilter,
    ConditionFilter,
    LookupField,
    MomentFilter,
    RowsField,
    RowsFilter,
    SearchFilter,
    TextFilter,
)
from .external import external_conditions
from .filtersets import StrictFilterSet

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

    def condition(self, keys: Iterable[int]) -> Q:
        tickets = Feedback.objects.filter(super().condition(keys)).order_by()
        return Q(pk__in=tickets.values("submitter"))


class SubmittedInFilter(RowsFilter):
    field_class = SubmittedInField


class TesterFilterSet(StrictFilterSet):
    """Over testers; `communities` and `projects` are those that may be spoken of.

    Beside what stands here it knows `external_<name>` and `has_external_<name>`.
    """

    community = RowsFilter(
        lambda own: own.communities,
        lookup="community",
        help_text="Name or number of a community; several times: any of them.",
    )

    email = TextFilter(lookup="email__iexact", help_text="The whole e-mail address.")
    country = TextFilter(
        lookup="country__iexact", help_text="Two letters, ISO 3166, such as DE."
    )
    project = SubmittedInFilter(
        lambda own: own.projects,
        title="project they submitted in",
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
        title="added from",
        lookup="created_at__gte",
        help_text="Added at this moment or later.",
    )
    created_before = MomentFilter(
        title="added before",
        lookup="created_at__lt",
        help_text="Added before this moment.",
    )

    def __init__(
        self,
        data: QueryDict,
        queryset: QuerySet[Tester],
        *,
        communities: QuerySet[Community],
        projects: QuerySet[Project],
        beside: Iterable[str] = (),
    ) -> None:
        super().__init__(data, queryset, beside)
        self.communities = communities
        self.projects = projects
        for name, condition in external_conditions(self.data).items():
            self.add(name, condition)
