"""A macro's form: it says once whose tickets or testers the macro runs on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget

from feedback.models import Community

from ..models import Macro
from .owners import TesterOwner, TestersField, one_of

_ABOUT = (
    "Instead of a feedback type: then it is a user macro, and is run on testers. It"
    " stays one."
)


class MacroForm(forms.ModelForm):
    class Meta:
        model = Macro
        fields = "__all__"  # noqa: DJ007 - the admin names them
        widgets = {"description": AdminTextareaWidget({"rows": 2})}

    # Where the user may have user macros; only a new macro can choose.
    owners: list[TesterOwner] = []
    testers_of = forms.CharField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            # Moved, it would take runs, secrets and automation to other people.
            del self.fields["testers_of"]
            if "feedback_type" in self.fields:
                self.fields["feedback_type"].required = True
        else:
            field = TestersField(self.owners, required=False, label="or testers of")
            field.help_text = _ABOUT
            self.fields["testers_of"] = field

    def clean(self) -> dict[str, object]:
        cleaned: dict[str, object] = super().clean() or self.cleaned_data
        one_of(self, cleaned)
        owner = cleaned.get("testers_of")
        if owner and not self.errors.get("testers_of"):
            own = "community" if isinstance(owner, Community) else "project"
            setattr(self.instance, own, owner)
        return cleaned
