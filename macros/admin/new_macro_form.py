"""What is asked for a new macro, whatever it is made from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

from feedback.access.actors import may_in_a_community
from feedback.access.keys import Actor
from feedback.models import Community, FeedbackType, Project

from ..authoring.new_macros import (
    AskedSecret,
    GivenSecret,
    MacroRefused,
    NewMacro,
    NewSecret,
    create_macro,
    new_secrets,
)
from ..models import Macro, Secret
from ..models.secrets import MAX_VALUE, MIN_VALUE
from ..tags import FEEDBACK, SUBJECT_KINDS, TESTER
from .owners import TestersField, one_of, tester_owners
from .secrets import WriteOnly

_ADD_MACRO = "macros.add_macro"
_ADD_SECRET = "macros.add_secret"  # noqa: S105 - a permission
WIDE = "vTextField"


def types_for(user: Actor) -> QuerySet[FeedbackType]:
    """Those to which the user may add macros."""
    rows = FeedbackType.objects.visible_to(user, _ADD_MACRO)
    return rows.select_related("project__community")


def _fields_of(asked: AskedSecret) -> dict[str, forms.Field]:
    """What is asked about a secret, by the name of each field."""
    default = "the secret that already has this name"
    if asked.value:
        default = "the value from the command"
    fields: dict[str, forms.Field] = {
        f"{asked.key}_name": forms.CharField(
            label="Name of the secret",
            max_length=100,
            initial=asked.name,
            widget=forms.TextInput(
                {"class": WIDE, "list": "secrets", "autocomplete": "off"}
            ),
        ),
        f"{asked.key}_value": forms.CharField(
            label=asked.label,
            required=False,
            min_length=MIN_VALUE,
            max_length=MAX_VALUE,
            widget=WriteOnly(
                attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}
            ),
            help_text=f"Nobody can read it back. Leave it empty to use {default}.",
        ),
    }
    if asked.value:
        fields[f"{asked.key}_existing"] = forms.BooleanField(
            label="Use the secret that already has this name", required=False
        )
    return fields


class NewMacroForm(forms.Form):
    """What is always asked: where it belongs, its name and its secrets."""

    description = ""
    name = forms.CharField(
        label="macro name", max_length=100, widget=forms.TextInput({"class": WIDE})
    )

    def __init__(
        self,
        *args: Any,
        user: Actor,
        asked: Sequence[AskedSecret],
        subjects: Collection[str] = SUBJECT_KINDS,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.asked = asked
        only = len(subjects) == 1
        if FEEDBACK in subjects:
            types = types_for(user)
            self.fields["feedback_type"] = forms.ModelChoiceField(types, required=only)
        if TESTER in subjects:
            self.fields["testers_of"] = TestersField(
                tester_owners(user),
                required=only,
                label="testers of" if only else "or testers of",
            )
        self.made: list[NewSecret] = []

    def _ask_for_secrets(self) -> None:
        if self.asked and may_in_a_community(self.user, _ADD_SECRET):
            self.fields["keep_in"] = forms.ChoiceField(
                label="keep new secrets in",
                initial="project",
                choices=[
                    ("project", "the project"),
                    ("community", "the whole community"),
                ],
            )
        for secret in self.asked:
            self.fields |= _fields_of(secret)

    @property
    def secret_rows(self) -> list[tuple[AskedSecret, list[forms.BoundField]]]:
        return [
            (each, [self[name] for name in _fields_of(each)]) for each in self.asked
        ]

    @property
    def known_secrets(self) -> list[str]:
        """The names to choose from: those that the user sees among the secrets."""
        rows = Secret.objects.visible_to(self.user).order_by("name")
        names = rows.values_list("name", flat=True)
        return list(dict.fromkeys(names))

    @property
    def names(self) -> dict[str, str]:
        return {
            each.key: self.cleaned_data.get(f"{each.key}_name", "")
            for each in self.asked
        }

    @property
    def owner_fields(self) -> list[forms.BoundField]:
        names = ("feedback_type", "testers_of")
        return [self[name] for name in names if name in self.fields]

    @property
    def owner(self) -> FeedbackType | Project | Community | None:
        """None where none was chosen."""
        chosen = self.cleaned_data
        return chosen.get("feedback_type") or chosen.get("testers_of")

    def clean(self) -> dict[str, object] | None:
        cleaned = super().clean()
        one_of(self, self.cleaned_data)
        try:
            self.made = new_secrets(self._given(), self.owner, self._settings())
        except MacroRefused as refused:
            self._refuse(refused.problems)
        return cleaned

    def _given(self) -> Iterator[GivenSecret]:
        """But those whose value was refused already."""
        for asked in self.asked:
            if f"{asked.key}_value" not in self.errors:
                name = self.cleaned_data.get(f"{asked.key}_name", "")
                value = self.cleaned_data.get(f"{asked.key}_value") or asked.value
                is_there = self.cleaned_data.get(f"{asked.key}_existing")
                yield GivenSecret(asked, name, "" if is_there else value)

    def _refuse(self, problems: Mapping[str, Sequence[str]]) -> None:
        is_type = isinstance(self.owner, FeedbackType)
        fields = {"owner": "feedback_type" if is_type else "testers_of", "": None}
        for member, sentences in problems.items():
            self.add_error(fields.get(member, member), list(sentences))

    def _settings(self) -> dict[str, str]:
        return {}

    def requests(self) -> Sequence[Mapping[str, object]]:
        raise NotImplementedError

    def save(self) -> Macro | None:
        """None with the errors on their fields where it can't be made."""
        owner = self.owner
        assert owner is not None  # noqa: S101 - a valid form has one
        try:
            new = NewMacro(
                owner,
                self.cleaned_data["name"],
                self.description,
                self.requests(),
                self.made,
                self.cleaned_data.get("keep_in") == "community",
            )
            return create_macro(new, self.user)
        except ValueError as error:
            self.add_error(None, str(error))
        except MacroRefused as refused:
            self._refuse(refused.problems)
        return None
