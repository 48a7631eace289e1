"""What stands in an admin's URL or form may be anything, and is checked.

Django checks most of it. What it hands to the database as it is would end in an error
page of the server (numbers no column can hold, ids that are no numbers), or ask the
database for what no page shows: a list takes the parameters of its own filters only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.admin import FieldListFilter, widgets
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import BaseModelAdmin, IncorrectLookupParameters
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.exceptions import BadRequest, ValidationError
from django.db import DataError
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

from ..selection.conditions import search_words
from .paging import BoundedPaginator, PagedList
from .typed_forms import TypedAgainAdmin

# More than any list has columns or filters.
_MAX_COLUMNS = 30
_MAX_VALUES = 30


def is_key(model: type[Model], value: object) -> bool:
    """Whether a row of this model could have the value as its primary key."""
    try:
        model._meta.pk.clean(value, None)
    except ValidationError:
        return False
    return True


class CheckedList(PagedList):
    """A list that refuses values in the URL which no database can compare.

    And parameters that are none of its filters'. Raises BadRequest with a sentence.
    """

    model_admin: CheckedAdmin
    # Why no dates stand above it, if so.
    undated = ""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        # Django's own asks to select something "to change", whatever one came for.
        if not self.is_popup:
            self.title = capfirst(str(self.opts.verbose_name_plural))

    def get_filters(self, request: HttpRequest) -> tuple:
        self.refuse_parameters(request)
        try:
            return super().get_filters(request)
        except OverflowError as error:  # A year of the date hierarchy.
            raise IncorrectLookupParameters(error) from error

    def refuse_parameters(self, request: HttpRequest) -> None:
        given = self.get_filters_params()
        if sum(len(values) for values in given.values()) > _MAX_VALUES:
            raise BadRequest(f"Give at most {_MAX_VALUES} values of filters at once.")
        if request.GET.get(ORDER_VAR, "").count(".") >= _MAX_COLUMNS:
            raise BadRequest(f"Sort by at most {_MAX_COLUMNS} columns.")
        declared = self.model_admin.declared_parameters(request) if given else ()
        for name in given:
            if name not in declared:
                raise BadRequest(f"This list has no filter '{name[:100]}'.")

    def get_results(self, request: HttpRequest) -> None:
        """Here the filters in the URL meet the database for the first time."""
        try:
            super().get_results(request)
        except (DataError, OverflowError, ValueError) as error:
            raise IncorrectLookupParameters(error) from error
        if self.date_hierarchy and self.is_endless:
            # Each row would be looked at; SQLite takes 10 s for a million.
            self.undated = (
                f"These are more than {int(self.result_count):,} rows, too many to look"
                " up their days. Narrow the list by a filter, and links to years,"
                " months and days stand here."
            )
        if self.undated or not self.result_count:
            self.date_hierarchy = None


class CheckedPicker(widgets.AutocompleteSelect):
    """Shows a refused form again, whatever was sent in place of a row's key."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> list:
        model = self.choices.queryset.model
        value = [each for each in value if is_key(model, each)]
        return super().optgroups(name, value, attr)


class CheckedPickers(BaseModelAdmin):
    """For what has a form, inlines too."""

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", CheckedPicker(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class CheckedAdmin(CheckedPickers, TypedAgainAdmin):
    """For what has a list with filters and actions."""

    paginator = BoundedPaginator
    show_full_result_count = False
    # The parameters, beside its filters', by which other pages lead to the list.
    linked_parameters: tuple[str, ...] = ()

    def declared_parameters(self, request: HttpRequest) -> set[str]:
        """All that the list may be narrowed by."""
        filters = (self._parameters(each, request) for each in self.filters_of(request))
        return {*self.linked_parameters, *self.date_parameters()}.union(*filters)

    def filters_of(self, request: HttpRequest) -> Iterable[Any]:
        return self.get_list_filter(request)

    def linked_in_words(
        self, request: HttpRequest, name: str, values: list[str]
    ) -> tuple[str, str]:
        """What a linked parameter is called, and the rows that it names."""
        path = name.removesuffix("__isnull")
        field = get_fields_from_path(self.model, path)[-1]
        title = str(getattr(field, "verbose_name", path))
        if path != name:
            return title, "any" if values == ["False"] else "none"
        related: Any = field.related_model
        keys = [each for each in values if is_key(related, each)]
        rows = related._default_manager.filter(pk__in=keys)
        if hasattr(rows, "visible_to"):
            rows = rows.visible_to(request.user)
        return title, ", ".join(map(str, rows)) or ", ".join(values)

    def date_parameters(self) -> list[str]:
        """The parameters of Django's links to years, months and days."""
        name = self.date_hierarchy
        return [f"{name}__{part}" for part in ("year", "month", "day")] if name else []

    def _parameters(self, declared: Any, request: HttpRequest) -> Iterator[str]:
        """Those of one item of `list_filter`, as ChangeList reads it."""
        if callable(declared):
            made = declared(request, {}, self.model, self)
        else:
            pair = isinstance(declared, tuple | list)
            path, kind = declared if pair else (declared, FieldListFilter.create)
            field = get_fields_from_path(self.model, path)[-1]
            made = kind(field, request, {}, self.model, self, field_path=path)
        yield from filter(None, made.expected_parameters())

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Django's own passes every look-up on every column, secret ones too."""
        return lookup in self.declared_parameters(request)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        return to_field == self.opts.pk.name

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """For the list and for whatever picks from it. Raises BadRequest."""
        try:
            search_words(search_term)
        except ValidationError as error:
            raise BadRequest(error.message) from None
        return super().get_search_results(request, queryset, search_term)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CheckedList

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Model | None:
        return super().get_object(request, object_id, from_field or None)

    def changeform_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if "_saveasnew" in request.POST and not self.save_as:
            raise BadRequest("Nothing here is saved as new.")
        return super().changeform_view(request, *args, **kwargs)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet, *args: Any, **kwargs: Any
    ) -> Any:
        picked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if not all(is_key(self.model, each) for each in picked):
            raise BadRequest("What was selected is no row's key.")
        _keep_chosen_action(request)
        return super().response_action(request, queryset, *args, **kwargs)


def _keep_chosen_action(request: HttpRequest) -> None:
    """The one action whose button was pressed, out of all that the form holds."""
    posted, index = request.POST.copy(), request.POST.get("index", "")
    offered = posted.getlist("action")
    number = int(index) if index.isdecimal() and len(index) < 5 else 0
    if number < len(offered):
        posted["action"], posted["index"] = offered[number], "0"
    request.POST = posted  # type: ignore[assignment]
