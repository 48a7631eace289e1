"""A record lookup's form: the ways to find a record, and the fields to choose from."""

from __future__ import annotations

from typing import Any

from django import forms

from ..access.unlocking import locked_message
from ..console.owners import Selected
from ..lookups import columns_for
from ..models import WAYS, FoundBy, LookupKind, RecordLookup
from .filter_form import external_names
from .package_columns import ColumnsField, ColumnsWidget

# What a new lookup begins with, as far as its records have it.
_USUAL = (
    *("id", "reference", "title", "status", "email", "first_name", "last_name"),
    *("name", "created"),
)


class LookupForm(forms.ModelForm):
    class Meta:
        model = RecordLookup
        fields = [
            *("name", "key", "description", "is_active"),
            *("found_by", "external_name", "columns"),
        ]
        field_classes = {"columns": ColumnsField}
        widgets = {
            "columns": ColumnsWidget,
            "description": forms.Textarea(attrs={"rows": 2}),
        }

    # What a new one is about.
    about: Selected | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lookup: RecordLookup = self.instance
        if lookup.pk is None and self.about is not None:
            self.about.give(lookup)
        if "found_by" not in self.fields:
            return  # Whoever may only look sees no form.
        ways: Any = self.fields["found_by"]
        ways.choices = [("", "---------")] + [
            (way.value, way.label)
            for way in FoundBy
            if way in WAYS.get(lookup.subject_kind, ())
        ]
        catalogue = columns_for(lookup)
        widget = self.fields["columns"].widget
        widget.catalogue = catalogue
        if lookup.subject_kind != LookupKind.PROJECT:
            kind = LookupKind(lookup.subject_kind)
            widget.external_names = external_names(Selected(lookup.owner, kind))
        if lookup.pk is None:
            usual = [catalogue.find(name) for name in _USUAL]
            self.initial["columns"] = [each.kept for each in usual if each]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        community = self.instance.community
        if not community.is_unlocked():
            self.add_error(None, locked_message(community, "Record lookups"))
        return cleaned
