"""The form that replaces a token or an address, while the present one works on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms

_DAY = 24
OVERLAPS = [
    (0, "not at all: it stops at once"),
    (1, "1 hour"),
    (8, "8 hours"),
    (_DAY, "1 day"),
    (3 * _DAY, "3 days"),
    (7 * _DAY, "7 days"),
    (14 * _DAY, "14 days"),
    (30 * _DAY, "30 days"),
]


class OverlapForm(forms.Form):
    """`issued` marks the present one, so that a reload of the page makes no further."""

    hours = forms.TypedChoiceField(choices=OVERLAPS, coerce=int, initial=_DAY)
    issued = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, what: str, issued: str, data: Any = None) -> None:
        super().__init__(data, initial={"issued": issued})
        self.fields["hours"].label = f"The present {what} keeps working for"

    def is_of(self, issued: str) -> bool:
        return bool(self.cleaned_data["issued"] == issued)

    @property
    def overlap(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["hours"])

    @property
    def in_words(self) -> str:
        return dict(OVERLAPS)[self.cleaned_data["hours"]]
