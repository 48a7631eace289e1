"""What is asked for a listener that is made from a preset."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from feedback.access.keys import Actor
from feedback.access.roles import RUN_MACRO
from feedback.access.unlocking import locked_message
from feedback.console.owners import Selected, SelectedField, selectable
from feedback.models import ApiKey, Community, FeedbackType, Project, SubjectKind

from ..listeners.presets import (
    Asked,
    ListenerPreset,
    ListenerRefused,
    NewListener,
    create_listener,
)
from ..models import Listener, Macro, Secret
from ..models.secrets import MAX_VALUE, MIN_VALUE
from .new_macro_form import WIDE
from .secrets import WriteOnly

# Characters of what is asked for, on one line and on several.
MAX_SETTING = 200
MAX_LINES = 2_000
_ADD = "macros.add_listener"
_VIEW_KEY = "feedback.view_apikey"
_LINES = {"rows": 4, "class": "vLargeTextField", "spellcheck": "false"}


def owners_for(user: Actor, preset: ListenerPreset) -> list[Selected]:
    """Where the user may have a listener from the preset."""
    rows = selectable(user, _ADD, whole_communities=True)
    rows = [each for each in rows if each.kind == preset.subject_kind]
    if not preset.creates:
        return rows
    return [each for each in rows if isinstance(each.owner, FeedbackType)]


class PresetListenerForm(forms.Form):
    name = forms.CharField(
        label="name", max_length=100, widget=forms.TextInput({"class": WIDE})
    )

    def __init__(
        self,
        *args: Any,
        user: Actor,
        preset: ListenerPreset,
        about: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.preset = user, preset
        of = self._ask_for_owner(about)
        self.fields["name"].initial = preset.title
        for asked in preset.settings:
            self.fields[asked.key] = asked_field(asked, of)
        if preset.secret is not None:
            self._ask_for_secret()
        if preset.takes_key:
            self._ask_for_key()
        self.fields["macro"] = forms.ModelChoiceField(
            _macros(user, preset.subject_kind),
            required=False,
            label="Also run",
            empty_label="No macro",
            help_text="A macro that is run after all else, with ((Payload: ...)) in"
            " its templates.",
        )

    def _ask_for_owner(self, about: str) -> FeedbackType | None:
        """The feedback type that is chosen beforehand, if one is."""
        rows = owners_for(self.user, self.preset)
        chosen = next((each for each in rows if each.key == about), None)
        if chosen is None and len(rows) == 1:
            chosen = rows[0]
        self.fields["owner"] = SelectedField(
            rows,
            label="The calls are about",
            initial=chosen and chosen.key,
            error_messages={"required": "Choose what the calls are about."},
        )
        owner = chosen.owner if chosen else None
        return owner if isinstance(owner, FeedbackType) else None

    def _ask_for_key(self) -> None:
        keys = ApiKey.objects.visible_to(self.user, _VIEW_KEY)
        self.fields["api_key"] = forms.ModelChoiceField(
            keys.filter(scope_listener=True),
            required=False,
            label="API key",
            empty_label="Any of the community with the scope listener",
        )

    def _ask_for_secret(self) -> None:
        secret = self.preset.secret
        assert secret is not None  # noqa: S101 - looked at before
        self.fields["secret_name"] = forms.CharField(
            label="Name of the secret",
            max_length=100,
            initial=secret.name,
            widget=forms.TextInput(
                {"class": WIDE, "list": "secrets", "autocomplete": "off"}
            ),
        )
        self.fields["secret_value"] = forms.CharField(
            label=secret.label,
            required=False,
            min_length=MIN_VALUE,
            max_length=MAX_VALUE,
            widget=WriteOnly(
                attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}
            ),
            help_text=f"{secret.help} Nobody can read it back. Leave it empty to use"
            " the secret that already has this name.",
        )

    @property
    def known_secrets(self) -> list[str]:
        """The names to choose from: those that the user sees among the secrets."""
        rows = Secret.objects.visible_to(self.user).order_by("name")
        return list(dict.fromkeys(rows.values_list("name", flat=True)))

    @property
    def first_fields(self) -> list[forms.BoundField]:
        settings = [each.key for each in self.preset.settings]
        return [self[name] for name in ("owner", "name", *settings, "macro")]

    @property
    def caller_fields(self) -> list[forms.BoundField]:
        names = ("secret_name", "secret_value", "api_key")
        return [self[name] for name in names if name in self.fields]

    def clean(self) -> dict[str, object] | None:
        cleaned = super().clean()
        about: Selected | None = self.cleaned_data.get("owner")
        if about is None:
            return cleaned
        if not about.community.is_unlocked():
            self.add_error("owner", locked_message(about.community))
        macro: Macro | None = self.cleaned_data.get("macro")
        if macro is not None and not _fits(macro, about.owner):
            problem = f"It runs on {macro.runs_on}, and the listener works on others."
            self.add_error("macro", problem)
        key: ApiKey | None = self.cleaned_data.get("api_key")
        if key is not None and key.community_id != about.community.pk:
            self.add_error("api_key", "It is of another community.")
        return cleaned

    def save(self) -> Listener | None:
        """None with the errors on their fields where it can't be made."""
        chosen = self.cleaned_data
        new = NewListener(
            self.preset,
            chosen["owner"].owner,
            chosen["name"],
            {each.key: chosen[each.key] for each in self.preset.settings},
            chosen.get("secret_name", ""),
            chosen.get("secret_value", ""),
            chosen.get("api_key"),
            chosen["macro"],
        )
        try:
            return create_listener(new, self.user)
        except ListenerRefused as refused:
            for name, problems in refused.problems.items():
                for problem in problems:
                    self.add_error(name or None, problem)
        return None


def asked_field(asked: Asked, of: FeedbackType | None) -> forms.CharField:
    widget = (
        forms.Textarea({**_LINES})
        if asked.lines
        else forms.TextInput({"class": WIDE, "autocomplete": "off"})
    )
    return forms.CharField(
        label=asked.label,
        help_text=asked.help,
        initial=asked.default_for(of),
        required=not asked.is_optional,
        max_length=MAX_LINES if asked.lines else MAX_SETTING,
        widget=widget,
    )


def _macros(user: Actor, kind: SubjectKind) -> QuerySet[Macro]:
    rows = Macro.objects.visible_to(user, RUN_MACRO)
    rows = rows.filter(feedback_type__isnull=kind == SubjectKind.TESTER)
    return rows.select_related("feedback_type__project", "project", "community")


def _fits(macro: Macro, owner: FeedbackType | Project | Community) -> bool:
    """Whether the macro may run on something that the listener finds."""
    if isinstance(owner, FeedbackType):
        return macro.feedback_type_id == owner.pk
    if isinstance(owner, Project):
        is_wide = macro.project_id is None and macro.community_id == owner.community_id
        return is_wide or macro.project_id == owner.pk
    return macro.project_id is None and macro.community_id == owner.pk
