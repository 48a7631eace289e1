"""Lists whose parameters are conditions: the same names and meanings as in the API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import ListFilter
from django.contrib.admin.options import IS_FACETS_VAR, IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict

from ..console.parameters import CheckedList
from ..console.scoping import ScopedAdmin
from ..models import SubjectKind
from ..selection.filtersets import CatalogueFilterSet
from .filters import Offered, typed
from .pills import pills

SEARCH = "search"
# Each value of each filter goes through all rows to be counted.
MAX_COUNTED = 100_000
# What says how a list is shown, not what is in it.
_DISPLAY = (
    *(ALL_VAR, ERROR_FLAG, IS_FACETS_VAR, IS_POPUP_VAR),
    *(ORDER_VAR, PAGE_VAR, TO_FIELD_VAR),
)


def conditions_in(query: QueryDict) -> QueryDict:
    """What is given: a box that was left empty is sent along, and gives nothing."""
    given = QueryDict(mutable=True)
    for name, values in query.lists():
        if filled := [value for value in values if value.strip()]:
            given.setlist(name, filled)
    return given


class ConditionsList(CheckedList):
    """A list that its admin's FilterSet narrows, and what stands beside it offers.

    Where a condition is refused, a message says so and the list is empty: whatever is
    done with all of it then is done with nothing.
    """

    model_admin: ConditionsAdmin
    filterset: CatalogueFilterSet
    # The rows of the dates that are chosen above the list.
    dated: QuerySet

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        for name, problems in self.filterset.errors.items():
            messages.error(request, f"Filter {name[:100]}: {' '.join(problems)}")

    def get_filters_params(
        self, params: dict[str, Any] | None = None
    ) -> dict[str, object]:
        """What Django narrows the list by: the dates above it, and nothing else."""
        given = super().get_filters_params(params)
        dates = self.model_admin.date_parameters()
        return {name: value for name, value in given.items() if name in dates}

    def get_filters(self, request: HttpRequest) -> Any:
        filters: list[ListFilter]
        filters, _, lookups, duplicates, _ = super().get_filters(request)
        self.filterset = self.model_admin.conditions_of(request, self.root_queryset)
        shown: set[str | None] = {*self.model_admin.shown_on_page(request)}
        shown.update(name for each in filters for name in each.expected_parameters())
        # One that is given and not offered can be seen and taken back all the same.
        for name in self.filterset.given:
            if name not in shown:
                offer = typed(name, title=self.filterset.title_of(name))
                filters.append(offer(request, {}, self.model, self.model_admin))
        is_narrowed = bool(self.narrowing(request))
        return filters, bool(filters), lookups, duplicates, is_narrowed

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet:
        self.query = ""  # Django's own search, which has another name.
        rows: QuerySet = super().get_queryset(request, exclude_parameters)
        self.query = request.GET.get(SEARCH, "")
        self.clear_all_filters_qs = self.get_query_string(
            dict.fromkeys(self.narrowing(request))
        )
        everything = [*self.narrowing(request), SEARCH]
        self.everything_qs = self.get_query_string(dict.fromkeys(everything))
        self.dated = rows
        return rows.filter(self.filterset.condition)

    def narrowing(self, request: HttpRequest) -> list[str]:
        """The parameters that clearing all filters takes away."""
        kept = {*_DISPLAY, *self.model_admin.shown_on_page(request)}
        return [name for name in conditions_in(request.GET) if name not in kept]

    def beside(self, *names: str) -> list[tuple[str, str]]:
        return [
            (name, value)
            for name, values in self.filter_params.items()
            if name not in names
            for value in values
        ]

    @property
    def beside_search(self) -> list[tuple[str, str]]:
        return self.beside(SEARCH)

    def counted(
        self,
        request: HttpRequest,
        parameter: str,
        values: Iterable[str],
        limit: int | None = None,
    ) -> dict[str, int] | None:
        limit = limit or MAX_COUNTED
        given = request.GET.copy()
        given.pop(parameter, None)
        conditions = self.model_admin.conditions_of(request, self.dated, given)
        rows = conditions.qs.order_by()
        if rows[: limit + 1].count() > limit:
            return None
        return {
            value: rows.filter(self._condition(request, parameter, value)).count()
            for value in values
        }

    def _condition(self, request: HttpRequest, parameter: str, value: str) -> Q:
        one = QueryDict(mutable=True)
        one[parameter] = value
        rows = self.root_queryset
        return self.model_admin.conditions_of(request, rows, one).condition


class ConditionsAdmin(ScopedAdmin):
    def filterset(
        self,
        request: HttpRequest,
        data: QueryDict,
        rows: QuerySet,
        beside: Iterable[str],
    ) -> CatalogueFilterSet:
        """The FilterSet of the list, over what the user may speak of."""
        raise NotImplementedError

    def offers(self, request: HttpRequest) -> list[Offered]:
        """What stands beside the list."""
        return []

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Saved filters stand first."""
        return [self.saved_offer(request), *self.offers(request)]

    def saved_offer(self, request: HttpRequest) -> Offered:
        rows = self.model._default_manager.none()
        conditions = self.conditions_of(request, rows)
        is_ticket = self.opts.model_name == "feedback"
        return pills(
            conditions.saved_filters,
            SubjectKind.FEEDBACK if is_ticket else SubjectKind.TESTER,
            may_save=request.user.has_perm("feedback.add_filter"),
            is_one_owner="type" in conditions.data,
            has_open=is_ticket,
        )

    def filters_of(self, request: HttpRequest) -> Iterable[Any]:
        """None that Django narrows by: the FilterSet refuses what it does not know."""
        return ()

    def shown_on_page(self, request: HttpRequest) -> list[str]:
        """The conditions that the page shows elsewhere than among its filters."""
        return [SEARCH]

    def get_changelist(
        self, request: HttpRequest, **kwargs: Any
    ) -> type[ConditionsList]:
        return ConditionsList

    def conditions_of(
        self,
        request: HttpRequest,
        rows: QuerySet,
        query: QueryDict | None = None,
    ) -> CatalogueFilterSet:
        """What the list is narrowed by, or would be by another query."""
        given = conditions_in(request.GET if query is None else query)
        beside = [*_DISPLAY, *self.date_parameters()]
        return self.filterset(request, given, rows, beside)

    def selection_in_words(self, request: HttpRequest) -> str:
        """What the list is narrowed to, for people; empty where it is not."""
        words = [self.conditions_of(request, self.get_queryset(request)).words]
        dates = [request.GET.get(name, "") for name in self.date_parameters()]
        if any(dates) and self.date_hierarchy:
            title = self.opts.get_field(self.date_hierarchy).verbose_name  # type: ignore[union-attr]
            words.append(f"{title}: {'-'.join(filter(None, dates))}")
        return "; ".join(filter(None, words))
