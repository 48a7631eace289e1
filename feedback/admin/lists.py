"""Lists whose parameters are conditions: the same names and meanings as in the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin import ListFilter
from django.contrib.admin.options import IS_FACETS_VAR, IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.db.models.lookups import In
from django.forms import MultipleHiddenInput
from django.http import HttpRequest, QueryDict
from django.utils.http import urlencode
from django.utils.text import capfirst

from ..console.counting import Count
from ..console.parameters import CheckedList
from ..console.scoping import ScopedAdmin
from ..models import SubjectKind
from ..models.folded import Folded
from ..names import fold
from ..selection.by_filter import SavedField
from ..selection.compiler import NOTHING
from ..selection.filtersets import CatalogueFilterSet
from ..selection.parameters import RowsField
from .facets import count
from .filters import ChoiceOffer, Offered, typed
from .last_deliveries import last_delivery_column, put_on
from .pills import PillsOffer, pills

SEARCH = "search"
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


def _tests(field: Any, values: Sequence[str]) -> dict[str, Q]:
    """The condition of each value that is offered."""
    if isinstance(field, SavedField):
        return field.conditions(values)  # Looked up together.
    return {value: _test(field, value) for value in values}


def _test(field: Any, value: str) -> Q:
    """The condition of a value that is offered; none meets one that is refused."""
    if isinstance(field, RowsField):
        return field.of_row(int(value))  # Its name was not typed: it is not looked up.
    is_several = isinstance(field.widget, MultipleHiddenInput)
    try:
        condition: Q = field.clean([value] if is_several else value)
    except ValidationError:
        return NOTHING
    return condition


class ConditionsList(CheckedList):
    """A list that its admin's FilterSet narrows, and what stands beside it offers.

    Where a condition is refused, a message says so and the list is empty: whatever is
    done with all of it then is done with nothing.
    """

    model_admin: ConditionsAdmin
    filterset: CatalogueFilterSet
    # The rows of the dates that are chosen above the list.
    dated: QuerySet
    # The counts of the values that are offered, once one of them was asked for.
    facets: dict[tuple[str, str], Count] | None = None

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.given = request.GET
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
                words = self.filterset.value_in_words(name)
                offer = typed(name, title=self.filterset.title_of(name), words=words)
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

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if last_delivery_column in self.list_display:
            self.result_list = [*self.result_list]
            put_on(self.result_list, request.user)

    def first_rows(self) -> list[Any]:
        """Whoever searches for a reference or an e-mail means that one."""
        text, column = self.query.strip(), self.model_admin.exact_column
        if not text or not column or not self.is_first_page:
            return []
        exact = self.queryset.filter(Q(In(Folded(column), [fold(text)])))
        return list(exact.order_by("-pk")[: self.list_per_page])

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
        values: Sequence[str],
        limit: int | None = None,
    ) -> Mapping[str, int] | None:
        given = request.GET.copy()
        given.pop(parameter, None)
        is_as_now = conditions_in(given) == conditions_in(self.given)
        rows = self.queryset
        if not is_as_now:
            rows = self.model_admin.conditions_of(request, self.dated, given).qs
        if limit is not None:
            count = self.result_count if is_as_now else Count.of(rows, limit)
            if count > limit or getattr(count, "is_more", False):
                return None
        asked = {parameter: values}
        if not is_as_now or request.GET is not self.given:
            counts = self._facets(request, rows, asked)
        else:
            # All that leave the list as it is now are counted together.
            if self.facets is None:
                asked |= self._offered(request)
                self.facets = self._facets(request, rows, asked) or {}
            counts = self.facets
        return {value: counts[parameter, value] for value in values} if counts else None

    def _offered(self, request: HttpRequest) -> dict[str, Sequence[str]]:
        """The values of the filters beside the list that are not given."""
        return {
            spec.parameter: [value for value, _ in spec.values]
            for spec in self.filter_specs
            if isinstance(spec, ChoiceOffer)
            and spec.parameter not in request.GET
            and not isinstance(spec, PillsOffer)
        }

    def _facets(
        self, request: HttpRequest, rows: QuerySet, asked: Mapping[str, Sequence[str]]
    ) -> dict[tuple[str, str], Count] | None:
        tests = self.model_admin.tests(request, self.root_queryset, asked)
        return count(rows, tests) if tests else {}


class ConditionsAdmin(ScopedAdmin):
    search_parameter = SEARCH
    # The one whose text is just what was searched for comes first.
    exact_column = ""
    list_title = ""

    def matching(self, request: HttpRequest, rows: QuerySet, text: str) -> QuerySet:
        query = QueryDict(urlencode({SEARCH: text}))
        matches: QuerySet = self.conditions_of(request, rows, query).qs
        return matches

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

    def tests(
        self,
        request: HttpRequest,
        rows: QuerySet,
        asked: Mapping[str, Sequence[str]],
    ) -> dict[tuple[str, str], Q]:
        """The condition that each value of each parameter stands for."""
        each_once = QueryDict(mutable=True)
        each_once.update({name: values[0] for name, values in asked.items() if values})
        fields = self.conditions_of(request, rows, each_once).form.fields
        return {
            (name, value): test
            for name, values in asked.items()
            if values
            for value, test in _tests(fields[name], values).items()
        }

    def selection_in_words(self, request: HttpRequest) -> str:
        """What the list is narrowed to, for people; empty where it is not."""
        words = [self.conditions_of(request, self.get_queryset(request)).words]
        dates = [request.GET.get(name, "") for name in self.date_parameters()]
        if any(dates) and self.date_hierarchy:
            title = self.opts.get_field(self.date_hierarchy).verbose_name  # type: ignore[union-attr]
            words.append(f"{capfirst(title)}: {'-'.join(filter(None, dates))}")
        return "; ".join(filter(None, words))
