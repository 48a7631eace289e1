"""What can't be a condition: each is refused by a sentence, and matches nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from feedback.models import FeedbackType, Filter, FormField
from feedback.selection.compiler import MAX_CONDITIONS, MAX_VALUES
from feedback.selection.saved import check, compiled, failures, rows_of
from feedback.selection.values import MAX_LENGTH
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def of_field(field: object, qualifier: object, value: object = None) -> dict[str, Any]:
    return {"field": field, "qualifier": qualifier, "value": value}


def title(value: object, qualifier: str = "is") -> dict[str, Any]:
    return of_field("title", qualifier, value)


def group(*parts: object, match: object = "all") -> dict[str, Any]:
    return {"match": match, "conditions": list(parts)}


FINE = title("x")
IN_LIST = [
    (title(None), "Title: Give one value."),
    (title(["x"]), "Title: Give one value."),
    (title({"x": 1}), "Title: Give one value."),
    (title(""), "Title: Give a value; for none, use 'is empty'."),
    (title("a\0b"), "Title: There is a character that no text can have."),
    (title("\ud800"), "Title: There is half a character in it."),
    (title("\u200b"), "Title: Give a text that can be seen."),
    (title("\u00ad", "contains"), "Title: Give a text that can be seen."),
    (title("x" * (MAX_LENGTH + 1)), "Give at most 500 letters, not 501."),
    (title(10**400), "Give a text, a number, true or false."),
    (title(float("inf")), "Give a text, a number, true or false."),
    (title("x", "is_one_of"), "Title: Give a list of values."),
    (title([], "is_one_of"), "Title: Give a list of values."),
    (title(["x"] * 10_000, "is_one_of"), "Give at most 100 values, not 10,000."),
    (title(["x", None], "is_one_of"), "Give a text, a number, true or false."),
    (title("x", "is_empty"), "Title: It takes no value."),
    (title("x", "greater"), "Title is compared by one of: is, is_not, is_one_of,"),
    (title("x", "icontains"), "Title is compared by one of:"),
    (of_field("title", None, "x"), "Title is compared by one of:"),
    (of_field("title", ["is"], "x"), "Title is compared by one of:"),
    (of_field("titel", "is", "x"), "no field 'titel'. Did you mean 'title'?"),
    (of_field("title__regex", "is", "x"), "There is no field 'title__regex'."),
    (of_field(None, "is", "x"), "Give the name of a field."),
    (of_field("a\0\n", "is", "x"), r"There is no field 'a\x00\n'."),
    (of_field("external_1", "is", "x"), "There is no field 'external_1'."),
    (of_field("external_\0", "is", "x"), "There is no field"),
    (of_field("field_nothing", "is", "x"), "There is no field 'field_nothing'."),
    (of_field("status", "is", "New"), "Give the number of a status, such as 12."),
    (of_field("status", "is", 10**9), "Give the number of a status, such as 12."),
    (of_field("status", "is", True), "Give the number of a status, such as 12."),
    (of_field("status", "is", 99999), "There is no status of number 99999 here."),
    (of_field("type", "is", 99999), "There is no feedback type of number 99999 here."),
    (of_field("visibility", "is", "secret"), "Give one of: public, private."),
    (of_field("comments", "is", "2.5"), "Give a whole number, such as 10."),
    (of_field("comments", "is", "٣"), "Give a whole number, such as 10."),
    (of_field("comments", "between", [1]), "Give two values: from and to."),
    (of_field("comments", "between", [2, 1]), "The first value is greater"),
    (of_field("field_severity", "is", "Huge"), "one of: Minor, Major, Critical."),
    (of_field("field_impact", "is", True), "Give a number, such as 10 or 2.5."),
    (of_field("field_impact", "greater", "1e999"), "Give a number, such as"),
    (of_field("field_impact", "between", ["2", "1"]), "The first value is greater"),
    (of_field("field_found_on", "is", "0000-01-01"), "Give a date as in ISO 8601"),
    (of_field("field_found_on", "is", "2026-02-29"), "Give a date as in ISO 8601"),
    (of_field("external_x", "greater", "many"), "Give a number, such as 10 or 2.5."),
    (of_field("external_x", "between", [2, 1]), "The first value is greater"),
    (of_field("created", "after", "0000-01-01"), "Give a date or a moment"),
    (of_field("created", "after", "yesterday"), "Give a date or a moment"),
    (of_field("created", "after", 20260101), "Give a date or a moment"),
    (of_field("created", "between", ["2026-02-01", "2026-01-01"]), "is greater than"),
    (of_field("created", "in_last", "7"), "such as '7 days' or '12 hours'."),
    (of_field("created", "in_last", "0 days"), "such as '7 days' or '12 hours'."),
    (of_field("created", "in_last", "99999 days"), "such as '7 days' or '12 hours'."),
    (of_field("created", "is_empty"), "Created is compared by one of: after, before"),
    (FINE | {"negate": True}, "There is no 'negate' here."),
    ("title", "Give an object with field, qualifier and value."),
    (None, "Give an object with field, qualifier and value."),
    (group(), "A group has at least one condition."),
    (group(group(FINE)), "A group in a group is one level too deep."),
    (group(FINE, match="none"), "Give one of: all, any."),
    (group(FINE, match=["all"]), "Give one of: all, any."),
    (group(*[FINE] * MAX_CONDITIONS), "Give at most 50 conditions, not 51."),
    ({"conditions": None}, "Give a list of conditions."),
]


@pytest.mark.parametrize("match", ["all", "any"])
def test_what_is_wrong_is_said_and_the_whole_matches_nothing(
    bugs: FeedbackType, match: str
) -> None:
    ticket = factories.ticket(bugs, title="x")
    for part, sentence in IN_LIST:
        saved = Filter(feedback_type=bugs, conditions=group(FINE, part, match=match))
        problems = compiled(saved).problems
        assert [each.path.partition("]")[0] for each in problems] <= ["conditions[1"]
        assert any(sentence in str(each) for each in problems), (part, problems)
        assert not rows_of(saved).exists(), part
        assert failures(saved, [ticket.pk]) == {ticket.pk: str(problems[0])}
        assert str(problems[0]).isprintable()
        with pytest.raises(ValidationError):
            check(saved)


@pytest.mark.parametrize(
    ("conditions", "sentence"),
    [
        (None, 'conditions: Give an object: {"match": "all", "conditions": [...]}.'),
        ([], "conditions: Give an object"),
        ("all", "conditions: Give an object"),
        ({"conditions": {}}, "conditions: Give a list of conditions."),
        ({"match": "or", "conditions": []}, "match: Give one of: all, any."),
        ({"conditons": [FINE]}, "no 'conditons' here. Did you mean 'conditions'?"),
        (group(*[FINE] * 51), "Split them over several filters."),
        (group(*[FINE] * 10_000), "Give at most 50 conditions, not 10,000."),
    ],
)
def test_what_is_no_filter_at_all_matches_nothing(
    bugs: FeedbackType, conditions: Any, sentence: str
) -> None:
    factories.ticket(bugs, title="x")
    saved = Filter(feedback_type=bugs, conditions=conditions)
    assert sentence in str(compiled(saved).problems[0])
    assert not rows_of(saved).exists()


def test_a_filter_with_as_much_as_there_may_be_is_taken(bugs: FeedbackType) -> None:
    numbers = [str(number) for number in range(MAX_VALUES)]
    FormField.objects.filter(key="platform").update(choices="\n".join(numbers))
    factories.ticket(
        bugs,
        title="99",
        form_values={"platform": ["99"]},
        external_data={"Jira key": 99},
    )
    for field in ("title", "field_platform", "external_Jira key"):
        many = of_field(field, "is_one_of", numbers)
        saved = Filter(feedback_type=bugs, conditions=group(*[many] * MAX_CONDITIONS))
        check(saved)
        assert rows_of(saved).count() == 1, field


def test_without_conditions_it_selects_all_whichever_match(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    for conditions in ({}, group(), group(match="any")):
        saved = Filter(feedback_type=bugs, conditions=conditions)
        check(saved)
        assert rows_of(saved).count() == 1


def test_what_was_deleted_or_renamed_is_named_and_nothing_matches(
    bugs: FeedbackType,
) -> None:
    """Also where the condition is a negative, which would match everything."""
    factories.ticket(bugs, form_values={"severity": "Critical"})
    question = FormField.objects.get(feedback_type=bugs, key="severity")
    severe = of_field("field_severity", "is_not", "Minor")
    saved = Filter(feedback_type=bugs, conditions=group(severe))
    assert rows_of(saved).count() == 1

    question.choices = "Small\nMajor\nCritical"
    question.save()
    assert not rows_of(saved).exists()
    assert compiled(saved).words == (
        "Matches nothing: conditions[0].value: Severity: Give one of: Small, Major,"
        " Critical."
    )
    question.delete()
    assert not rows_of(saved).exists()
    assert "There is no field 'field_severity'." in compiled(saved).words


def test_a_filter_knows_nothing_of_other_projects(bugs: FeedbackType) -> None:
    ideas = factories.feedback_type("Idea", "IDEA")
    factories.ticket(bugs)
    factories.ticket(ideas)
    for field, row in (("type", ideas), ("project", ideas.project)):
        foreign = of_field(field, "is_not", row.pk)
        saved = Filter(feedback_type=bugs, conditions=group(foreign))
        assert "of number" in compiled(saved).words and not rows_of(saved).exists()
    foreign = of_field("status", "is", ideas.first_status().pk)  # type: ignore[union-attr]
    saved = Filter(feedback_type=bugs, conditions=group(foreign))
    assert not rows_of(saved).exists()
    assert rows_of(Filter(feedback_type=bugs)).get().feedback_type == bugs


def test_values_are_kept_in_one_form(bugs: FeedbackType) -> None:
    status = bugs.first_status()
    assert status is not None
    saved = Filter(
        feedback_type=bugs,
        conditions={
            "conditions": [
                of_field("status", "is", str(status.pk)),
                of_field("open", "yes", ""),
                of_field("field_impact", "greater", 2.5),
                of_field("field_severity", "is_one_of", ["critical"]),
            ]
        },
    )
    check(saved)
    assert saved.conditions == {
        "match": "all",
        "conditions": [
            {"field": "status", "qualifier": "is", "value": status.pk},
            {"field": "open", "qualifier": "yes"},
            {"field": "field_impact", "qualifier": "greater", "value": "2.5"},
            {
                "field": "field_severity",
                "qualifier": "is_one_of",
                "value": ["Critical"],
            },
        ],
    }
