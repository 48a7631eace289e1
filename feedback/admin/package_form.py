"""The form of a data package."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django import forms
from django.db.models import QuerySet

from ..models import DataPackage, Filter, PackageRows
from ..packages.kinds import KINDS
from ..packages.tables import columns_for
from .package_columns import ColumnsField, ColumnsWidget

# What a new package begins with, as far as its rows have it.
_USUAL: dict[str, tuple[str, ...]] = {
    PackageRows.TICKETS: (
        *("id", "reference", "title", "status", "open", "created", "modified"),
        *("submitter_email", "days_open"),
    ),
    PackageRows.TESTERS: (
        *("id", "email", "first_name", "last_name", "country", "score", "created"),
    ),
    PackageRows.DELIVERIES: (
        *("id", "state", "subject", "macro", "response", "error", "attempts"),
        *("started", "finished"),
    ),
}
# Names of external data are found in so many of the newest rows.
_LOOKED_AT = 200
_MAX_NAMES = 100


class PackageForm(forms.ModelForm):
    """The package, new or not, knows already what it has rows for."""

    class Meta:
        model = DataPackage
        fields = [
            *("name", "key", "description", "is_active", "filter", "columns"),
            *("refresh_every", "format", "guards_formulas"),
        ]
        field_classes = {"columns": ColumnsField}
        widgets = {
            "columns": ColumnsWidget,
            "description": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        package: DataPackage = self.instance
        if "columns" in self.fields:
            catalogue = columns_for(package)
            widget = self.fields["columns"].widget
            widget.catalogue = catalogue
            widget.external_names = external_names(package)
            if package.pk is None:
                usual = [catalogue.find(name) for name in _USUAL[package.what]]
                answers = [each for some in catalogue.answers.values() for each in some]
                offered = [each for each in [*usual, *answers] if each is not None]
                self.initial["columns"] = [each.kept for each in offered]
        if "filter" in self.fields:
            filters: Any = self.fields["filter"]
            filters.queryset = filters_of(package)
            if package.what == PackageRows.DELIVERIES:
                del self.fields["filter"]


def filters_of(package: DataPackage) -> QuerySet[Filter]:
    """Those of its owner, and of what that belongs to."""
    rows = Filter.objects.filter(
        community=package.community_id, subject_kind=package.subject_kind
    )
    own = rows.filter(project=None)
    if package.project_id is not None:
        own |= rows.filter(project=package.project_id, feedback_type=None)
    if package.feedback_type_id is not None:
        own |= rows.filter(feedback_type=package.feedback_type_id)
    return own.order_by("name")


def external_names(package: DataPackage) -> list[str]:
    """The names that the newest rows have."""
    if package.what == PackageRows.DELIVERIES:
        return []
    rows = KINDS[package.what].rows(package).order_by("-pk")
    newest = rows.values_list("external_data", flat=True)[:_LOOKED_AT]
    names = dict.fromkeys(name for data in newest for name in data or {})
    return sorted(islice(names, _MAX_NAMES))
