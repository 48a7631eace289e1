"""A type's own questions: what each kind takes, and how the answer is stored."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django import forms

from feedback.forms import answers_in, questions_of
from feedback.models import FeedbackType, FieldKind, FormField
from tests import factories

pytestmark = pytest.mark.django_db


def filled_in(of: FeedbackType, **answers: Any) -> forms.Form:
    form: type[forms.Form] = type("Questions", (forms.Form,), questions_of(of))
    return form({f"field_{key}": value for key, value in answers.items()})


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def test_the_form_asks_every_question_in_its_order(bugs: FeedbackType) -> None:
    FormField.objects.filter(key="steps").update(position=0, help_text="One a line")
    FormField.objects.filter(key="severity").update(position=99, required=True)

    asked = questions_of(bugs)

    assert [(name, field.label) for name, field in asked.items()] == [
        ("field_steps", "Steps"),
        ("field_platform", "Platform"),
        ("field_reproducible", "Reproducible"),
        ("field_impact", "Impact"),
        ("field_found_on", "Found on"),
        ("field_page", "Page"),
        ("field_app_version", "App version"),
        ("field_severity", "Severity"),
    ]
    assert asked["field_steps"].help_text == "One a line"
    assert [name for name, field in asked.items() if field.required] == [
        "field_severity"
    ]


def test_answers_are_stored_by_key_in_the_type_of_their_kind(
    bugs: FeedbackType,
) -> None:
    form = filled_in(
        bugs,
        severity="Critical",
        platform=["Grün", "iOS"],
        reproducible="on",
        impact="7",
        found_on="2026-11-23",
        page="example.com/page?a=b",
        app_version=" 1.2 ",
        steps="Open\nClose",
    )
    assert form.is_valid(), form.errors
    assert answers_in(form.cleaned_data) == {
        "severity": "Critical",
        "platform": ["Grün", "iOS"],
        "reproducible": True,
        "impact": 7,
        "found_on": "2026-11-23",
        "page": "https://example.com/page?a=b",
        "app_version": "1.2",
        "steps": "Open\nClose",
    }


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("7", 7),
        ("-3", -3),
        ("0", 0),
        ("7.0", 7),
        ("1.5", Decimal("1.5")),
        ("1e3", 1000),
    ],
)
def test_a_whole_number_is_stored_as_one(
    bugs: FeedbackType, given: str, stored: int | Decimal
) -> None:
    form = filled_in(bugs, impact=given)
    assert form.is_valid(), form.errors
    impact = answers_in(form.cleaned_data)["impact"]
    assert (impact, type(impact)) == (stored, type(stored))


def test_questions_left_blank_are_not_stored_but_an_empty_box_is_a_no(
    bugs: FeedbackType,
) -> None:
    form = filled_in(bugs)
    assert form.is_valid(), form.errors
    assert answers_in(form.cleaned_data) == {"reproducible": False}


@pytest.mark.parametrize(
    ("key", "bad", "message"),
    [
        (
            "severity",
            "Huge",
            "Select a valid choice. Huge is not one of the available choices.",
        ),
        (
            "platform",
            ["iOS", "Amiga"],
            "Select a valid choice. Amiga is not one of the available choices.",
        ),
        ("impact", "a lot", "Enter a number."),
        ("impact", "NaN", "Enter a number."),
        ("impact", "Infinity", "Enter a number."),
        (
            "impact",
            "1.0000001",
            "Ensure that there are no more than 6 decimal places.",
        ),
        ("found_on", "2026-02-30", "Enter a valid date."),
        ("page", "no address", "Enter a valid URL."),
        ("page", "javascript:alert(1)", "Enter a valid URL."),
        (
            "app_version",
            "x" * 501,
            "Ensure this value has at most 500 characters (it has 501).",
        ),
        (
            "steps",
            "x" * 10_001,
            "Ensure this value has at most 10000 characters (it has 10001).",
        ),
        ("app_version", "a\0b", "Null characters are not allowed."),
    ],
)
def test_a_bad_answer_is_refused_at_its_question(
    bugs: FeedbackType, key: str, bad: Any, message: str
) -> None:
    assert filled_in(bugs, **{key: bad}).errors == {f"field_{key}": [message]}


@pytest.mark.parametrize("kind", FieldKind.values)
def test_a_required_question_of_any_kind_wants_an_answer(
    bugs: FeedbackType, kind: str
) -> None:
    FormField.objects.filter(feedback_type=bugs, kind=kind).update(required=True)
    question = FormField.objects.get(feedback_type=bugs, kind=kind)
    assert filled_in(bugs).errors == {
        f"field_{question.key}": ["This field is required."]
    }
