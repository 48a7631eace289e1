"""Triggers in the admin: the form that fits the macro, the switch, the answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import ApiKey, Feedback, FeedbackType
from logs.models import AuditEntry, Run
from macros.models import Event, Macro, Trigger
from tests import factories

ADD = reverse("admin:macros_trigger_add")
CRITICAL = {"field": "field_severity", "qualifier": "is", "value": "Critical"}


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    return factories.macro(bugs, "https://example.com/", name="Post")


def page_of(trigger: Trigger, name: str = "change") -> str:
    return reverse(f"admin:macros_trigger_{name}", args=[trigger.pk])


def form(**values: Any) -> dict[str, Any]:
    return {"name": "Mine", "event": Event.SUBMITTED, "limit": 1000, **values}


def add(page: Client, macro: Macro, **values: Any) -> Any:
    return page.post(f"{ADD}?macro={macro.pk}", form(**values))


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def client_of(bugs: FeedbackType, role: Role) -> Client:
    client = Client()
    client.force_login(factories.member(bugs, role))
    return client


def words(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


def test_first_the_macro_is_chosen_and_then_the_form_fits_it(
    page: Client, macro: Macro
) -> None:
    testers = factories.macro(macro.community, "https://example.com/", name="Welcome")
    html = page.get(ADD).content.decode()
    assert f"{ADD}?macro={macro.pk}" in html and f"{ADD}?macro={testers.pk}" in html

    feedback_form = page.get(f"{ADD}?macro={macro.pk}").context["adminform"].form
    user_form = page.get(f"{ADD}?macro={testers.pk}").context["adminform"].form

    details = {"from_status", "to_status", "field", "external"}
    assert details < set(feedback_form.fields) and "score" not in feedback_form.fields
    assert "score" in user_form.fields and not details & set(user_form.fields)
    offered = {value for value, _ in user_form.fields["event"].choices}
    assert offered == {"tester_added", "tester_changed", "score_crossed"}
    statuses = {str(each) for each in feedback_form.fields["to_status"].queryset}
    assert statuses == {"New", "Closed"}
    for wrong in ("0", "x", "9" * 30):
        assert "Which macro" in words(page.get(f"{ADD}?macro={wrong}"))


def test_only_filters_that_fit_are_offered(page: Client, macro: Macro) -> None:
    bugs = macro.feedback_type
    assert bugs is not None
    ideas = factories.feedback_type("Idea", "IDEA")
    own = factories.saved_filter(bugs, CRITICAL)
    wider = factories.saved_filter(bugs.project, subject_kind="feedback")
    for other in (ideas, bugs.project, bugs.project.community):
        factories.saved_filter(other)
    offered = page.get(f"{ADD}?macro={macro.pk}").context["adminform"].form
    assert set(offered.fields["filter"].queryset) == {own, wider}


def test_a_trigger_is_saved_with_the_details_of_its_event_alone(
    page: Client, macro: Macro
) -> None:
    assert macro.feedback_type is not None
    closed = macro.feedback_type.statuses.get(name="Closed")
    response = add(
        page,
        macro,
        event=Event.STATUS_CHANGED,
        to_status=closed.pk,
        field="severity",
        external="jira_key",
    )
    assert response.status_code == 302
    trigger = Trigger.objects.get()
    assert (trigger.macro, trigger.project) == (macro, macro.project)
    assert trigger.event_details == {"to_status": closed.pk}
    assert AuditEntry.objects.get(object_type="macros.trigger").action == "created"

    opened = page.get(page_of(trigger)).context["adminform"].form
    assert opened["to_status"].value() == closed.pk
    changed = form(event=Event.FIELD_CHANGED, field="severity")
    assert page.post(page_of(trigger), changed).status_code == 302
    trigger.refresh_from_db()
    assert trigger.event_details == {"field": "severity"}


@pytest.mark.parametrize(
    ("values", "field", "problem"),
    [
        ({"event": "field_changed"}, "field", "Choose the field"),
        ({"event": "field_changed", "field": "gone"}, "field", "Select a valid choice"),
        ({"event": "tester_added"}, "event", "Select a valid choice"),
        (
            {"event": "status_changed", "to_status": "10000000000"},
            "to_status",
            "Select a valid choice",
        ),
        ({"limit": 0}, "limit", "greater than or equal to 1"),
        ({"name": ""}, "name", "required"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(
    page: Client, macro: Macro, values: dict[str, Any], field: str, problem: str
) -> None:
    assert problem in errors(add(page, macro, **values))[field][0]
    assert not Trigger.objects.exists()


def test_a_score_has_a_number(page: Client, bugs: FeedbackType) -> None:
    macro = factories.macro(bugs.project, "https://example.com/")
    refused = errors(add(page, macro, event=Event.SCORE_CROSSED))
    assert refused == {"score": ["Enter the number that the score is to reach."]}
    assert add(page, macro, event=Event.SCORE_CROSSED, score="0").status_code == 302
    assert Trigger.objects.get().event_details == {"score": 0}


def test_two_of_one_name_are_refused(page: Client, macro: Macro) -> None:
    factories.trigger(macro, name="mine")
    assert errors(add(page, macro)) == {
        "__all__": ["The macro has a trigger of this name."]
    }


def test_on_and_off_with_one_click_from_where_it_is_listed(
    page: Client, macro: Macro
) -> None:
    trigger = factories.trigger(macro)
    toggle = page_of(trigger, "toggle")
    assert page.get(toggle).status_code == 302
    assert Trigger.objects.get().is_active
    listed = reverse("admin:macros_macro_change", args=[macro.pk])
    assert page.post(toggle, {"next": listed}).url == listed
    assert not Trigger.objects.get().is_active
    away = page.post(toggle, {"next": "https://elsewhere.example/"}).url
    assert away == page_of(trigger)
    assert Trigger.objects.get().is_active
    entries = AuditEntry.objects.filter(object_type="macros.trigger").order_by("pk")
    assert list(entries.values_list("action", flat=True)) == ["off", "on"]


def test_the_page_says_why_it_ran_and_why_not(page: Client, macro: Macro) -> None:
    bugs = macro.feedback_type
    assert bugs is not None
    chosen = factories.saved_filter(bugs, CRITICAL)
    trigger = factories.trigger(macro, Event.SUBMITTED, filter=chosen)
    for severity in ("Critical", "Minor"):
        factories.ticket(bugs, form_values={"severity": severity})
    run = Run.objects.get()

    response = page.get(page_of(trigger))

    text = words(response)
    assert "When a Bug Report is submitted and Severity is Critical, Post runs." in text
    assert (
        "BUG-2 Did not match the filter: Severity is Minor, needs: is Critical -"
        in text
    )
    assert f"BUG-1 Started a run Run {run.pk}" in text
    assert reverse("admin:logs_run_change", args=[run.pk]) in response.content.decode()
    assert "What macros change is not looked at" in text


def test_a_test_says_what_would_happen_and_starts_nothing(
    page: Client, macro: Macro
) -> None:
    bugs = macro.feedback_type
    assert bugs is not None
    chosen = factories.saved_filter(bugs, CRITICAL)
    for severity in ("Critical", "Minor"):
        factories.ticket(bugs, form_values={"severity": severity})
    trigger = factories.trigger(macro, filter=chosen)
    factories.ticket(factories.feedback_type("Idea", "IDEA"))

    def tried(name: str) -> str:
        posted = page.post(page_of(trigger, "try"), {"subject": name}, follow=True)
        [message] = posted.context["messages"]
        return str(message)

    assert tried("bug-1").endswith("it would start a run if its event happened now.")
    assert tried("BUG-2") == (
        "BUG-2: it would start nothing. Did not match the filter: Severity is Minor,"
        " needs: is Critical"
    )
    assert tried("IDEA-1").startswith("There is no ticket 'IDEA-1'")
    assert tried("a\0").startswith("There is no ticket 'a")
    assert tried("") == f"There is no ticket '' of {bugs}."
    Macro.objects.update(is_active=False)
    assert "Could not run: The macro Post is off." in tried("BUG-1")
    assert not Run.objects.exists() and not trigger.decisions.exists()


def test_macros_and_types_list_what_runs_them_by_itself(
    bugs: FeedbackType, macro: Macro
) -> None:
    factories.trigger(macro, Event.SUBMITTED, name="One")
    quiet = factories.trigger(macro, Event.COMMENT_ADDED, name="Two", is_active=False)
    factories.ticket(bugs)
    macro_page = reverse("admin:macros_macro_change", args=[macro.pk])
    type_page = reverse("admin:feedback_feedbacktype_change", args=[bugs.pk])
    for role in (Role.OBSERVER, Role.PROJECT_MANAGER):
        client = client_of(bugs, role)
        for url in (macro_page, type_page):
            response = client.get(url)
            text, html = words(response), response.content.decode()
            assert "When a Bug Report is submitted Post - Started a run" in text
            assert "When a comment is added to a Bug Report Post - - Off" in text
            manages = role == Role.PROJECT_MANAGER
            assert (page_of(quiet, "toggle") in html) is manages
            adds = manages and url == macro_page
            assert (f"{ADD}?macro={macro.pk}" in html) is adds


def test_a_macro_that_nothing_runs_says_so(page: Client, macro: Macro) -> None:
    response = page.get(reverse("admin:macros_macro_change", args=[macro.pk]))
    assert "Nothing: it runs when a person asks for it." in words(response)


def test_observers_look_and_support_too(bugs: FeedbackType, macro: Macro) -> None:
    trigger = factories.trigger(macro)
    for role in (Role.OBSERVER, Role.SUPPORT):
        client = client_of(bugs, role)
        text = words(client.get(page_of(trigger)))
        assert "When a Bug Report is submitted, Post runs." in text
        assert "Switch off" not in text
        assert client.post(page_of(trigger, "toggle")).status_code == 403
        assert client.get(ADD).status_code == 403
    assert Trigger.objects.get().is_active


def test_without_an_api_key_the_page_says_that_nothing_is_sent(
    page: Client, macro: Macro
) -> None:
    trigger = factories.trigger(macro)
    assert "Web requests are locked" not in words(page.get(page_of(trigger)))
    ApiKey.objects.all().delete()
    assert "Web requests are locked" in words(page.get(page_of(trigger)))


def test_a_ticket_saved_in_the_admin_starts_a_run(page: Client, macro: Macro) -> None:
    bugs = macro.feedback_type
    assert bugs is not None
    trigger = factories.trigger(macro, Event.SUBMITTED)
    url = f"{reverse('admin:feedback_feedback_add')}?type={bugs.pk}"
    opened = page.get(url)
    data = {
        "title": "It breaks",
        "visibility": "public",
        "comments-TOTAL_FORMS": 0,
        "comments-INITIAL_FORMS": 0,
    }
    assert opened.status_code == 200
    assert page.post(url, data).status_code == 302
    [run] = trigger.runs.all()
    assert run.deliveries.get().feedback == Feedback.objects.get()
