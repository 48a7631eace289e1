"""The form that replaces a key's token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms

from ..models import ApiKey

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


class RotateForm(forms.Form):
    hours = forms.TypedChoiceField(
        label="The present token works on for",
        choices=OVERLAPS,
        coerce=int,
        initial=_DAY,
    )
    # The token that the page was about, so that a reload makes no further one.
    issued = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, key: ApiKey, data: Any = None) -> None:
        super().__init__(data, initial={"issued": key.token_issued_at.isoformat()})

    def is_of(self, key: ApiKey) -> bool:
        return bool(self.cleaned_data["issued"] == key.token_issued_at.isoformat())

    @property
    def overlap(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["hours"])

    @property
    def in_words(self) -> str:
        return dict(OVERLAPS)[self.cleaned_data["hours"]]
