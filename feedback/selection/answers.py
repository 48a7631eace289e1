"""Answers to the questions of tickets' forms, as fields of the catalogue.

A ticket without an answer is like no answer, but that a checkbox is not ticked then.
What is left of a question's former kind counts as no answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from ..models import FieldKind, FormField
from .fields import AnswerField, Part
from .kinds import ChoiceKind, ChoicesKind, Kind, TextKind, TruthKind
from .ordered import DateKind, NumberKind
from .stored import IsListAt, IsTrueAt, NumberAt, StoredValue, TextAt

_COLUMN = "form_values"
_STORED: dict[str, type[StoredValue]] = {
    FieldKind.NUMBER: NumberAt,
    FieldKind.MULTIPLE_CHOICE: IsListAt,
    FieldKind.CHECKBOX: IsTrueAt,
}
_KINDS: dict[str, Callable[[FormField], Kind]] = {
    FieldKind.NUMBER: lambda _: NumberKind(),
    FieldKind.DATE: lambda _: DateKind(),
    FieldKind.CHECKBOX: lambda _: TruthKind(),
    FieldKind.CHOICE: lambda question: ChoiceKind(tuple(question.choice_list)),
    FieldKind.MULTIPLE_CHOICE: lambda question: ChoicesKind(
        tuple(question.choice_list)
    ),
}


def by_key(questions: Iterable[FormField]) -> dict[str, list[FormField]]:
    """Those of one key together, which several types may ask."""
    grouped: dict[str, list[FormField]] = defaultdict(list)
    for question in questions:
        grouped[question.key.lower()].append(question)
    return grouped


def answer_field(
    name: str, questions: Sequence[FormField], *, is_only_type: bool
) -> AnswerField:
    """Those of one key, which may be asked as different kinds in several types."""
    key, label = questions[0].key, questions[0].label
    types: dict[tuple[Kind, type[StoredValue]], list[int]] = defaultdict(list)
    for question in questions:
        kind = kind_of(question)
        stored = _STORED.get(question.kind, TextAt)
        types[kind, stored].append(question.feedback_type_id)
    parts = tuple(
        Part(kind, stored(_COLUMN, key), None if is_only_type else tuple(own))
        for (kind, stored), own in types.items()
    )
    return AnswerField(
        name=name,
        label=label,
        kind=parts[0].kind,
        shown=f"{_COLUMN}__{key}",
        parts=parts,
    )


def kind_of(question: FormField) -> Kind:
    make = _KINDS.get(question.kind)
    return TextKind() if make is None else make(question)
