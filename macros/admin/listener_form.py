"""A listener's form: fields in sections, and what is wrong beside what is at fault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.db.models import QuerySet

from feedback.access.unlocking import locked_message
from feedback.console.owners import Selected
from feedback.models import Filter

from ..listeners.checking import problems_of
from ..listeners.choices import filters_for
from ..models import Listener, RecordBy

# A new listener's owner and kind, as its address names them.
RECORD = ["record_by", "record_external", "record_at", "filter"]
EVENTS = [
    "events_at",
    "name_at",
    "names",
    "ignored_at",
    "ignored",
    "id_at",
    "repeat_seconds",
    "time_at",
]
RESPONSE = ["response_status", "response_type", "response_body", "challenge_at"]
_LOCATIONS = [
    "record_at",
    "events_at",
    "name_at",
    "ignored_at",
    "id_at",
    "time_at",
    "challenge_at",
]
# A setting of a part, such as `actions[1].value`.
_PART = re.compile(r"(checks|actions)\[(\d+)\]\.(\w+)")
_HEIGHTS = {"description": 2, "allowed_ips": 2, "names": 3, "ignored": 2}


def shown_when(switch: str, *values: str) -> dict[str, str]:
    """Marks a field that a script shows where a choice has one of the values."""
    return {"data-when": switch, "data-values": " ".join(values)}


class ListenerForm(forms.ModelForm):
    class Meta:
        model = Listener
        fields = "__all__"  # noqa: DJ007 - the admin names them

    # What a new one is about.
    about: Selected | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None and self.about is not None:
            self.about.give(self.instance)
        if "filter" not in self.fields:
            return  # Whoever may only look sees no form.
        chosen = cast(forms.ModelChoiceField, self.fields["filter"])
        seen = cast(QuerySet[Filter], chosen.queryset)
        chosen.queryset = filters_for(self.instance, seen)
        for name in _LOCATIONS:
            self.fields[name].widget.attrs |= {
                "data-location": "",
                "spellcheck": "false",
                "autocomplete": "off",
            }
        for name, rows in _HEIGHTS.items():
            self.fields[name].widget.attrs["rows"] = rows
        self.fields["response_body"].widget.attrs |= {"rows": 3, "data-template": ""}
        self._mark_record_fields()

    def _mark_record_fields(self) -> None:
        by = self.fields["record_by"].widget
        by.attrs["data-switch"] = "record"
        given = [value for value in RecordBy.values if value]
        external = shown_when("record", RecordBy.EXTERNAL)
        self.fields["record_external"].widget.attrs |= external
        self.fields["record_at"].widget.attrs |= shown_when("record", *given)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        community = self.instance.community
        if not community.is_unlocked():
            self.add_error(None, locked_message(community, "Listeners"))
        if cleaned.get("record_by") != RecordBy.EXTERNAL:
            cleaned["record_external"] = ""
        if not cleaned.get("record_by"):
            cleaned["record_at"] = ""
        return cleaned

    def _post_clean(self) -> None:
        """The parts below are looked at together with the listener."""
        super()._post_clean()  # type: ignore[misc]
        parts: Mapping[str, Any] = getattr(self.instance, "parts", {})
        if not all(each.is_valid() for each in parts.values()) or self.errors:
            return
        forms = {name: each.kept_forms() for name, each in parts.items()}
        rows = {name: [form.instance for form in each] for name, each in forms.items()}
        checks, actions = rows.get("checks", []), rows.get("actions", [])
        problems = problems_of(self.instance, checks, actions)
        for setting, sentences in problems.items():
            if setting in parts:
                parts[setting].non_form_errors().extend(sentences)
                continue
            form, name = self, setting
            if part := _PART.fullmatch(setting):
                form, name = forms[part[1]][int(part[2])], part[3]
            form.add_error(name if name in form.fields else None, sentences)
