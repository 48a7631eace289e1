"""A list as it is narrowed now, saved as a filter."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, QueryDict

from ..access.actors import may
from ..changes.signals import saved
from ..console.owners import Selected
from ..models import Community, FeedbackType, Filter, Project, SubjectKind
from ..selection.filtersets import CatalogueFilterSet
from .lists import ConditionsAdmin, conditions_in

ADD_FILTER = "feedback.add_filter"
NOT_NARROWED = "The list shows everything. Narrow it first, then save it as a filter."
# What says of a list whose rows it shows: the filter belongs to this.
_OWNERS: dict[str, list[tuple[str, type[Any]]]] = {
    SubjectKind.FEEDBACK: [("type", FeedbackType), ("project", Project)],
    SubjectKind.TESTER: [("project", Project), ("community", Community)],
}
_WHOSE = {
    SubjectKind.FEEDBACK: "Open the list of one feedback type, or narrow it by one"
    " project: a filter belongs to what it selects from.",
    SubjectKind.TESTER: "Narrow the list to one community or project: a filter belongs"
    " to what it selects from.",
}


def save_list(
    request: HttpRequest, of: ConditionsAdmin, query: QueryDict, name: str
) -> Filter:
    """Raises ValidationError with sentences, PermissionDenied."""
    kind = _kind_of(of)
    given = conditions_in(query)
    everything = of.conditions_of(request, of.model._default_manager.all(), given)
    selected, parameter = _selected(everything, kind)
    given.pop(parameter, None)
    row = Filter(name=name)
    selected.give(row)
    row.conditions = _conditions(request, of, given, row)
    with transaction.atomic():
        row.full_clean()
        row.save()
        if not may(request.user, ADD_FILTER, row):
            raise PermissionDenied
        saved.send(Filter, before=None, after=row, parts=[], note="")
    return row


def sentences_of(error: ValidationError) -> str:
    """For a message: which field they are about goes without saying, but for some."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    plain = {NON_FIELD_ERRORS, "conditions"}
    return " ".join(
        each if name in plain else f"{name.replace('_', ' ').capitalize()}: {each}"
        for name, sentences in error.message_dict.items()
        for each in sentences
    )


def _kind_of(of: ConditionsAdmin) -> SubjectKind:
    is_ticket = of.model._meta.model_name == "feedback"
    return SubjectKind.FEEDBACK if is_ticket else SubjectKind.TESTER


def _selected(filterset: CatalogueFilterSet, kind: SubjectKind) -> tuple[Selected, str]:
    """Whose rows the list shows, and the parameter that says so."""
    for parameter, model in _OWNERS[kind]:
        field = filterset.catalogue.own[parameter]
        rows = filterset.narrowed(parameter, field.rows)  # type: ignore[attr-defined]
        is_given = parameter in filterset.data
        # Whoever has one community alone need not name it.
        if is_given or (model is Community and kind == SubjectKind.TESTER):
            only = list(rows[:2])
            if len(only) == 1:
                return Selected(only[0], kind), parameter
    raise ValidationError(_WHOSE[kind])


def _conditions(
    request: HttpRequest, of: ConditionsAdmin, given: QueryDict, row: Filter
) -> dict[str, Any]:
    dates = {name: given.pop(name, [""])[0] for name in of.date_parameters()}
    filterset = of.conditions_of(request, of.model._default_manager.all(), given)
    made: dict[str, Any] = filterset.as_conditions()
    made["conditions"] += _narrower(filterset, row)
    if day := _between(dates):
        value = [each.isoformat() for each in day]
        made["conditions"].append(
            {"field": "created", "qualifier": "between", "value": value}
        )
    if not made["conditions"]:
        raise ValidationError(NOT_NARROWED)
    return made


def _narrower(filterset: CatalogueFilterSet, row: Filter) -> Iterator[dict[str, Any]]:
    """A filter among the conditions that belongs to a part of what the new one does."""
    if "filter" not in filterset.data:
        return
    for each in filterset.form.fields["filter"].named(filterset.data.getlist("filter")):
        if each.owner != row.owner and each.feedback_type_id:
            yield {"field": "type", "qualifier": "is", "value": each.feedback_type_id}
        elif each.owner != row.owner and each.project_id and row.project_id is None:
            yield {"field": "project", "qualifier": "is", "value": each.project_id}


def _between(dates: dict[str, str]) -> tuple[date, date] | None:
    """The first and the last day of the year, month or day above the list."""
    try:
        # No part of a date has more digits.
        match [int(each[:9]) for each in dates.values() if each.isdecimal()]:
            case [year]:
                return date(year, 1, 1), date(year, 12, 31)
            case [year, month]:
                last = calendar.monthrange(year, month)[1]
                return date(year, month, 1), date(year, month, last)
            case [year, month, day]:
                return date(year, month, day), date(year, month, day)
    except ValueError:
        raise ValidationError("The date above the list is not a date.") from None
    return None
