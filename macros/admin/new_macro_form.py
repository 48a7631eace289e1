"""What is asked for a new macro, whatever it is made from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet

from feedback.access.actors import may_in_a_community
from feedback.access.keys import Actor
from feedback.models import Community, FeedbackType, Project
from feedback.names import fold

from ..authoring.new_macros import MacroRefused, NewMacro, NewSecret, create_macro
from ..authoring.presets import host_of, hosts_for
from ..http import TransportError
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


@dataclass(frozen=True, slots=True)
class AskedSecret:
    """A credential to ask for; a pasted command brings its `value` along."""

    key: str
    name: str
    label: str
    help: str
    kind: str = "text"
    hosts: Sequence[str] = ()
    value: str = ""

    def fields(self) -> dict[str, forms.Field]:
        """What is asked about it, by the name of each field."""
        fields: dict[str, forms.Field] = {
            f"{self.key}_name": forms.CharField(
                label="Name of the secret",
                max_length=100,
                initial=self.name,
                widget=forms.TextInput(
                    {"class": WIDE, "list": "secrets", "autocomplete": "off"}
                ),
            ),
            f"{self.key}_value": forms.CharField(
                label=self.label,
                required=False,
                min_length=MIN_VALUE,
                max_length=MAX_VALUE,
                widget=WriteOnly(
                    attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}
                ),
                help_text="Nobody can read it back. Leave it empty to use "
                f"{self._default}.",
            ),
        }
        if self.value:
            fields[f"{self.key}_existing"] = forms.BooleanField(
                label="Use the secret that already has this name", required=False
            )
        return fields

    @property
    def _default(self) -> str:
        if self.value:
            return "the value from the command"
        return "the secret that already has this name"


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
            self.fields |= secret.fields()

    @property
    def secret_rows(self) -> list[tuple[AskedSecret, list[forms.BoundField]]]:
        return [(each, [self[name] for name in each.fields()]) for each in self.asked]

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
        """Name and new value; no value where a secret that exists is used."""
        name = self.cleaned_data.get(f"{asked.key}_name", "")
        value = self.cleaned_data.get(f"{asked.key}_value") or asked.value
        if self.cleaned_data.get(f"{asked.key}_existing"):
            value = ""
        owner = self.owner
        if owner and name and not value and f"{asked.key}_value" not in self.errors:
            macro = Macro.at(owner)
            usable = Secret.objects.usable_in(macro.community_id, macro.project_id)
            if not usable.named(name):
                where = macro.project or macro.community
                self.add_error(
                    f"{asked.key}_value",
                    f"There is no secret '{name}' for {where} yet. Enter its value.",
                )
        return name, value

    def _hosts(self, asked: AskedSecret, value: str) -> list[str]:
        if asked.kind == "url":
            try:
                return [host_of(value)]
            except TransportError:
                self.add_error(f"{asked.key}_value", "This is not a valid URL.")
                return []
        try:
            return hosts_for(tuple(asked.hosts), self._settings())
        except KeyError:
            return []  # The setting itself is refused.

    def _check_names(self) -> None:
        seen: set[str] = set()
        for new in self.made:
            if fold(new.name) in seen:
                self.add_error(new.key, f"The name '{new.name}' is given twice.")
            seen.add(fold(new.name))

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
            is_type = isinstance(owner, FeedbackType)
            fields = {"owner": "feedback_type" if is_type else "testers_of", "": None}
            for member, problems in refused.problems.items():
                self.add_error(fields.get(member, member), list(problems))
        return None
