"""The conditions by which tickets are selected, as parameters: for lists and API."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.timezone import get_current_timezone

from ..forms import PREFIX
from ..models import (
    Feedback,
    FeedbackType,
    Filter,
    FormField,
    Project,
    SubjectKind,
    Visibility,
)
from ..names import did_you_mean
from .by_filter import SavedParameter
from .catalogue import SEARCHED_TICKETS, TicketCatalogue
from .filtersets import CatalogueFilterSet
from .parameters import (
    AnswerParameter,
    EnumParameter,
    MomentParameter,
    ParameterFilter,
    RowsParameter,
    TruthParameter,
    WordsParameter,
)
from .qualifiers import Qualifier

# Where a search looks for each of its words.
SEARCHED = SEARCHED_TICKETS


class FeedbackFilterSet(CatalogueFilterSet):
    """Over tickets; `types` are the feedback types that may be spoken of.

    Beside what stands here it knows `field_<key>` for each question of their forms,
    `external_<name>` and `has_external_<name>`.
    """

    filter = SavedParameter()
    status = RowsParameter(
        "status", help_text="Name or number of a status; several times: any of them."
    )
    open = TruthParameter(
        "open",
        qualifier=Qualifier.YES,
        help_text="Whether the status says that the ticket needs work.",
    )
    type = RowsParameter(
        "type",
        help_text="Name or number of a feedback type; several times: any of them.",
    )
    project = RowsParameter(
        "project", help_text="Name or number of a project; several times: any of them."
    )
    visibility = EnumParameter("visibility", words=Visibility.values)
    submitter = WordsParameter(
        "submitter",
        help_text="Words that must all be found in the submitter's e-mail or names.",
    )
    submitter_email = ParameterFilter(
        "submitter_email",
        title="submitter's e-mail",
        help_text="The submitter's whole e-mail address.",
    )
    reference = ParameterFilter(
        "reference", help_text="The ticket's reference, such as BUG-12."
    )
    search = WordsParameter(
        "search",
        help_text="Words that must all be found in reference, title, description, or"
        " the submitter's e-mail or last name.",
    )
    created_after = MomentParameter(
        "created",
        qualifier=Qualifier.AFTER,
        title="created from",
        help_text="Submitted at this moment or later.",
    )
    created_before = MomentParameter(
        "created",
        qualifier=Qualifier.BEFORE,
        title="created before",
        help_text="Submitted before this moment.",
    )
    modified_after = MomentParameter(
        "modified",
        qualifier=Qualifier.AFTER,
        title="modified from",
        help_text="Last changed at this moment or later.",
    )
    modified_before = MomentParameter(
        "modified",
        qualifier=Qualifier.BEFORE,
        title="modified before",
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
        self.types = types
        catalogue = TicketCatalogue(get_current_timezone(), types)
        super().__init__(data, queryset, catalogue, beside)
        asked = [name for name in self.data if name.startswith(PREFIX)]
        for name, answer in catalogue.answers_named(asked).items():
            self.add(name, AnswerParameter(compared=answer, title=answer.label))

    @property
    def errors(self) -> dict[str, list[str]]:
        return super().errors | {
            name: [f"No form has this field.{self._nearest_question(name)}"]
            for name in self.data
            if name.startswith(PREFIX) and name not in self.filters
        }

    @property
    def saved_filters(self) -> QuerySet[Filter]:
        """Those of the types that are spoken of, and of their projects."""
        types = self.narrowed("type", self.types)
        projects = self.narrowed("project", Project.objects.all())
        types = types.filter(project__in=projects.values("pk"))
        of_project = Q(feedback_type=None, project__in=types.values("project"))
        return Filter.objects.filter(
            Q(feedback_type__in=types.values("pk")) | of_project,
            subject_kind=SubjectKind.FEEDBACK,
        )

    def _nearest_question(self, name: str) -> str:
        questions = FormField.objects.filter(feedback_type__in=self.types).order_by()
        keys = questions.values_list("key", flat=True).distinct()[:1000]
        return did_you_mean(name, [PREFIX + key for key in keys])
