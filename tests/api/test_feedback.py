"""Finding tickets: every condition holds, and none is passed over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.models import Feedback, FeedbackType, FormField, Status
from tests import factories
from tests.api.callers import problem, titles

FEEDBACK = "/api/v1/feedback/"


def matches(caller: APIClient, **query: Any) -> list[str]:
    return titles(caller.get(FEEDBACK, query))


def refused(caller: APIClient, **query: Any) -> dict[str, str]:
    """What is said about each parameter."""
    errors = problem(caller.get(FEEDBACK, query), 400, "invalid")["errors"]
    return {each["parameter"]: each["detail"] for each in errors}


def test_a_ticket_is_told_whole(bugs: FeedbackType, caller: APIClient) -> None:
    ada = factories.tester(bugs, "ada@example.com")
    moment = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    ticket = factories.ticket(
        bugs,
        title="It breaks",
        description="Grün",
        submitter=ada,
        form_values={"severity": "Critical", "platform": ["iOS"]},
        external_data={"jira_key": "NW-1", "score": 5},
        created_at=moment,
    )
    Feedback.objects.update(modified_at=moment)
    response = caller.get(f"{FEEDBACK}{ticket.pk}/")
    assert response.json() == {
        "id": ticket.pk,
        "reference": "BUG-1",
        "type": {"id": bugs.pk, "name": "Bug Report", "prefix": "BUG"},
        "project": {"id": bugs.project_id, "name": "Phone Beta"},
        "title": "It breaks",
        "description": "Grün",
        "status": {
            "id": ticket.status_id,
            "name": "New",
            "is_open": True,
            "colour": "grey",
        },
        "visibility": "public",
        "submitter": {"id": ada.pk, "email": "ada@example.com", "name": "Tara Tester"},
        "form_values": {"severity": "Critical", "platform": ["iOS"]},
        "external_data": {"jira_key": "NW-1", "score": 5},
        "created_at": "2026-11-23T09:30:00Z",
        "modified_at": "2026-11-23T09:30:00Z",
    }
    assert caller.get(FEEDBACK).json()["results"] == [response.json()]


def test_a_ticket_with_little_in_it(bugs: FeedbackType, caller: APIClient) -> None:
    bugs.statuses.all().delete()
    ticket = factories.ticket(bugs)
    row = caller.get(f"{FEEDBACK}{ticket.pk}/").json()
    assert (row["status"], row["submitter"]) == (None, None)


def test_a_list_of_any_length_takes_as_many_queries(
    bugs: FeedbackType, caller: APIClient, django_assert_max_num_queries: Any
) -> None:
    factories.tickets(bugs, 60, submitter=factories.tester(bugs))
    with django_assert_max_num_queries(8):
        assert len(caller.get(FEEDBACK).json()["results"]) == 50


def test_status_is_named_or_numbered(bugs: FeedbackType, caller: APIClient) -> None:
    new, closed = Status.objects.filter(feedback_type=bugs)
    factories.ticket(bugs, title="New")
    factories.ticket(bugs, title="Closed", status=closed)
    assert matches(caller, status="New") == matches(caller, status=new.pk) == ["New"]
    assert matches(caller, status="Closed") == ["Closed"]
    assert matches(caller, status=["New", "Closed"]) == ["Closed", "New"]
    assert matches(caller, open="true") == ["New"]
    assert matches(caller, open="false") == ["Closed"]
    assert matches(caller, open="false", status="New") == []


def test_type_and_project_are_named_or_numbered(
    bugs: FeedbackType, caller: APIClient
) -> None:
    ideas = FeedbackType.objects.create(project=bugs.project, name="Idea", prefix="I")
    factories.ticket(bugs, title="Bug")
    factories.ticket(ideas, title="Idea")
    assert matches(caller, type="Idea") == matches(caller, type=ideas.pk) == ["Idea"]
    assert matches(caller, type=["Idea", bugs.pk]) == ["Bug", "Idea"]
    assert matches(caller, project="Phone Beta") == ["Bug", "Idea"]
    assert matches(caller, project=bugs.project_id, type="Bug Report") == ["Bug"]


def test_visibility_submitter_and_reference(
    bugs: FeedbackType, caller: APIClient
) -> None:
    ada = factories.tester(bugs, "ada@example.com")
    factories.ticket(bugs, title="Hers", submitter=ada, visibility="private")
    other = factories.tester(bugs, "xada@example.com")
    factories.ticket(bugs, title="Another's", submitter=other)
    assert matches(caller, visibility="private") == ["Hers"]
    assert matches(caller, submitter_email="ADA@example.com") == ["Hers"]
    assert matches(caller, submitter_email="ada") == []
    assert matches(caller, reference="bug-2") == ["Another's"]
    assert matches(caller, reference="BUG-") == []


def test_every_word_of_a_search_is_somewhere(
    bugs: FeedbackType, caller: APIClient
) -> None:
    ada = factories.tester(bugs, "ada@example.com")
    factories.ticket(bugs, title="Crash", description="on start", submitter=ada)
    factories.ticket(bugs, title="Crash", description="100% _ later")
    assert len(matches(caller, search="crash")) == 2
    assert len(matches(caller, search="START crash")) == 1
    assert len(matches(caller, search="ada@example.com on")) == 1
    assert len(matches(caller, search="%")) == len(matches(caller, search="_")) == 1
    assert len(matches(caller, search="bug-1")) == 1
    assert matches(caller, search="start later") == []


@pytest.mark.parametrize("name", ["created", "modified"])
def test_moments_are_from_and_up_to(
    bugs: FeedbackType, caller: APIClient, name: str
) -> None:
    for day in (1, 2, 3):
        ticket = factories.ticket(bugs, title=f"Day {day}")
        noon = datetime(2026, 11, day, 12, tzinfo=UTC)
        Feedback.objects.filter(pk=ticket.pk).update(**{f"{name}_at": noon})
    noon = "2026-11-02T12:00:00Z"
    assert matches(caller, **{f"{name}_after": noon}) == ["Day 2", "Day 3"]
    assert matches(caller, **{f"{name}_before": noon}) == ["Day 1"]
    assert matches(caller, **{f"{name}_before": "2026-11-03"}) == ["Day 1", "Day 2"]
    east = "2026-11-02T14:00:00+02:00"
    both = {f"{name}_after": east, f"{name}_before": "2026-11-02T12:00:00.000001Z"}
    assert matches(caller, **both) == ["Day 2"]


def test_answers_of_each_kind(bugs: FeedbackType, caller: APIClient) -> None:
    answers: dict[str, dict[str, Any]] = {
        "A": {"severity": "Critical", "platform": ["Grün", "iOS"], "impact": 7},
        "B": {"severity": "Minor", "platform": ["Android"], "reproducible": True},
        "C": {"reproducible": False, "impact": 2.5, "found_on": "2026-11-23"},
        "D": {"page": "https://example.com/a", "app_version": "1.2", "steps": "One"},
    }
    for title, values in answers.items():
        factories.ticket(bugs, title=title, form_values=values)
    assert matches(caller, field_severity="Critical") == ["A"]
    assert matches(caller, field_platform="Grün") == ["A"]
    assert matches(caller, field_platform="iOS", field_severity="Minor") == []
    assert matches(caller, field_reproducible="true") == ["B"]
    assert matches(caller, field_reproducible="false") == ["A", "C", "D"]
    assert (
        matches(caller, field_impact="7")
        == matches(caller, field_impact="7.0")
        == ["A"]
    )
    assert matches(caller, field_impact="2.5") == ["C"]
    assert matches(caller, field_found_on="2026-11-23") == ["C"]
    assert matches(caller, field_page="https://example.com/a") == ["D"]
    assert matches(caller, field_app_version="1.2") == ["D"]
    assert matches(caller, field_app_version="1") == []


def test_a_key_that_several_types_ask_means_each_ones_own_question(
    bugs: FeedbackType, caller: APIClient
) -> None:
    ideas = FeedbackType.objects.create(project=bugs.project, name="Idea", prefix="I")
    question = {
        "label": "Severity",
        "kind": "multiple_choice",
        "choices": "Major\nHuge",
    }
    FormField.objects.create(feedback_type=ideas, **question)
    factories.ticket(bugs, title="Bug", form_values={"severity": "Major"})
    factories.ticket(ideas, title="Idea", form_values={"severity": ["Huge", "Major"]})
    assert matches(caller, field_severity="Major") == ["Bug", "Idea"]
    assert matches(caller, field_severity="Major", type="Idea") == ["Idea"]
    assert matches(caller, field_severity="Huge") == ["Idea"]
    assert matches(caller, field_severity="Critical") == []


def test_external_data_is_compared_by_its_type(
    bugs: FeedbackType, caller: APIClient
) -> None:
    for title, data in {
        "Key": {"jira_key": "NW-1", "Jira state": "Done"},
        "Number": {"score": 5, "ok": True, "none": None},
        "Deep": {"jira": {"key": "NW-1"}},
    }.items():
        factories.ticket(bugs, title=title, external_data=data)
    assert matches(caller, external_jira_key="NW-1") == ["Key"]
    assert matches(caller, **{"external_Jira state": "Done"}) == ["Key"]
    assert matches(caller, external_score="5") == ["Number"]
    assert matches(caller, external_ok="true") == ["Number"]
    for name in ("none", "jira_key__startswith", "jira.key", "nothing"):
        assert matches(caller, **{f"external_{name}": "NW-1"}) == []
    # The name of the value beside it, and no way into the object.
    assert matches(caller, external_jira__key="NW-1") == ["Key"]
    assert matches(caller, has_external_score="true") == ["Number"]
    assert matches(caller, has_external_none="false") == ["Deep", "Key", "Number"]


def test_an_unknown_parameter_is_named_with_the_nearest_known(
    bugs: FeedbackType, caller: APIClient
) -> None:
    factories.ticket(bugs)
    assert refused(caller, statsu="New", status__name="New", q="x") == {
        "statsu": "No such parameter. Did you mean 'status'?",
        "status__name": "No such parameter. Did you mean 'status'?",
        "q": "No such parameter.",
    }
    sentence = "No form has this field. Did you mean 'field_severity'?"
    assert refused(caller, field_severty="Minor") == {"field_severty": sentence}
    assert "field_severity__regex" in refused(caller, field_severity__regex=".")
    assert refused(caller, **{"": "x"}) == {"": "No such parameter."}
    assert refused(caller, external_0="x") == {"external_0": "No such parameter."}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("status", "Nwe", "There is no status 'Nwe'. Did you mean 'New'?"),
        ("status", "\u0415", "There is no status '\u0415'."),
        ("status", "99999", "There is no status '99999'."),
        ("status", "9" * 400, f"There is no status '{'9' * 100}'."),
        ("type", "Bugs", "There is no feedback type 'Bugs'."),
        ("project", "\u0661", "There is no project '\u0661'."),
        ("project", "a\0b", "There is no project 'a\0b'."),
        ("open", "yes", "Give one of: true, false."),
        ("open", "", "Give a value, or leave the parameter out."),
        ("search", "", "Give a value, or leave the parameter out."),
        ("search", " \t", "Give a value, or leave the parameter out."),
        ("external_x", " ", "Give a value, or leave the parameter out."),
        ("has_external_x", "yes", "Give one of: true, false."),
        ("submitter", "a\0b", "Null characters are not allowed."),
        ("visibility", "secret", "Give one of: public, private."),
        ("created_after", "yesterday", "Give a date or a moment"),
        ("created_after", "2026-11-23T10:00:00 02:00", "In a URL, write + as %2B."),
        ("created_before", "0001-01-01T00:00:00+14:00", "Give a date or a moment"),
        ("modified_before", "9999-12-31T23:59:59-14:00", "Give a date or a moment"),
        ("field_severity", "urgent", "Give one of: Minor, Major, Critical."),
        ("field_reproducible", "yes", "Give one of: true, false."),
        ("field_impact", "many", "Give a number, such as 10 or 2.5."),
        ("field_impact", "NaN", "Give a number, such as 10 or 2.5."),
        ("field_impact", "1e999999", "Give a number, such as 10 or 2.5."),
        ("field_found_on", "32 May", "Give a date as in ISO 8601"),
        ("field_app_version", "a\0b", "Null characters are not allowed."),
        ("search", "a\0b", "Null characters are not allowed."),
        ("search", "x" * 501, "at most 500 characters"),
        ("page_size", "0", "Give a number from 1 to 200."),
        ("page_size", "201", "Give a number from 1 to 200."),
        ("page_size", "\u0665", "Give a number from 1 to 200."),
        ("cursor", "nonsense", "This is not a cursor of this list."),
        ("cursor", "cD1hYmM=", "This is not a cursor of this list."),
        ("cursor", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk=", "This is not a cursor"),
    ],
)  # fmt: skip
def test_a_value_that_can_not_be_is_refused_with_what_can(
    bugs: FeedbackType, caller: APIClient, name: str, value: str, sentence: str
) -> None:
    factories.ticket(bugs)
    faults = refused(caller, **{name: value})
    assert list(faults) == [name] and sentence in faults[name]


def test_a_condition_that_is_given_twice_is_not_half_heard(
    bugs: FeedbackType, caller: APIClient
) -> None:
    once = "Give this parameter once."
    assert refused(caller, open=["true", "false"]) == {"open": once}
    twice = ["Minor", "Major"]
    assert refused(caller, field_severity=twice) == {"field_severity": once}


def test_pages_follow_each_other_whatever_comes_in(
    bugs: FeedbackType, caller: APIClient
) -> None:
    factories.tickets(bugs, 5, form_values={"severity": "Minor"})
    factories.tickets(bugs, 5, form_values={"severity": "Major"})
    query = {"page_size": 2, "field_severity": "Minor"}
    page = caller.get(FEEDBACK, query).json()
    seen = []
    assert page["previous"] is None
    while True:
        seen += [each["reference"] for each in page["results"]]
        factories.ticket(bugs, form_values={"severity": "Minor"})
        if page["next"] is None:
            break
        page = caller.get(page["next"]).json()
    assert seen == ["BUG-5", "BUG-4", "BUG-3", "BUG-2", "BUG-1"]
    before = caller.get(page["previous"]).json()
    assert [each["reference"] for each in before["results"]] == ["BUG-3", "BUG-2"]


def test_nothing_of_another_community_is_found_read_or_hinted_at(
    bugs: FeedbackType, stranger: APIClient
) -> None:
    Status.objects.create(feedback_type=bugs, name="Hush-hush")
    FormField.objects.create(feedback_type=bugs, label="Hushed")
    hidden = factories.ticket(bugs, title="Hidden")
    assert matches(stranger) == matches(stranger, search="Hidden") == []
    missing = stranger.get(f"{FEEDBACK}{hidden.pk}/")
    gone = stranger.get(f"{FEEDBACK}{hidden.pk + 1}/")
    detail = problem(missing, 404, "not_found")["detail"]
    assert detail == f"There is no ticket {hidden.pk}."
    assert problem(gone, 404, "not_found")["detail"] == detail.replace(
        str(hidden.pk), str(hidden.pk + 1)
    )
    for name, value in [
        ("status", "Hush-hus"),
        ("status", hidden.status_id),
        ("type", bugs.pk),
        ("project", bugs.project_id),
        ("field_hushe", "x"),
        ("field_hushed", "x"),
    ]:
        detail = refused(stranger, **{name: value})[name]
        assert "Did you mean" not in detail or "ush" not in detail.split("mean")[1]
