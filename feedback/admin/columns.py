"""The columns of the list of tickets that a type brings along."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.contrib import admin

from ..forms import PREFIX
from ..models import Feedback, FormField


def answer_column(question: FormField) -> Callable[[Feedback], str]:
    @admin.display(description=question.label)
    def answer(ticket: Feedback) -> str:
        return _in_cell(ticket.form_values.get(question.key))

    answer.__name__ = _class_name(PREFIX + question.key)
    return answer


def external_column(name: str) -> Callable[[Feedback], str]:
    @admin.display(description=name)
    def value(ticket: Feedback) -> str:
        return _in_cell(ticket.external_data.get(name))

    value.__name__ = _class_name(f"external_{name}")
    return value


def _class_name(name: str) -> str:
    """The admin writes it into the cell's class as it is."""
    return re.sub(r"[^\w-]+", "_", name)


def _in_cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return "-" if value in (None, "") else str(value)
