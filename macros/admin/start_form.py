"""What every form asks from which a new macro starts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet

from feedback.access.actors import may_in_a_community
from feedback.models import FeedbackType

from ..authoring.new_macros import MacroRefused, NewSecret, Start, create_macro
from ..authoring.presets import host_of, hosts_for
from ..http import TransportError
from ..models import Macro, Secret
from ..models.secrets import MAX_VALUE, MIN_VALUE
from ..tags import FEEDBACK, SUBJECT_KINDS, TESTER
from .places import TestersField, one_of, tester_places
from .secrets import WriteOnly

_ADD_MACRO = "macros.add_macro"
_ADD_SECRET = "macros.add_secret"  # noqa: S105 - a permission
WIDE = "vTextField"


def types_for(user: Any) -> QuerySet[FeedbackType]:
    """Those to which the user may add macros."""
    rows = FeedbackType.objects.visible_to(user, _ADD_MACRO)
    return rows.select_related("project__community")


@dataclass(frozen=True, slots=True)
class AskedSecret:
    """A credential to ask for; `value` is had already where it was pasted."""

    key: str
    name: str
    label: str
    help: str
    kind: str = "text"
    hosts: Sequence[str] = ()
    value: str = ""


class StartForm(forms.Form):
    """What every start asks: where, under which name, with which secrets."""

    description = ""
    name = forms.CharField(
        label="macro name", max_length=100, widget=forms.TextInput({"class": WIDE})
    )

    def __init__(
        self,
        *args: Any,
        user: Any,
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
                tester_places(user),
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
            self.fields[f"{secret.key}_name"] = forms.CharField(
                label="Name",
                max_length=100,
                initial=secret.name,
                widget=forms.TextInput(
                    {"class": WIDE, "list": "secrets", "autocomplete": "off"}
                ),
            )
            self.fields[f"{secret.key}_value"] = forms.CharField(
                label="Value",
                required=False,
                min_length=MIN_VALUE,
                max_length=MAX_VALUE,
                widget=WriteOnly(
                    attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}
                ),
                help_text="Nobody can read it back. "
                + (
                    "Empty: the value from the command."
                    if secret.value
                    else "Empty: the secret of that name that there is already."
                ),
            )
            if secret.value:
                self.fields[f"{secret.key}_existing"] = forms.BooleanField(
                    label="Use the secret of this name that there is already",
                    required=False,
                )

    @property
    def secret_rows(self) -> list[tuple[AskedSecret, list[forms.BoundField]]]:
        parts = ("name", "value", "existing")
        rows = ((each, [f"{each.key}_{part}" for part in parts]) for each in self.asked)
        return [
            (each, [self[name] for name in names if name in self.fields])
            for each, names in rows
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
    def place_fields(self) -> list[forms.BoundField]:
        names = ("feedback_type", "testers_of")
        return [self[name] for name in names if name in self.fields]

    @property
    def place(self) -> Any:
        """A FeedbackType, Project or Community; None where none was chosen."""
        chosen = self.cleaned_data
        return chosen.get("feedback_type") or chosen.get("testers_of")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        one_of(self, self.cleaned_data)
        self.made = [
            NewSecret(f"{each.key}_name", name, value, self._hosts(each, value))
            for each in self.asked
            for name, value in [self._secret(each)]
            if value
        ]
        if not self.errors:
            self._check_names()
        return cleaned

    def _secret(self, asked: AskedSecret) -> tuple[str, str]:
        """Name and new value; no value where one is used that is there."""
        name = self.cleaned_data.get(f"{asked.key}_name", "")
        value = self.cleaned_data.get(f"{asked.key}_value") or asked.value
        if self.cleaned_data.get(f"{asked.key}_existing"):
            value = ""
        place = self.place
        if place and name and not value and f"{asked.key}_value" not in self.errors:
            macro = Macro.at(place)
            usable = Secret.objects.usable_in(macro.community_id, macro.project_id)
            if not usable.named(name):
                owner = macro.project or macro.community
                self.add_error(
                    f"{asked.key}_value",
                    f"There is no secret '{name}' for {owner} yet. Enter its value.",
                )
        return name, value

    def _hosts(self, asked: AskedSecret, value: str) -> list[str]:
        if asked.kind == "url":
            try:
                return [host_of(value)]
            except TransportError:
                self.add_error(f"{asked.key}_value", "This is not a web address.")
                return []
        try:
            return hosts_for(tuple(asked.hosts), self._settings())
        except KeyError:
            return []  # The setting itself is refused.

    def _check_names(self) -> None:
        seen: set[str] = set()
        for new in self.made:
            if new.name.casefold() in seen:
                self.add_error(new.key, f"The name '{new.name}' is given twice.")
            seen.add(new.name.casefold())

    def _settings(self) -> dict[str, str]:
        return {}

    def requests(self) -> Sequence[Mapping[str, Any]]:
        raise NotImplementedError

    def save(self) -> Macro | None:
        """None with the errors on their fields where it can't be made."""
        place = self.place
        try:
            start = Start(
                place,
                self.cleaned_data["name"],
                self.description,
                self.requests(),
                self.made,
                self.cleaned_data.get("keep_in") == "community",
            )
            return create_macro(start, self.user)
        except ValueError as error:
            self.add_error(None, str(error))
        except MacroRefused as refused:
            is_type = isinstance(place, FeedbackType)
            fields = {"place": "feedback_type" if is_type else "testers_of", "": None}
            for member, problems in refused.problems.items():
                self.add_error(fields.get(member, member), list(problems))
        return None
