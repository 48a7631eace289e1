"""What new macros are made from, each with its form: a preset, a pasted command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from ..authoring.curl import ParsedCurl
from ..authoring.new_macros import AskedSecret, Draft, asked_by
from ..authoring.new_macros import draft as draft_from
from ..authoring.presets import Preset, Setting, check_setting, fill
from ..tags import FEEDBACK, TESTER
from .new_macro_form import WIDE, NewMacroForm
from .secrets import WriteOnly


class CommandForm(forms.Form):
    command = forms.CharField(
        label="curl command",
        strip=False,
        widget=WriteOnly(
            attrs={
                "rows": 5,
                "class": "vLargeTextField code",
                "spellcheck": "false",
                "autocomplete": "off",
            }
        ),
        help_text="It is read here and never run. For bash, cmd or PowerShell.",
    )


class PresetForm(NewMacroForm):
    def __init__(self, *args: Any, preset: Preset, **kwargs: Any) -> None:
        asked = list(asked_by(preset))
        subjects = [TESTER if preset.subject_kind == "tester" else FEEDBACK]
        super().__init__(*args, asked=asked, subjects=subjects, **kwargs)
        self.preset = preset
        self.description = preset.summary
        self.fields["name"].initial = preset.title
        for each in preset.settings:
            self.fields[f"setting_{each.key}"] = _setting_field(each)
        self._ask_for_secrets()

    @property
    def setting_fields(self) -> list[forms.BoundField]:
        return [self[f"setting_{each.key}"] for each in self.preset.settings]

    def clean(self) -> dict[str, object] | None:
        for each in self.preset.settings:
            field = f"setting_{each.key}"
            if field in self.cleaned_data:
                try:
                    value = check_setting(each, self.cleaned_data[field])
                    self.cleaned_data[field] = value
                except ValueError as error:
                    self.add_error(field, str(error))
        return super().clean()

    def _settings(self) -> dict[str, str]:
        return {
            each.key: self.cleaned_data[f"setting_{each.key}"]
            for each in self.preset.settings
            if f"setting_{each.key}" in self.cleaned_data
        }

    def requests(self) -> Sequence[Mapping[str, object]]:
        names = {key.removeprefix("secret_"): name for key, name in self.names.items()}
        return fill(self.preset, self._settings(), names)


def _setting_field(setting: Setting) -> forms.Field:
    field: forms.Field = forms.CharField(widget=forms.TextInput({"class": WIDE}))
    if setting.kind == "choice":
        field = forms.ChoiceField(choices=[(each, each) for each in setting.choices])
    field.label, field.initial = setting.label, setting.default
    field.help_text = f"{setting.help} Such as {setting.example}"
    return field


class PastedForm(NewMacroForm):
    """`sealed` is the command, encrypted: the page never holds it in the clear."""

    sealed = forms.CharField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, parsed: ParsedCurl, draft: Draft, **kwargs: Any
    ) -> None:
        asked = [
            AskedSecret(
                f"secret_{each.name}",
                each.name,
                each.label,
                "",
                hosts=each.hosts,
                value=each.value,
            )
            for each in draft.credentials
        ]
        super().__init__(*args, asked=asked, **kwargs)
        self.parsed = parsed
        self.fields["name"].initial = f"Send to {draft.host or 'another system'}"[:100]
        self._ask_for_secrets()

    def requests(self) -> Sequence[Mapping[str, object]]:
        names = {key.removeprefix("secret_"): name for key, name in self.names.items()}
        return [draft_from(self.parsed, names).fields]
