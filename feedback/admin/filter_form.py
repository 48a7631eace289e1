"""The form of a filter, on its page and as it is written there."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from ..access.keys import Actor
from ..console.owners import Selected, SelectedField, selected_by
from ..models import Feedback, Filter, SubjectKind, Tester
from ..selection.catalogue import Catalogue
from ..selection.qualifiers import Qualifier
from ..selection.saved import catalogue_for, parsed
from .conditions_field import ConditionsField, ConditionsWidget

SELECTS = "selects"
CONDITIONS = "conditions"
# Names of external data are found in so many of the newest rows.
_LOOKED_AT = 200
_MAX_NAMES = 200


class FilterForm(forms.ModelForm):
    """A new filter says what it selects; one that is there stays with it."""

    class Meta:
        model = Filter
        fields = ["name", "description", "conditions"]
        field_classes = {"conditions": ConditionsField}
        widgets = {"conditions": ConditionsWidget}

    # Who writes it, and what they may add filters for.
    actor: Actor | None = None
    selectable: list[Selected] = []
    selects = forms.CharField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "description" in self.fields:
            self.fields["description"].widget.attrs["rows"] = 3
        chosen = None
        if self.instance.pk is None:
            self.fields[SELECTS] = SelectedField(self.selectable)
            chosen = self._chosen()
            if chosen is not None:
                chosen.give(self.instance)
        else:
            del self.fields[SELECTS]
            chosen = selected_by(self.instance)
        if chosen is not None and CONDITIONS in self.fields:
            self._offer(chosen)

    def _post_clean(self) -> None:
        """What it selects is asked for first: without it nothing can be checked."""
        if self.instance.pk is not None or self.instance.community_id is not None:
            super()._post_clean()  # type: ignore[misc]

    def clean_conditions(self) -> Any:
        conditions = self.cleaned_data[CONDITIONS]
        if conditions != self.initial.get(CONDITIONS) and self.instance.community_id:
            refuse_unseen(conditions, selected_by(self.instance), self.actor)
        return conditions

    def _chosen(self) -> Selected | None:
        """What a form that was sent, or a link that led here, says."""
        name = self.add_prefix(SELECTS)
        key = self.data.get(name) if self.is_bound else self.initial.get(SELECTS)
        return next((each for each in self.selectable if each.key == key), None)

    def _offer(self, chosen: Selected) -> None:
        widget = self.fields[CONDITIONS].widget
        catalogue = catalogue_for(chosen.owner, chosen.kind, self.actor)
        widget.fields = catalogue.fields
        widget.external_names = external_names(chosen)
        if not self.is_bound and self.instance.pk is not None:
            widget.problems = problems_by_row(self.instance)


def problems_by_row(row: Filter) -> dict[str, str]:
    """Sentences by the path of the condition that each is about."""
    _, problems = parsed(row.conditions, row.owner, row.subject_kind)
    sentences: dict[str, str] = {}
    for each in problems:
        path = each.path
        for member in ("field", "qualifier", "value"):
            path = path.removesuffix(f".{member}")
        sentences.setdefault(path, each.sentence)
    return sentences


def refuse_unseen(conditions: object, chosen: Selected, actor: Actor | None) -> None:
    """Raises ValidationError where they name a project that the actor can't see."""
    _, seen = parsed(conditions, chosen.owner, chosen.kind, actor)
    _, every = parsed(conditions, chosen.owner, chosen.kind)
    unseen = [each for each in seen if each not in every]
    if unseen:
        raise ValidationError([each.sentence for each in unseen])


def draft_from(
    data: QueryDict, saved: Filter | None, selectable: list[Selected], actor: Actor
) -> Filter:
    """The filter as it is written in a form, which is not saved.

    Raises ValidationError where it does not say what it selects.
    """
    made = Filter()
    if saved is None:
        chosen = SelectedField(selectable).clean(data.get(SELECTS, ""))
    else:
        chosen, made.name = selected_by(saved), saved.name
    chosen.give(made)
    widget = ConditionsWidget()
    widget.fields = catalogue_for(chosen.owner, chosen.kind, actor).fields
    made.conditions = widget.value_from_datadict(data, None, CONDITIONS)
    if saved is None or made.conditions != saved.conditions:
        refuse_unseen(made.conditions, chosen, actor)
    return made


def described(chosen: Selected, actor: Actor) -> dict[str, object]:
    """The catalogue for a script that builds conditions."""
    catalogue = catalogue_for(chosen.owner, chosen.kind, actor)
    fields = {each.name: field_in_words(each) for each in catalogue.fields.values()}
    return {
        "fields": fields,
        "external": field_in_words(_any_external(catalogue)),
        "qualifiers": qualifiers_in_words(),
        "names": external_names(chosen),
    }


def field_in_words(field: Any) -> dict[str, object]:
    return {
        "name": field.name,
        "label": field.label,
        "kind": field.kind.name,
        "qualifiers": [str(each) for each in field.qualifiers],
        "offered": [[str(value), label] for value, label in field.offered],
    }


def qualifiers_in_words() -> dict[str, dict[str, str]]:
    return {
        str(each): {"label": str(each.label), "shape": each.shape.value}
        for each in Qualifier
    }


def _any_external(catalogue: Catalogue) -> Any:
    field = catalogue.find("external_name")
    if field is None:
        raise ValidationError("External data can't be compared.")
    return field


def external_names(chosen: Selected) -> list[str]:
    """The names that the newest rows have."""
    rows: Any
    if chosen.kind == SubjectKind.FEEDBACK:
        where = {
            "feedbacktype": "feedback_type",
            "project": "feedback_type__project",
            "community": "feedback_type__project__community",
        }
        path = where[str(chosen.owner._meta.model_name)]
        rows = Feedback.objects.filter(**{path: chosen.owner.pk})
    else:
        rows = Tester.objects.filter(community=chosen.community)
    newest = rows.order_by("-pk").values_list("external_data", flat=True)[:_LOOKED_AT]
    names = dict.fromkeys(name for data in newest for name in data or {})
    return sorted(islice(names, _MAX_NAMES))
