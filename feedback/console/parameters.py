"""What stands in an admin's URL or form may be anything, and is checked.

Django checks most of it. What it hands to the database as it is would end in an error
page of the server: numbers no column can hold, and ids that are no numbers.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import widgets
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import BaseModelAdmin, IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest, ValidationError
from django.db import DataError
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse


def is_key(model: type[Model], value: object) -> bool:
    """Whether a row of this model could have the value as its primary key."""
    try:
        model._meta.pk.clean(value, None)
    except ValidationError:
        return False
    return True


class CheckedList(ChangeList):
    """A list that refuses values in the URL which no database can compare."""

    def get_filters(self, request: HttpRequest) -> tuple:
        try:
            return super().get_filters(request)
        except OverflowError as error:  # A year of the date hierarchy.
            raise IncorrectLookupParameters(error) from error

    def get_results(self, request: HttpRequest) -> None:
        """Here the filters in the URL meet the database for the first time."""
        try:
            super().get_results(request)
        except (DataError, OverflowError, ValueError) as error:
            raise IncorrectLookupParameters(error) from error


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


class CheckedAdmin(CheckedPickers, admin.ModelAdmin):
    """For what has a list with filters and actions."""

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
        return super().response_action(request, queryset, *args, **kwargs)
