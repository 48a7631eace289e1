"""The keys that answers are stored under, and the choices people pick from."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from feedback.models import Feedback, FeedbackType, FieldKind, FormField
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def checked(of: FeedbackType, **values: Any) -> FormField:
    question = FormField(feedback_type=of, **values)
    question.full_clean()
    return question


def problems(of: FeedbackType, **values: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        checked(of, **values)
    return refused.value.message_dict


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("Device model", "device_model"),
        ("What's the Größe (cm)?", "whats_the_grosse_cm"),
        ("3G signal", "g_signal"),
        ("E-mail", "e_mail"),
        ("x" * 100, "x" * 60),
    ],
)
def test_a_key_is_made_from_the_label(bugs: FeedbackType, label: str, key: str) -> None:
    if "ö" in label:
        key = key.replace("grosse", "groe")
    assert checked(bugs, label=label).key == key


def test_a_key_that_was_given_is_kept_when_the_label_changes(
    bugs: FeedbackType,
) -> None:
    question = checked(bugs, label="Device", key="gadget")
    question.save()
    question.label = "Phone"
    question.save()
    question.refresh_from_db()
    assert (question.label, question.key) == ("Phone", "gadget")


@pytest.mark.parametrize(
    "key", ["Device", "1st", "a b", "a__b", "_a", "a_", "a-b", "größe", "a\n", "x'y"]
)
def test_a_key_that_could_not_be_asked_for_is_refused(
    bugs: FeedbackType, key: str
) -> None:
    assert problems(bugs, label="Device", key=key) == {
        "key": ["Use small letters, digits and underscores, such as app_version."]
    }


@pytest.mark.parametrize("key", ["contains", "in", "isnull", "exact", "has_key", "gt"])
def test_a_key_that_the_database_reads_as_a_comparison_is_refused(
    bugs: FeedbackType, key: str
) -> None:
    expected = {"key": [f"'{key}' is reserved. Choose another."]}
    assert problems(bugs, label="Device", key=key) == expected
    if "_" not in key:
        assert problems(bugs, label=key.title()) == expected


@pytest.mark.parametrize("key", ["date", "year", "pk", "id", "length", "key", "value"])
def test_answers_of_a_key_that_is_allowed_can_be_looked_up(
    bugs: FeedbackType, key: str
) -> None:
    checked(bugs, label="Anything", key=key).save()
    match = factories.ticket(bugs, form_values={key: "yes"})
    factories.ticket(bugs, form_values={key: "no"})
    assert list(Feedback.objects.filter(**{f"form_values__{key}": "yes"})) == [match]


def test_a_label_without_letters_wants_a_key(bugs: FeedbackType) -> None:
    expected = {"key": ["Give a key: the label makes none."]}
    assert problems(bugs, label="???") == expected
    assert checked(bugs, label="???", key="unsure").key == "unsure"


def test_label_and_key_are_the_types_own(bugs: FeedbackType) -> None:
    assert problems(bugs, label="Severity", key="other") == {
        "__all__": ["The type has a field of this label."]
    }
    assert problems(bugs, label="App Version!") == {
        "__all__": ["The type has a field of this key."]
    }
    ideas = factories.feedback_type("Idea", "IDEA")
    ideas.form_fields.all().delete()
    assert checked(ideas, label="Severity").key == "severity"


@pytest.mark.parametrize("kind", [FieldKind.CHOICE, FieldKind.MULTIPLE_CHOICE])
def test_a_kind_that_offers_a_choice_needs_one(
    bugs: FeedbackType, kind: FieldKind
) -> None:
    assert problems(bugs, label="Colour", kind=kind, choices=" \n\n") == {
        "choices": ["List at least one choice."]
    }


def test_choices_are_lines_without_blanks_and_repeats(bugs: FeedbackType) -> None:
    question = checked(
        bugs,
        label="Colour",
        kind=FieldKind.CHOICE,
        choices="Red\r\n  Grün, hell \n\nRed\nBlue",
    )
    assert question.choice_list == ["Red", "Grün, hell", "Blue"]


@pytest.mark.parametrize("prefix", ["bug", "1BUG", "BU-G", "BUG ", "BÜG", "BUG\n", ""])
def test_a_prefix_is_capital_letters_and_digits(
    bugs: FeedbackType, prefix: str
) -> None:
    bugs.prefix = prefix
    with pytest.raises(ValidationError) as refused:
        bugs.full_clean()
    assert list(refused.value.message_dict) == ["prefix"]
