"""A trigger's form: the event with its details, as fields that fit the macro."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.db.models import QuerySet

from feedback.models import Filter, FormField, Status, SubjectKind

from ..models import Macro, Trigger, fitting
from ..models.triggers import DETAILS, EVENTS, REQUIRED

_ANY = "Any"
_MISSING = {
    "field": "Choose the field that is to change.",
    "score": "Enter the number that the score is to reach.",
}


class TriggerForm(forms.ModelForm):
    class Meta:
        model = Trigger
        fields = "__all__"  # noqa: DJ007 - the admin names them

    # What the admin makes the form for.
    macro: Macro

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.macro_id is None:
            self.instance.macro = self.macro
        event = cast(forms.ChoiceField, self.fields.get("event"))
        if event is None:
            return  # Whoever may only look sees no form.
        offered = EVENTS[self.macro.subject_kind]
        event.choices = [(each.value, each.label) for each in offered]
        chosen = cast(forms.ModelChoiceField, self.fields["filter"])
        chosen.queryset = Filter.objects.filter(fitting(self.macro))
        for name, value in self.instance.event_details.items():
            self.initial.setdefault(name, value)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        event = cleaned.get("event", "")
        needed = REQUIRED.get(event, "")
        if needed and needed not in self.errors and cleaned.get(needed) in (None, ""):
            self.add_error(needed, _MISSING[needed])
        values = {name: cleaned.get(name) for name in DETAILS.get(event, ())}
        self.instance.event_details = {
            name: value.pk if isinstance(value, Status) else value
            for name, value in values.items()
            if value not in (None, "")
        }
        return cleaned


def detail_fields(macro: Macro) -> dict[str, forms.Field]:
    """Those of all events that can happen to what the macro runs on."""
    if macro.subject_kind == SubjectKind.TESTER:
        label = "Score to reach"
        score = forms.IntegerField(required=False, label=label, min_value=-(2**31))
        score.help_text = "If the event is that the score reaches a number: below it"
        score.help_text += " before the change, and at or above it afterwards."
        return {"score": score}
    statuses = Status.objects.filter(feedback_type=macro.feedback_type_id)
    questions = FormField.objects.filter(feedback_type=macro.feedback_type_id)
    asked = [(each.key, each.label) for each in questions]
    return {
        "from_status": _status("From status", statuses),
        "to_status": _status("To status", statuses),
        "field": forms.ChoiceField(
            required=False,
            label="Which field",
            choices=[("", "---------"), *asked],
            help_text="If the event is that an answer on the form changes.",
        ),
        "external": forms.CharField(
            required=False,
            label="Which external data",
            max_length=100,
            help_text="If the event is that external data changes: its name, such as"
            " jira_key. Leave it empty for any.",
        ),
    }


def _status(label: str, statuses: QuerySet[Status]) -> forms.ModelChoiceField:
    return forms.ModelChoiceField(
        statuses,
        required=False,
        label=label,
        empty_label=_ANY,
        help_text="If the event is that the status changes.",
    )
