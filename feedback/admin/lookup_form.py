"""A record lookup's form: the ways to find a record, and the fields to choose from."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from ..access.unlocking import locked_message
from ..console.owners import Selected
from ..lookups import columns_for
from ..models import WAYS, FoundBy, RecordLookup
from ..models.communities import listed
from ..packages.columns import ColumnCatalogue
from ..selection.external import EXTERNAL_PREFIX, is_name

COLUMNS, MORE = "columns", "external_fields"


class LookupForm(forms.ModelForm):
    columns = forms.MultipleChoiceField(
        label="Fields", required=False, widget=forms.CheckboxSelectMultiple
    )
    external_fields = forms.CharField(
        label="External data",
        required=False,
        max_length=500,
        help_text="Names such as jira_key, separated by commas: given as texts, behind"
        " the fields above.",
    )

    class Meta:
        model = RecordLookup
        fields = [
            *("name", "key", "description", "is_active"),
            *("found_by", "external_name", "columns"),
        ]

    # What a new one is about.
    about: Selected | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None and self.about is not None:
            self.about.give(self.instance)
        if "found_by" not in self.fields:
            return  # Whoever may only look sees no form.
        kind = self.instance.subject_kind
        self.fields["description"].widget.attrs["rows"] = 2
        ways: Any = self.fields["found_by"]
        ways.choices = [("", "---------")] + [
            (way.value, way.label) for way in FoundBy if way in WAYS.get(kind, ())
        ]
        columns: Any = self.fields[COLUMNS]
        self.catalogue = columns_for(self.instance)
        columns.choices = _grouped(self.catalogue)
        if not self.is_bound:
            self._show_chosen()

    def _show_chosen(self) -> None:
        names = [each["name"] for each in self.instance.columns]
        self.initial[COLUMNS] = names
        external = [_external(name) for name in names if _external(name)]
        self.initial[MORE] = ", ".join(external)

    def clean_external_fields(self) -> list[str]:
        names = listed(self.cleaned_data[MORE])
        for name in names:
            if not is_name(name):
                raise ValidationError(f"'{name[:60]}' is no name of external data.")
        return [EXTERNAL_PREFIX + name for name in dict.fromkeys(names)]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        community = self.instance.community
        if not community.is_unlocked():
            self.add_error(None, locked_message(community, "Record lookups"))
        chosen = [*cleaned.get(COLUMNS, []), *cleaned.get(MORE, [])]
        if not chosen and COLUMNS not in self.errors:
            self.add_error(COLUMNS, "Choose at least one field.")
        # A column keeps the type that it was chosen with.
        kept = {each["name"]: each for each in self.instance.columns}
        columns = [kept.get(name, {"name": name}) for name in chosen]
        return {**cleaned, COLUMNS: columns}


def _external(name: str) -> str:
    external = name.removeprefix(EXTERNAL_PREFIX)
    return external if external != name else ""


def _grouped(catalogue: ColumnCatalogue) -> list[tuple[str, list[tuple[str, str]]]]:
    columns = sorted(catalogue.columns, key=lambda each: each.group)
    groups = groupby(columns, key=lambda each: each.group)
    return [
        (group, list({each.name: each.label for each in columns}.items()))
        for group, columns in groups
    ]
