"""A type's own questions as form fields, and their answers as stored values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import escape

from .models import FeedbackType, FieldKind, FormField
from .models.numbers import written
from .names import fold

PREFIX = "field_"
_MAX_LENGTH = 10_000


def questions_of(feedback_type: FeedbackType) -> dict[str, forms.Field]:
    """A form field per question, by the name `field_<key>`, in the form's order."""
    return {
        PREFIX + question.key: _form_field(question)
        for question in feedback_type.form_fields.all()
    }


def answers_in(cleaned: Mapping[str, object]) -> dict[str, object]:
    """A validated form's answers as they are stored, by key; blank ones left out."""
    return {
        name.removeprefix(PREFIX): _stored(value)
        for name, value in cleaned.items()
        if name.startswith(PREFIX) and value not in (None, "", [])
    }


def answer_from(question: FormField, text: str) -> object:
    """The answer that a text gives, as it is stored; None for no answer.

    For a multiple choice the text has a choice on each line, or several between commas.
    Raises ValidationError where the question does not take it.
    """
    given: object = text.strip()
    if question.kind == FieldKind.CHECKBOX and given:
        word = text.strip().lower()
        if word not in _TICKED | _UNTICKED:
            raise ValidationError("Give yes or no.")
        given = word in _TICKED
    elif question.kind == FieldKind.MULTIPLE_CHOICE:
        given = _several(question, text.strip())
    elif question.kind == FieldKind.CHOICE:
        given = _as_listed(question, text.strip())
    elif question.kind == FieldKind.LONG_TEXT:
        given = text
    answer = _stored(_reader(question).clean(given))
    return None if answer in ("", []) or given == "" else answer


def answer_to(question: FormField, value: object) -> object:
    """The answer that a value of JSON gives, as it is stored; None for no answer.

    Raises ValidationError where the question does not take it.
    """
    if isinstance(value, list):
        return _answer_of_several(question, value)
    if isinstance(value, bool):
        if question.kind != FieldKind.CHECKBOX:
            raise ValidationError("Give a text, not true or false.")
        return _reader(question).clean(value)
    return answer_from(question, text_of_json(value))


def text_of_json(value: object) -> str:
    """A text or number of JSON as a text; null is an empty one.

    Raises ValidationError for anything else.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return written(Decimal(value))
    raise ValidationError(f"Give a text, not {_KINDS.get(type(value), 'a file')}.")


_KINDS: dict[type, str] = {list: "a list", dict: "an object", bool: "true or false"}


def _answer_of_several(question: FormField, values: list[object]) -> object:
    if question.kind != FieldKind.MULTIPLE_CHOICE:
        raise ValidationError("Give one value, not a list.")
    choices = [_as_listed(question, text_of_json(each).strip()) for each in values]
    return _reader(question).clean(list(dict.fromkeys(choices))) or None


_TICKED = {"true", "yes", "on", "1"}
_UNTICKED = {"false", "no", "off", "0"}


def _several(question: FormField, text: str) -> list[str]:
    whole = _as_listed(question, text)
    if whole in question.choice_list:  # Which may have a comma of its own.
        return [whole]
    parts = text.splitlines() if "\n" in text else text.split(",")
    return [_as_listed(question, part.strip()) for part in parts if part.strip()]


def _as_listed(question: FormField, text: str) -> str:
    """The choice that a text names, as the form lists it."""
    if text in question.choice_list:
        return text
    named = fold(text)
    return next((each for each in question.choice_list if fold(each) == named), text)


def _reader(question: FormField) -> forms.Field:
    """Made once for a question as it is: a thousand answers may be read with it."""
    now = (question.kind, question.required, question.choices)
    known: tuple[object, forms.Field] | None = vars(question).get("_reader")
    if known is None or known[0] != now:
        known = vars(question)["_reader"] = now, _form_field(question)
    return known[1]


def _form_field(question: FormField) -> forms.Field:
    build = _BUILDERS[FieldKind(question.kind)]
    return build(
        question,
        label=question.label,
        required=question.required,
        help_text=escape(question.help_text),  # The admin shows it as markup.
    )


def _choices(question: FormField) -> list[tuple[str, str]]:
    return [(choice, choice) for choice in question.choice_list]


def _choice(question: FormField, **options: Any) -> forms.Field:
    return forms.ChoiceField(
        choices=[("", "---------"), *_choices(question)], **options
    )


def _multiple_choice(question: FormField, **options: Any) -> forms.Field:
    return forms.MultipleChoiceField(
        choices=_choices(question), widget=forms.CheckboxSelectMultiple, **options
    )


def _date(question: FormField, **options: Any) -> forms.Field:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(widget=widget, **options)


def _long_text(question: FormField, **options: Any) -> forms.Field:
    widget = forms.Textarea(attrs={"rows": 4})
    return forms.CharField(max_length=_MAX_LENGTH, widget=widget, **options)


_BUILDERS: dict[FieldKind, Callable[..., forms.Field]] = {
    FieldKind.TEXT: lambda _, **options: forms.CharField(max_length=500, **options),
    FieldKind.LONG_TEXT: _long_text,
    FieldKind.NUMBER: lambda _, **options: forms.DecimalField(
        max_digits=18, decimal_places=6, **options
    ),
    FieldKind.CHOICE: _choice,
    FieldKind.MULTIPLE_CHOICE: _multiple_choice,
    FieldKind.CHECKBOX: lambda _, **options: forms.BooleanField(**options),
    FieldKind.DATE: _date,
    FieldKind.URL: lambda _, **options: forms.URLField(
        assume_scheme="https", max_length=2000, **options
    ),
}


def _stored(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value.normalize()
    if isinstance(value, date):
        return value.isoformat()
    return value
