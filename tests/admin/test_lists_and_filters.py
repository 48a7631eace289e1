"""Saved filters above the lists: offered first, counted, and saved from the list."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import Feedback, FeedbackType, Filter, Status
from logs.models import AuditEntry, Run
from tests import factories

TICKETS = reverse("admin:feedback_feedback_changelist")
TESTERS = reverse("admin:feedback_tester_changelist")
SAVE = reverse("admin:feedback_filter_save")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def crashes(bugs: FeedbackType) -> Filter:
    factories.tickets(bugs, 2, title="A crash")
    factories.ticket(bugs, title="Slow", status=bugs.statuses.get(name="Closed"))
    crash = {"field": "title", "qualifier": "contains", "value": "crash"}
    return factories.saved_filter(bugs, crash, name="Crashes")


def shown(page: Client, url: str, **query: Any) -> Any:
    response: Any = page.get(url, query)
    assert response.status_code == 200
    return response


def titles(response: Any) -> list[str]:
    return sorted(row.title for row in response.context["cl"].queryset)


def offered(response: Any) -> list[str]:
    changelist = response.context["cl"]
    first = changelist.filter_specs[0]
    assert first.title == "saved filter"
    return [
        f"{each['display']} ({each['count']})"
        if each["count"] is not None
        else str(each["display"])
        for each in first.choices(changelist)
    ]


def test_saved_filters_stand_first_with_their_counts(
    page: Client,
    bugs: FeedbackType,
    crashes: Filter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    factories.saved_filter(bugs, name="All of it")
    response = shown(page, TICKETS, type=bugs.pk)
    assert offered(response) == ["All", "Open", "All of it (3)", "Crashes (2)"]
    monkeypatch.setattr("feedback.admin.pills.COUNTED_UNASKED", 2)
    response = shown(page, TICKETS, type=bugs.pk)
    assert offered(response) == ["All", "Open", "All of it", "Crashes"]
    counted = shown(page, TICKETS, type=bugs.pk, _facets="True")
    assert offered(counted) == ["All", "Open", "All of it (3)", "Crashes (2)"]
    assert titles(shown(page, TICKETS, type=bugs.pk, filter=crashes.pk)) == [
        "A crash",
        "A crash",
    ]


def test_several_conditions_must_all_hold(
    page: Client, bugs: FeedbackType, crashes: Filter
) -> None:
    slow = {"field": "title", "qualifier": "contains", "value": "slow"}
    other = factories.saved_filter(bugs, slow, name="Slow")
    query = {"type": bugs.pk, "filter": [crashes.pk, other.pk]}
    assert titles(shown(page, TICKETS, **query)) == []
    query = {"type": bugs.pk, "filter": other.pk, "open": "true"}
    assert titles(shown(page, TICKETS, **query)) == []
    query = {"type": bugs.pk, "filter": "slow", "open": "false"}
    assert titles(shown(page, TICKETS, **query)) == ["Slow"]


def refusals(response: Any) -> list[str]:
    assert not response.context["cl"].queryset.exists()
    return [str(each) for each in response.context["messages"]]


def test_a_filter_of_others_is_not_there(
    page: Client, bugs: FeedbackType, crashes: Filter
) -> None:
    ideas = factories.feedback_type("Ideas", "IDEA")
    theirs = factories.saved_filter(ideas, name="Theirs")
    people = factories.saved_filter(bugs.project.community, name="People")
    for other in (theirs, people):
        response = shown(page, TICKETS, type=bugs.pk, filter=other.pk)
        assert refusals(response) == [
            f"Filter filter: There is no filter '{other.pk}'."
        ]
    paul = Client()
    paul.force_login(factories.member(bugs, Role.OBSERVER))
    response = shown(paul, TICKETS, filter=theirs.pk)
    assert refusals(response) == [f"Filter filter: There is no filter '{theirs.pk}'."]
    assert "Theirs" not in offered(shown(paul, TICKETS))
    hint = refusals(shown(page, TICKETS, type=bugs.pk, filter="Crashs"))
    assert hint == [
        "Filter filter: There is no filter 'Crashs'. Did you mean 'Crashes'?"
    ]


def test_one_name_of_two_types_is_asked_for_by_number(
    page: Client, bugs: FeedbackType, crashes: Filter
) -> None:
    ideas = FeedbackType.objects.create(project=bugs.project, name="Idea", prefix="I")
    factories.saved_filter(ideas, name="Crashes")
    response = shown(page, TICKETS, filter="Crashes")
    assert refusals(response) == [
        "Filter filter: There are several filters 'Crashes'. Give the number of one."
    ]
    assert "Crashes (Phone Beta: Idea) (0)" in offered(shown(page, TICKETS))
    assert titles(shown(page, TICKETS, type=bugs.pk, filter="Crashes"))


def test_a_broken_filter_selects_nothing_and_says_why(
    page: Client, bugs: FeedbackType, crashes: Filter
) -> None:
    Filter.objects.update(
        conditions={
            "conditions": [{"field": "field_x", "qualifier": "is", "value": "1"}]
        }
    )
    [sentence] = refusals(shown(page, TICKETS, type=bugs.pk, filter=crashes.pk))
    assert sentence.startswith(
        "Filter filter: The filter Crashes has lost a part, so it matches nothing:"
    )


def save(page: Client, query: str, name: str = "Mine", kind: str = "feedback") -> Any:
    data = {"query": query, "name": name, "kind": kind}
    return page.post(SAVE, data, follow=True)


def test_the_list_is_saved_as_it_is_narrowed(page: Client, bugs: FeedbackType) -> None:
    closed = Status.objects.get(name="Closed")
    factories.ticket(bugs, title="Old crash", status=closed)
    factories.ticket(bugs, title="New crash")
    query = (
        f"type={bugs.pk}&status={closed.pk}&search=old+crash&field_severity=Critical"
        "&created_at__year=2026&created_at__month=2&o=-1&_facets=True"
    )
    response = save(page, query)
    made = Filter.objects.get()
    assert (made.owner, made.name) == (bugs, "Mine")
    assert made.conditions == {
        "match": "all",
        "conditions": [
            {"field": "status", "qualifier": "is", "value": closed.pk},
            {"field": "search", "qualifier": "contains", "value": "old"},
            {"field": "search", "qualifier": "contains", "value": "crash"},
            {"field": "field_severity", "qualifier": "is", "value": "Critical"},
            {
                "field": "created",
                "qualifier": "between",
                "value": ["2026-02-01", "2026-02-28"],
            },
        ],
    }
    assert response.redirect_chain[0][0] == f"{TICKETS}?type={bugs.pk}&filter={made.pk}"
    assert "The list is saved as the filter" in response.content.decode()
    entry = AuditEntry.objects.get(object_type="feedback.filter")
    assert (entry.action, entry.actor_name) == ("created", "olivia")


@pytest.mark.parametrize(
    ("query", "name", "problem"),
    [
        ("type={bugs}", "Mine", "Narrow it first"),
        ("open=true", "Mine", "Open the list of one feedback type"),
        ("type={bugs}&open=true", "", "This field is required."),
        ("type={bugs}&open=true", "x\0", "Null characters are not allowed."),
        ("type={bugs}&open=true", "x" * 101, "has at most 100 characters"),
        ("type={bugs}&created_at__year=0", "Mine", "The date above the list"),
        ("type={bugs}&filter=None+such", "Mine", "There is no filter"),
        ("type={bugs}&open=true", "Crashes", "The type has a filter of this name."),
        ("type={bugs}&opne=true", "Mine", "No such parameter."),
        ("type=9999&open=true", "Mine", "Open the list of one feedback type"),
    ],
)
def test_a_list_that_is_no_filter_is_refused_and_shown_again(
    page: Client,
    bugs: FeedbackType,
    crashes: Filter,
    query: str,
    name: str,
    problem: str,
) -> None:
    response = save(page, query.format(bugs=bugs.pk), name)
    assert any(problem in str(each) for each in response.context["messages"])
    assert response.redirect_chain[0][0].startswith(f"{TICKETS}?")
    assert Filter.objects.count() == 1


def test_a_filter_is_part_of_what_is_saved(
    page: Client, bugs: FeedbackType, crashes: Filter
) -> None:
    save(page, f"type={bugs.pk}&filter={crashes.pk}&open=true", "Open crashes")
    made = Filter.objects.get(name="Open crashes")
    assert [each["field"] for each in made.conditions["conditions"]] == [
        "title",
        "open",
    ]
    save(page, f"project={bugs.project_id}&filter={crashes.pk}", "Wide")
    wide = Filter.objects.get(name="Wide")
    assert wide.owner == bugs.project
    assert wide.conditions["conditions"][1] == {
        "field": "type",
        "qualifier": "is",
        "value": bugs.pk,
    }


def test_a_list_of_testers_is_saved_for_its_community(
    page: Client, bugs: FeedbackType
) -> None:
    factories.tester(bugs)
    save(page, "country=DE", "Germans", kind="tester")
    made = Filter.objects.get()
    assert made.owner == bugs.project.community
    save(page, f"project={bugs.project_id}&country=DE", "Here", kind="tester")
    assert Filter.objects.get(name="Here").owner == bugs.project
    response = shown(page, TESTERS)
    assert offered(response) == [
        "All",
        f"Germans ({bugs.project.community}) (0)",
        f"Here ({bugs.project}) (0)",
    ]


def test_who_may_not_add_filters_is_not_asked_to(bugs: FeedbackType) -> None:
    client = Client()
    client.force_login(factories.member(bugs, Role.SUPPORT))
    text = client.get(TICKETS, {"type": bugs.pk}).content.decode()
    assert "Save as filter" not in text
    assert client.post(SAVE, {"query": f"type={bugs.pk}&open=true"}).status_code == 403


def test_a_macro_is_performed_on_what_a_filter_leaves(
    page: Client, bugs: FeedbackType, crashes: Filter
) -> None:
    macro = factories.macro(bugs, "https://example.com/", name="Slack")
    macro.asks_confirmation = False
    macro.save()
    picked = Feedback.objects.filter(feedback_type=bugs)[0]
    data = {
        "action": f"macro_{macro.pk}",
        "select_across": "1",
        "_selected_action": [picked.pk],
    }
    url = f"{TICKETS}?type={bugs.pk}&filter={crashes.pk}"
    page.post(url, data)
    run = Run.objects.get()
    assert run.deliveries.count() == 2
    assert "Filter: Crashes" in run.selection
    Filter.objects.update(conditions={"conditions": [{"field": "gone"}]})
    for query in (crashes.pk, 99_999, "%00"):
        page.post(f"{TICKETS}?type={bugs.pk}&filter={query}", data)
    assert Run.objects.count() == 1
