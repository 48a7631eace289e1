"""The conditions by which tickets are selected, by name: for API and saved filters."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.http import QueryDict

from ..forms import PREFIX
from ..models import Feedback, FeedbackType, FormField, Project, Status, Visibility
from .answers import AnswerFilter
from .conditions import (
    ChoiceFilter,
    MomentFilter,
    RowsFilter,
    SearchFilter,
    TextFilter,
    did_you_mean,
)
from .external import external_conditions
from .filtersets import StrictFilterSet

# Where a search looks for each of its words.
SEARCHED = (
    "reference",
    "title",
    "description",
    "submitter__email",
    "submitter__last_name",
)
SUBMITTER = ("submitter__email", "submitter__first_name", "submitter__last_name")


class FeedbackFilterSet(StrictFilterSet):
    """Over tickets; `types` are the feedback types that may be spoken of.

    Beside what stands here it knows `field_<key>` for each question of their forms,
    `external_<name>` and `has_external_<name>`.
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
    submitter = SearchFilter(
        columns=SUBMITTER,
        help_text="Words that must all be found in the submitter's e-mail or names.",
    )
    submitter_email = TextFilter(
        title="submitter's e-mail",
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
        title="created from",
        lookup="created_at__gte",
        help_text="Submitted at this moment or later.",
    )
    created_before = MomentFilter(
        title="created before",
        lookup="created_at__lt",
        help_text="Submitted before this moment.",
    )
    modified_after = MomentFilter(
        title="modified from",
        lookup="modified_at__gte",
        help_text="Last changed at this moment or later.",
    )
    modified_before = MomentFilter(
        title="modified before",
        lookup="modified_at__lt",
        help_text="Last changed before this moment.",
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
        asked = FormField.objects.filter(feedback_type__in=self.types, key__iexact=key)
        questions = list(asked.select_related("feedback_type"))
        if questions:
            title = questions[0].label
            self.add(name, AnswerFilter(questions=questions, title=title))

    def _nearest_question(self, name: str) -> str:
        questions = FormField.objects.filter(feedback_type__in=self.types).order_by()
        keys = questions.values_list("key", flat=True).distinct()[:1000]
        return did_you_mean(name, [PREFIX + key for key in keys])
