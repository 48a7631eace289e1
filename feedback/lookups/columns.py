"""The fields that a record lookup can give: those of packages, and of projects."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.db.models import Count, F, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from ..models import Feedback, FoundBy, LookupKind, PackageRows, RecordLookup
from ..packages.columns import Column, ColumnCatalogue, plain
from ..packages.kinds import KINDS
from ..packages.tables import chosen
from ..packages.values import ColumnType
from ..selection.external import NAMES, is_name

_PROJECT, _COMPUTED = "Project", "Computed"
_KINDS = {
    LookupKind.FEEDBACK: PackageRows.TICKETS,
    LookupKind.TESTER: PackageRows.TESTERS,
}


class LookupBroken(Exception):
    """A field that was chosen is not there any more, so it gives nothing."""


def columns_for(lookup: RecordLookup) -> ColumnCatalogue:
    """All that the lookup could give."""
    if lookup.subject_kind == LookupKind.PROJECT:
        return ColumnCatalogue({each.name: each for each in _of_projects()})
    kind = KINDS[_KINDS[LookupKind(lookup.subject_kind)]]
    return kind.columns(lookup.owner, timezone.now(), None)


def columns_of(lookup: RecordLookup) -> list[Column]:
    """Those that were chosen, in their order. Raises LookupBroken."""
    columns, faults = chosen(columns_for(lookup), lookup.columns)
    if faults:
        raise LookupBroken(" ".join(each.sentence for each in faults))
    return columns


def check(lookup: RecordLookup) -> None:
    """Bring its columns into the form that is kept; raises ValidationError.

    External data of some names can't be asked for: none could ever be found by it.
    """
    if lookup.found_by == FoundBy.EXTERNAL and not is_name(lookup.external_name):
        raise ValidationError({"external_name": f"Give the name. {NAMES}"})
    columns, faults = chosen(columns_for(lookup), lookup.columns)
    if faults:
        raise ValidationError({"columns": [each.sentence for each in faults]})
    lookup.columns = [column.kept for column in columns]


def _of_projects() -> Iterator[Column]:
    whole, text = ColumnType.INTEGER, ColumnType.TEXT
    yield plain("id", "Project ID", _PROJECT, whole, "pk")
    yield plain("name", "Name", _PROJECT, text, "name")
    yield plain("description", "Description", _PROJECT, text, "description")
    yield plain("community", "Community", _PROJECT, text, "community__name")
    yield plain("template", "Template", _PROJECT, ColumnType.BOOLEAN, "is_template")
    yield plain("time_zone", "Time zone", _PROJECT, text, "time_zone")
    yield plain("created", "Created", _PROJECT, ColumnType.MOMENT, "created_at")
    for name, label, column, conditions in (
        ("tickets", "Tickets", "pk", {}),
        ("open_tickets", "Open tickets", "pk", {"status__is_open": True}),
        ("testers", "Testers who submitted", "submitter", {}),
    ):
        counted = _count(column, **conditions)
        yield plain(name, label, _COMPUTED, whole, counted)


def _count(column: str, **conditions: bool) -> Coalesce:
    path = "feedback_type__project"
    rows = Feedback.objects.filter(**{path: OuterRef("pk")}, **conditions)
    of_project = rows.order_by().values(path)
    counted = of_project.annotate(count=Count(F(column), distinct=column != "pk"))
    return Coalesce(Subquery(counted.values("count")), 0, output_field=IntegerField())
