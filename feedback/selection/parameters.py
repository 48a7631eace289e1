"""Conditions of the catalogue, given as parameters of a list's address.

Each parameter means conditions as a saved filter has them, and the compiler makes
their Q.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from ..names import did_you_mean
from .catalogue import Catalogue
from .compiler import MAX_VALUES, Condition, Group, condition_of
from .conditions import (
    MOMENT_SCHEMA,
    ConditionField,
    ConditionFilter,
    rows_named,
    search_words,
)
from .external import EXTERNAL_PREFIX, PRESENCE_PREFIX, ExternalField, is_name
from .fields import Field, Given, RowField
from .kinds import ChoicesKind, Moment, TruthKind
from .qualifiers import Qualifier
from .values import read_moment

TRUTH = ("true", "false")
_TRUTH_IN_WORDS = {"true": "yes", "false": "no"}


class ParameterField(ConditionField):
    """A text that is the value of a condition on `compared`."""

    match = "all"

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        compared: Field,
        qualifier: Qualifier = Qualifier.IS,
        **options: Any,
    ) -> None:
        self.catalogue = catalogue
        self.compared = compared
        self.qualifier = qualifier
        super().__init__(**options)

    def condition(self, text: str) -> Q:
        return q_of(self.group([text]), self.catalogue)

    def group(self, values: list[str]) -> Group:
        """The conditions that are meant. Raises ValidationError."""
        return Group(self.match, [*self.conditions(self._clean(values[0]))])

    def _clean(self, text: str) -> str:
        return text.strip() if self.strip else text

    def conditions(self, text: str) -> Sequence[Condition]:
        return [self.one(self.qualifier, text)]

    def one(self, qualifier: Qualifier, value: object) -> Condition:
        return condition_of(self.compared, qualifier, value, self.catalogue.zone)


def q_of(group: Group, catalogue: Catalogue) -> Q:
    return group.q(Moment(timezone.now(), catalogue.zone))


class ParameterFilter(ConditionFilter):
    """`compares` names the field of the catalogue, where it is not the parameter's."""

    field_class: type[ParameterField] = ParameterField

    def __init__(
        self, compares: str = "", *, compared: Field | None = None, **options: Any
    ) -> None:
        self.compares = compares
        self.compared = compared
        super().__init__(**options)

    @property
    def field(self) -> Any:
        catalogue: Catalogue = self.parent.catalogue
        compared = self.compared or catalogue.own[self.compares]
        return self.field_class(catalogue=catalogue, compared=compared, **self.extra)


class MomentField(ParameterField):
    """A moment of the caller's time zone, which may not be the filter's."""

    def conditions(self, text: str) -> Sequence[Condition]:
        moment = read_moment(text, self.catalogue.zone).start
        return [self.one(self.qualifier, moment.isoformat())]


class MomentParameter(ParameterFilter):
    field_class = MomentField

    @property
    def schema(self) -> dict[str, Any]:
        return MOMENT_SCHEMA


def _truth_in_words(values: list[str]) -> str:
    return ", ".join(_TRUTH_IN_WORDS.get(each, each) for each in values)


class EnumParameter(ParameterFilter):
    """One of the words that `words` lists for the API's description."""

    def __init__(self, *names: str, words: Sequence[str], **options: Any) -> None:
        self.words = words
        super().__init__(*names, **options)

    @property
    def schema(self) -> dict[str, Any]:
        return {"schema": {"type": "string", "enum": [*self.words]}}


class TruthField(ParameterField):
    """`true` or `false`: a qualifier, or the one it is the complement of."""

    def conditions(self, text: str) -> Sequence[Condition]:
        if text not in TRUTH:
            raise ValidationError("Give one of: true, false.")
        is_true = text == "true"
        wanted, other = _OTHERS[self.qualifier]
        return [self.one(wanted if is_true else other, None)]

    def in_words(self, values: list[str]) -> str:
        return _truth_in_words(values)


_OTHERS = {
    Qualifier.YES: (Qualifier.YES, Qualifier.NO),
    Qualifier.NO: (Qualifier.NO, Qualifier.YES),
    Qualifier.IS_NOT_EMPTY: (Qualifier.IS_NOT_EMPTY, Qualifier.IS_EMPTY),
}


class TruthParameter(EnumParameter):
    field_class = TruthField

    def __init__(self, *names: str, **options: Any) -> None:
        super().__init__(*names, words=TRUTH, **options)


class WordsField(ParameterField):
    """Every word must be in it."""

    def conditions(self, text: str) -> Sequence[Condition]:
        return [self.one(Qualifier.CONTAINS, word) for word in search_words(text)]


class WordsParameter(ParameterFilter):
    field_class = WordsField


class AnswerParameterField(ParameterField):
    """An answer as each kind of question is asked for it: any of them."""

    match = "any"

    def in_words(self, values: list[str]) -> str:
        kinds = [part.kind for part in self.compared.parts]  # type: ignore[attr-defined]
        is_truth = all(isinstance(kind, TruthKind) for kind in kinds)
        return _truth_in_words(values) if is_truth else super().in_words(values)

    def conditions(self, text: str) -> Sequence[Condition]:
        kinds = [part.kind for part in self.compared.parts]  # type: ignore[attr-defined]
        conditions: dict[Qualifier, Condition] = {}
        problems: list[str] = []
        for kind in kinds:
            try:
                qualifier, value = _asked(kind, text)
                conditions.setdefault(qualifier, self.one(qualifier, value))
            except ValidationError as error:
                problems += error.messages
        if not conditions:
            raise ValidationError(list(dict.fromkeys(problems)))
        return list(conditions.values())


def _asked(kind: Any, text: str) -> tuple[Qualifier, object]:
    if isinstance(kind, TruthKind):
        if text not in TRUTH:
            raise ValidationError("Give one of: true, false.")
        return (Qualifier.YES if text == "true" else Qualifier.NO), None
    if isinstance(kind, ChoicesKind):
        return Qualifier.CONTAINS, text
    return Qualifier.IS, text


class AnswerParameter(ParameterFilter):
    field_class = AnswerParameterField

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, **options)


class RowsField(forms.Field):
    """Rows by number or name; given several times, any of them."""

    widget = forms.MultipleHiddenInput

    def __init__(
        self, *, catalogue: Catalogue, compared: RowField, **options: Any
    ) -> None:
        self.catalogue = catalogue
        self.compared = compared
        super().__init__(**options)

    def clean(self, value: list[str] | None) -> Q | None:
        return q_of(self.group(value), self.catalogue) if value else None

    def group(self, values: list[str]) -> Group:
        if len(values) > MAX_VALUES:
            raise ValidationError(f"Give at most {MAX_VALUES} values.")
        names = {pk: name for each in values for pk, name in self._rows(each)}
        keys = sorted(names)
        given = Given(keys, [*keys], [names[key] for key in keys])
        qualifier = Qualifier.IS if len(keys) == 1 else Qualifier.IS_ONE_OF
        return Group("all", [Condition(self.compared, qualifier, given)])

    def of_row(self, pk: int) -> Q:
        """The condition of a row that is known."""
        known = Condition(self.compared, Qualifier.IS, Given([pk], [pk], [str(pk)]))
        return q_of(Group("all", [known]), self.catalogue)

    def in_words(self, values: list[str]) -> str:
        named = (
            rows_named(self.compared.rows, each).values_list("name") for each in values
        )
        return ", ".join(dict.fromkeys(name for rows in named for (name,) in rows))

    def _rows(self, text: str) -> list[tuple[int, str]]:
        rows = self.compared.rows
        named = list(rows_named(rows, text).values_list("pk", "name"))
        if not named:
            names = rows.order_by("name").values_list("name", flat=True)
            hint = did_you_mean(text, names.distinct()[:1000])
            kind = rows.model._meta.verbose_name
            raise ValidationError(f"There is no {kind} '{text[:100]}'.{hint}")
        return named


class RowsParameter(ParameterFilter):
    field_class = RowsField  # type: ignore[assignment]

    @property
    def schema(self) -> dict[str, Any]:
        several = {"type": "array", "items": {"type": "string", "minLength": 1}}
        return {"schema": several, "style": "form", "explode": True}


def external_parameters(names: Iterable[str]) -> dict[str, ConditionFilter]:
    """The conditions on external data among these parameters, by parameter."""
    parameters: dict[str, ConditionFilter] = {}
    for parameter in names:
        presence = parameter.removeprefix(PRESENCE_PREFIX)
        name = parameter.removeprefix(EXTERNAL_PREFIX)
        if presence != parameter and is_name(presence):
            parameters[parameter] = TruthParameter(
                compared=ExternalField.of_name(presence),
                qualifier=Qualifier.IS_NOT_EMPTY,
                title=f"has {presence}",
            )
        elif name != parameter and is_name(name):
            external = ExternalField.of_name(name)
            parameters[parameter] = ParameterFilter(compared=external, title=name)
    return parameters
