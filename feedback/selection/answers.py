"""Conditions on the answers to the questions of tickets' forms.

A ticket without an answer is like no answer, but that a checkbox is not ticked then.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

from ..forms import stored_answer
from ..models import FieldKind, FormField
from .conditions import ConditionField, ConditionFilter


class AnswerField(ConditionField):
    """An answer to one of the questions, which have the same key in several types."""

    def __init__(self, *, questions: list[FormField], **options: Any) -> None:
        self.questions = questions
        super().__init__(strip=False, **options)

    def condition(self, text: str) -> Q:
        types: dict[tuple[str, str], list[int]] = defaultdict(list)
        values = {}
        problems: list[str] = []
        for question in self.questions:
            try:
                value = stored_answer(question, text)
            except ValidationError as error:
                problems += error.messages
                continue
            kind = (question.kind, repr(value))
            types[kind].append(question.feedback_type_id)
            values[kind] = value
        if not types:
            raise ValidationError(list(dict.fromkeys(problems)))
        key = self.questions[0].key
        anywhere = (
            _answer_is(ids, key, kind[0], values[kind]) for kind, ids in types.items()
        )
        return Q(*anywhere, _connector=Q.OR)


class AnswerFilter(ConditionFilter):
    field_class = AnswerField


def _answer_is(types: Collection[int], key: str, kind: str, value: object) -> Q:
    """Tickets of types whose forms ask this, with the answer as it is stored.

    For a multiple choice the value is one choice.
    """
    own, answer = Q(feedback_type__in=types), f"form_values__{key}"
    if kind == FieldKind.CHECKBOX and not value:
        # Databases call "not ticked" unknown where no answer is.
        stored = KeyTextTransform(key, "form_values")
        text = Coalesce(stored, Value(""), output_field=TextField())
        return own & ~Q(Exact(text, "true"))
    if kind == FieldKind.MULTIPLE_CHOICE:
        # The one way to look into a JSON list on every database: its text form holds
        # the choice between quotes, escaped (SQLite) or not (PostgreSQL).
        plain, escaped = json.dumps(value, ensure_ascii=False), json.dumps(value)
        among = f"{answer}__icontains"
        return own & (Q(**{among: plain}) | Q(**{among: escaped}))
    return own & Q(**{answer: value})
