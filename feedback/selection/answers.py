"""Tickets by their answers to the questions of their forms."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.db.models import Q

from ..models import Feedback, FieldKind


def answer_is(types: Collection[int], key: str, kind: str, value: Any) -> Q:
    """Tickets of types whose forms ask this, with the answer as it is stored.

    Of a multiple choice the value is one choice. A checkbox is not ticked where no
    answer is.
    """
    own, answer = Q(feedback_type__in=types), f"form_values__{key}"
    if kind == FieldKind.CHECKBOX and not value:
        # Excluded by id: databases call "not ticked" unknown where no answer is.
        ticked = Feedback.objects.filter(own, **{answer: True})
        return own & ~Q(pk__in=ticked.order_by().values("pk"))
    if kind == FieldKind.MULTIPLE_CHOICE:
        # The one way to look into a JSON list on every database: its text form holds
        # the choice between quotes, escaped (SQLite) or not (PostgreSQL).
        plain, escaped = json.dumps(value, ensure_ascii=False), json.dumps(value)
        among = f"{answer}__icontains"
        return own & (Q(**{among: plain}) | Q(**{among: escaped}))
    return own & Q(**{answer: value})
