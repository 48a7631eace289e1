"""The conditions by which testers are selected, as parameters: for lists and API."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.timezone import get_current_timezone

from ..models import Community, Filter, Project, SubjectKind, Tester
from .by_filter import SavedParameter
from .catalogue import TesterCatalogue
from .fields import SEARCHED_TESTERS
from .filtersets import CatalogueFilterSet
from .parameters import (
    MomentParameter,
    ParameterFilter,
    RowsParameter,
    TruthParameter,
    WordsParameter,
)
from .qualifiers import Qualifier

# Where a search looks for each of its words.
SEARCHED = SEARCHED_TESTERS


class TesterFilterSet(CatalogueFilterSet):
    """Over testers; `communities` and `projects` are those that may be spoken of.

    Beside what stands here it knows `external_<name>` and `has_external_<name>`.
    """

    filter = SavedParameter()
    community = RowsParameter(
        "community",
        help_text="Name or number of a community; several times: any of them.",
    )
    email = ParameterFilter("email", help_text="The whole e-mail address.")
    country = ParameterFilter("country", help_text="Two letters, ISO 3166, such as DE.")
    project = RowsParameter(
        "project",
        title="project they submitted in",
        help_text="Name or number of a project that they have submitted in; several"
        " times: any of them.",
    )
    search = WordsParameter(
        "search",
        help_text="Words that must all be found in e-mail, names or company.",
    )
    score_at_least = ParameterFilter(
        "score",
        qualifier=Qualifier.AT_LEAST,
        help_text="This many points or more.",
    )
    erased = TruthParameter(
        "erased", qualifier=Qualifier.YES, help_text="Whether they were erased."
    )
    created_after = MomentParameter(
        "created",
        qualifier=Qualifier.AFTER,
        title="added from",
        help_text="Added at this moment or later.",
    )
    created_before = MomentParameter(
        "created",
        qualifier=Qualifier.BEFORE,
        title="added before",
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
        zone = get_current_timezone()
        catalogue = TesterCatalogue(zone, communities, projects)
        self.communities, self.projects = communities, projects
        super().__init__(data, queryset, catalogue, beside)

    @property
    def saved_filters(self) -> QuerySet[Filter]:
        """Those of the communities and projects that are spoken of."""
        communities = self.narrowed("community", self.communities)
        projects = self.narrowed("project", self.projects)
        of_community = Q(project=None, community__in=communities.values("pk"))
        of_project = Q(project__in=projects.values("pk"))
        if "community" in self.data:
            of_project &= Q(community__in=communities.values("pk"))
        return Filter.objects.filter(
            of_community | of_project, subject_kind=SubjectKind.TESTER
        )
