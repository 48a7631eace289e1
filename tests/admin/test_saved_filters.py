"""Saved filters in the admin: the builder, with and without scripts, and the list."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from feedback.admin.save_filter import _between
from feedback.models import DataPackage, FeedbackType, Filter
from macros.models import Listener, Trigger
from tests import factories

ADD = reverse("admin:feedback_filter_add")
LIST = reverse("admin:feedback_filter_changelist")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def page_of(row: Filter) -> str:
    return reverse("admin:feedback_filter_change", args=[row.pk])


def condition(field: str, qualifier: str, value: Any = None) -> dict[str, Any]:
    made = {"field": field, "qualifier": qualifier}
    return made if value is None else {**made, "value": value}


def rows(*written: tuple[Any, ...], match: str = "all") -> dict[str, Any]:
    """A form as it is sent: each row is group, field, qualifier, value, name."""
    data: dict[str, Any] = {"conditions-match": match}
    for number, row in enumerate(written):
        members = ("group", "field", "qualifier", "value", "name")
        for member, value in zip(members, row, strict=False):
            data[f"conditions-{number}-{member}"] = value
    return data


def key_of(of: FeedbackType) -> str:
    return f"feedbacktype-{of.pk}-feedback"


def test_the_list_asks_as_often_for_many_as_for_one(
    page: Client, bugs: FeedbackType
) -> None:
    def asked() -> tuple[int, str]:
        with CaptureQueriesContext(connection) as queries:
            html = page.get(LIST).content.decode()
        return len(queries), html

    new = bugs.statuses.get(name="New").pk
    macro = factories.macro(bugs, "https://example.com/", name="Post")
    for number in range(8):
        made = factories.saved_filter(
            bugs,
            condition("status", "is", new),
            condition("field_severity", "is", "Minor"),
            condition("type", "is", bugs.pk),
            name=f"Filter {number}",
        )
        factories.trigger(macro, name=f"Trigger {number}", filter=made)
        factories.package(bugs, name=f"Package {number}", filter=made)
        factories.listener(bugs, name=f"Listener {number}", filter=made)
    Filter.objects.filter(name="Filter 0").update(
        conditions={"conditions": [condition("status", "is", new + 10**6)]}
    )
    asked()
    many, html = asked()
    assert html.count("Lost a part: matches nothing") == 1
    for number in range(8):
        assert f"Data package Package {number}, Listener Listener {number}" in html
    others = Filter.objects.exclude(name__in=["Filter 0", "Filter 1"])
    for model in (Trigger, DataPackage, Listener):
        model._default_manager.filter(filter__in=others).delete()
    others.delete()
    few, html = asked()
    assert "Filter 1" in html and few == many


def test_a_filter_is_made_without_scripts(page: Client, bugs: FeedbackType) -> None:
    closed = bugs.statuses.get(name="Closed")
    written = rows(
        (0, "status", "is_one_of", "New\r\nClosed"),
        (1, "field_severity", "is", "Critical"),
        (1, "field_impact", "between", "2\r\n5"),
        (0, "external_", "is", "QA-7", "jira_key"),
        (0, "created", "in_last", "7 days"),
        (0, "", "is", ""),
    )
    data = {"selects": key_of(bugs), "name": "Urgent", **written}
    response: Any = page.post(ADD, data)
    assert response.status_code == 302, response.context["errors"]
    made = Filter.objects.get()
    assert (made.owner, made.project) == (bugs, bugs.project)
    assert made.conditions == {
        "match": "all",
        "conditions": [
            condition(
                "status", "is_one_of", [*bugs.statuses.values_list("pk", flat=True)]
            ),
            {
                "match": "any",
                "conditions": [
                    condition("field_severity", "is", "Critical"),
                    condition("field_impact", "between", [2, 5]),
                ],
            },
            condition("external_jira_key", "is", "QA-7"),
            condition("created", "in_last", "7 days"),
        ],
    }
    assert closed.pk in made.conditions["conditions"][0]["value"]


def test_its_page_shows_what_was_written_and_takes_it_unchanged(
    page: Client, bugs: FeedbackType
) -> None:
    new = bugs.statuses.get(name="New")
    row = factories.saved_filter(
        bugs,
        condition("status", "is", new.pk),
        {
            "match": "any",
            "conditions": [
                condition("field_platform", "is_one_of", ["iOS", "Grün"]),
                condition("external_x", "is_empty"),
            ],
        },
    )
    before = row.conditions
    response: Any = page.get(page_of(row))
    assert response.status_code == 200
    widget = response.context["adminform"].form["conditions"]
    shown = widget.field.widget.get_context("conditions", row.conditions, {})
    data = {
        f"{each['prefix']}-{name}": each[name]
        for each in shown["rows"]
        for name in ("group", "field", "qualifier", "value")
    }
    data |= {f"{each['prefix']}-name": each["external"] for each in shown["rows"]}
    data |= {"conditions-match": "all", "conditions-group-1-match": "any"}
    saved: Any = page.post(page_of(row), {**data, "name": row.name})
    assert saved.status_code == 302, saved.context["errors"]
    row.refresh_from_db()
    assert row.conditions == before


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ((0, "status", "is", "Neww"), "status"),
        ((0, "", "is", "x"), "field"),
        ((0, "field_gone", "is", "x"), "There is no field"),
        ((0, "field_impact", "is", "many"), "Give a number"),
        ((0, "created", "in_last", "soon"), "Give a time such as"),
        ((0, "title", "explodes", "x"), "Title is compared by"),
        ((0, "title", "contains", ""), "Give a value"),
        ((7, "title", "contains", "\0"), "character"),
    ],
)
def test_a_condition_that_is_wrong_is_refused_with_a_sentence(
    page: Client, bugs: FeedbackType, row: tuple[Any, ...], problem: str
) -> None:
    data = {"selects": key_of(bugs), "name": "Odd", **rows(row)}
    response: Any = page.post(ADD, data)
    assert response.status_code == 200
    assert problem in str(response.context["adminform"].form.errors["conditions"])
    assert not Filter.objects.exists()


def ask(
    page: Client, what: str, data: dict[str, Any], row: Filter | None = None
) -> Any:
    name = "builder" if row else "new_builder"
    url = reverse(f"admin:feedback_filter_{name}", args=[row.pk] if row else [])
    return page.post(url, {"do": what, **data}).json()


def test_the_page_is_told_what_matches_while_it_is_written(
    page: Client, bugs: FeedbackType
) -> None:
    factories.tickets(bugs, 12, title="Crash")
    factories.ticket(bugs, title="Slow")
    data = {"selects": key_of(bugs), **rows((0, "title", "is", "Crash"))}
    reply = ask(page, "matches", data)
    assert (
        "<strong>12</strong> of the tickets of Phone Beta: Bug Report" in reply["html"]
    )
    assert "Title is Crash" in reply["html"]
    assert reply["html"].count("<tr>") == 10
    row = factories.saved_filter(bugs)
    reply = ask(page, "matches", rows((0, "title", "is", "Slow")), row)
    assert "BUG-13" in reply["html"]
    reply = ask(
        page, "matches", rows((0, "title", "is", "Slow"), (0, "titel", "is", "x")), row
    )
    assert list(reply["problems"]) == ["conditions[1]"]
    assert "matches nothing" in reply["html"]
    row.refresh_from_db()
    assert row.conditions["conditions"] == []


def test_what_is_offered_depends_on_what_it_selects(
    page: Client, bugs: FeedbackType
) -> None:
    factories.ticket(bugs, external_data={"jira_key": "QA-7"})
    reply = ask(page, "catalogue", {"selects": key_of(bugs)})
    severity = reply["fields"]["field_severity"]
    assert severity["offered"][2] == ["Critical", "Critical"]
    assert [label for _, label in reply["fields"]["status"]["offered"]] == [
        "New",
        "Closed",
    ]
    assert reply["names"] == ["jira_key"]
    assert reply["qualifiers"]["between"] == {"label": "is between", "shape": "two"}
    assert "is" in reply["external"]["qualifiers"]
    people = {"selects": f"community-{bugs.project.community_id}-tester"}
    assert "first_name" in ask(page, "catalogue", people)["fields"]
    nobody = ask(page, "catalogue", {"selects": "community-99-tester"})
    assert "refused" in nobody
    assert "refused" in ask(page, "explode", {})


def test_a_broken_filter_opens_and_names_the_lost_part(
    page: Client, bugs: FeedbackType
) -> None:
    closed = bugs.statuses.get(name="Closed")
    row = factories.saved_filter(
        bugs,
        condition("title", "is", "x"),
        condition("field_severity", "is", "Critical"),
        condition("status", "is", closed.pk),
    )
    bugs.form_fields.get(key="severity").delete()
    number = closed.pk
    closed.delete()
    text = page.get(page_of(row)).content.decode()
    assert "This filter has lost a part, so it matches nothing." in text
    assert "There is no field &#x27;field_severity&#x27;." in text
    assert f"There is no status of number {number} here." in text
    assert "field_severity (gone)" in text
    reply = ask(page, "matches", rows((0, "field_severity", "is", "Critical")), row)
    assert "matches nothing" in reply["html"]


def test_what_uses_it_is_shown_and_keeps_it(page: Client, bugs: FeedbackType) -> None:
    row = factories.saved_filter(bugs, name="Urgent")
    macro = factories.macro(bugs, "https://example.com/", name="Slack")
    factories.trigger(macro, name="At once", filter=row)
    factories.schedule(macro, name="Nightly", filter=row)
    for url in (page_of(row), LIST):
        text = page.get(url).content.decode()
        assert "Trigger At once of Slack" in text
        assert "Schedule Nightly of Slack" in text
    delete = reverse("admin:feedback_filter_delete", args=[row.pk])
    text = page.get(delete).content.decode()
    assert "Trigger At once of Slack" in text
    page.post(delete, {"post": "yes"})
    assert Filter.objects.filter(pk=row.pk).exists()


def test_who_may_only_look_reads_it_in_words(bugs: FeedbackType) -> None:
    row = factories.saved_filter(bugs, condition("title", "contains", "Crash"))
    factories.ticket(bugs, title="A crash")
    client = Client()
    client.force_login(factories.member(bugs, "observer"))
    text = client.get(page_of(row)).content.decode()
    assert "Title contains Crash" in text and "<textarea" not in text
    # What is written is nothing to them: they see what the filter is.
    reply = ask(client, "matches", rows((0, "title", "is", "Other")), row)
    assert "<strong>1</strong>" in reply["html"]


@pytest.mark.parametrize("digits", ["13", "9" * 30, "9" * 5_000])
def test_a_date_of_any_digits_is_refused_with_a_sentence(digits: str) -> None:
    with pytest.raises(ValidationError, match="is not a date"):
        _between({"year": "2026", "month": digits})
