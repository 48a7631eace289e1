"""A ticket's own form, with the questions of its type and new files."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat

from ..forms import PREFIX, answers_in
from ..models import Attachment, Feedback, FeedbackType, Status
from .conversation import FilesField


class TicketForm(forms.ModelForm):
    """A ticket with its type's own questions, stored together in `form_values`."""

    class Meta:
        model = Feedback
        fields = ["title", "description", "status", "visibility", "submitter"]

    attach = FilesField(label="Add files", required=False)
    detach = forms.ModelMultipleChoiceField(
        Attachment.objects.none(),
        label="Delete",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    feedback_type: FeedbackType

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.feedback_type_id is None:
            self.instance.feedback_type = self.feedback_type
        self._offer_files()
        statuses = Status.objects.filter(feedback_type=self.feedback_type)
        if "status" in self.fields:
            self.fields["status"].queryset = statuses  # type: ignore[attr-defined]
        for key, value in self.instance.form_values.items():
            self.initial.setdefault(PREFIX + key, value)

    def _offer_files(self) -> None:
        files = cast(FilesField, self.fields["attach"])
        files.ticket = self.instance
        files.help_text = (
            f"At most {filesizeformat(settings.ATTACHMENT_MAX_BYTES)} each, and"
            f" {settings.ATTACHMENTS_PER_TICKET} on a ticket. They are added when you"
            " save."
        )
        if not (self.instance.pk and self.instance.attachments.exists()):
            del self.fields["detach"]
            return
        detach = cast(forms.ModelMultipleChoiceField, self.fields["detach"])
        detach.queryset = self.instance.attachments.all()

    def clean(self) -> dict[str, object]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.instance.form_values = self.answered(self.instance.form_values)
        return cleaned

    def answered(self, stored: dict[str, Any]) -> dict[str, Any]:
        """The answers that are stored, with those that were edited in their place."""
        edited = [name for name in self.changed_data if name.startswith(PREFIX)]
        answers = {name.removeprefix(PREFIX) for name in edited}
        kept = {key: value for key, value in stored.items() if key not in answers}
        given = {name: self.cleaned_data.get(name) for name in edited}
        return kept | answers_in(given)
