"""What the conditions and columns of several rows speak of, looked up together.

A list that says of each row whether it has lost a part asks as often as for one row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower

from ..forms import PREFIX
from ..models import (
    Community,
    FeedbackType,
    Filter,
    FormField,
    Project,
    Status,
    SubjectKind,
)
from .catalogue import Catalogue, TicketCatalogue
from .fields import RowField
from .saved import Owner, catalogue_for, problems_of

Condition = Mapping[str, Any]


def conditions_in(tree: Any) -> Iterator[Condition]:
    """Each condition, of groups too, in whatever is stored."""
    rows = tree.get("conditions") if isinstance(tree, Mapping) else None
    for each in rows if isinstance(rows, list) else ():
        if isinstance(each, Mapping):
            yield from conditions_in(each) if "conditions" in each else (each,)


def values_of(condition: Condition) -> list[Any]:
    value = condition.get("value")
    return value if isinstance(value, list) else [value]


@dataclass(frozen=True, kw_only=True)
class KnownRowField(RowField):
    """`known` are rows of many owners, of which `is_own` says whether it fits."""

    known: Mapping[int, Any]
    is_own: Callable[[Any], bool]

    def named(self, keys: Iterable[int]) -> dict[int, Any]:
        rows = {key: self.known[key] for key in keys if key in self.known}
        return {key: row for key, row in rows.items() if self.is_own(row)}


class SharedCatalogues:
    """Catalogues that know what these filters and columns speak of.

    They know nothing else, and are for reading what is stored.
    """

    def __init__(
        self,
        communities: Iterable[int],
        filters: Iterable[Filter],
        columns: Iterable[str] = (),
    ) -> None:
        keys: dict[str, set[int]] = defaultdict(set)
        for saved in filters:
            for each in conditions_in(saved.conditions):
                numbers = (value for value in values_of(each) if type(value) is int)
                keys[str(each.get("field"))].update(numbers)
        self._rows = {
            name: rows.in_bulk(keys[name]) if keys[name] else {}
            for name, rows in _ROWS.items()
        }
        named = {name for name in (*keys, *columns) if name.startswith(PREFIX)}
        self._questions = list(_questions(communities, named)) if named else []

    def broken(self, filters: Iterable[Filter]) -> set[int]:
        """Those of the filters that have lost a part."""
        return {
            each.pk
            for each in filters
            if problems_of(each, self.of(each.owner, each.subject_kind))
        }

    def of(self, owner: Owner, subject_kind: str) -> Catalogue:
        catalogue = catalogue_for(owner, subject_kind)
        fits = _FITS if subject_kind == SubjectKind.FEEDBACK else _FITS_TESTERS
        for name, field in catalogue.own.items():
            if isinstance(field, RowField):
                given = {each.name: getattr(field, each.name) for each in fields(field)}
                catalogue.own[name] = KnownRowField(
                    **given,
                    known=self._rows[name],
                    is_own=lambda row, fits=fits[name]: fits(row, owner),  # type: ignore[misc]
                )
        if isinstance(catalogue, TicketCatalogue):
            own = [
                each for each in self._questions if _is_in(each.feedback_type, owner)
            ]
            catalogue.__dict__["answers"] = catalogue.answers_to(own)
        return catalogue


def _questions(communities: Iterable[int], names: set[str]) -> QuerySet[FormField]:
    lowered = [name.removeprefix(PREFIX).lower() for name in names]
    rows = FormField.objects.alias(lowered=Lower("key")).filter(
        lowered__in=lowered, feedback_type__project__community__in=set(communities)
    )
    return rows.select_related("feedback_type__project").order_by("position", "pk")


# The fields whose values are rows, with all that says whose those are.
_ROWS: dict[str, QuerySet[Any]] = {
    "status": Status.objects.select_related("feedback_type__project"),
    "type": FeedbackType.objects.select_related("project"),
    "project": Project.objects.annotate(
        has_types=Exists(FeedbackType.objects.filter(project=OuterRef("pk")))
    ),
    "community": Community.objects.all(),
}


def _is_in(row: FeedbackType, owner: Owner) -> bool:
    if isinstance(owner, FeedbackType):
        return row.pk == owner.pk
    if isinstance(owner, Project):
        return row.project_id == owner.pk
    return row.project.community_id == owner.pk


def _has_types_in(row: Any, owner: Owner) -> bool:
    if isinstance(owner, Community):
        return bool(row.has_types) and row.community_id == owner.pk
    project = owner.project if isinstance(owner, FeedbackType) else owner
    return bool(row.has_types) and row.pk == project.pk


def _community_of(owner: Owner) -> int:
    if isinstance(owner, Community):
        return owner.pk
    project = owner.project if isinstance(owner, FeedbackType) else owner
    return project.community_id


_Fits = Callable[[Any, Owner], bool]
_FITS: dict[str, _Fits] = {
    "status": lambda row, owner: _is_in(row.feedback_type, owner),
    "type": _is_in,
    "project": _has_types_in,
}
_FITS_TESTERS: dict[str, _Fits] = {
    "project": lambda row, owner: row.community_id == _community_of(owner),
    "community": lambda row, owner: row.pk == _community_of(owner),
}
