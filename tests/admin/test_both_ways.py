"""One form sets up both directions, or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import FeedbackType
from macros.models import Listener, Macro, Secret, Trigger
from macros.steps.kinds.web_request import WebRequest
from tests import factories

PAGE = reverse("admin:macros_listener_from_preset_pair", args=["jira"])


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def manager(bugs: FeedbackType) -> Client:
    client = Client()
    client.force_login(factories.member(bugs, Role.PROJECT_MANAGER))
    return client


def form(bugs: FeedbackType, **values: str) -> dict[str, str]:
    return {
        "feedback_type": str(bugs.pk),
        "setting_site": "https://your-team.atlassian.net/",
        "setting_email": "sync@example.com",
        "setting_project": "NW",
        "setting_issue_type": "Bug",
        "setting_severity": "severity",
        "setting_priorities": "Critical=Highest,*=Medium",
        "statuses": "Done -> Closed",
        "own_account": "557058:0a1b",
        "secret_jira_token_name": "jira_token",
        "secret_jira_token_value": "not-to-be-seen-1",
        "secret_signing_name": "jira_webhook",
        "secret_signing_value": "not-to-be-seen-2",
        "keep_in": "project",
        **values,
    }


def test_it_is_offered_and_shows_what_it_makes(manager: Client) -> None:
    chooser = manager.get(reverse("admin:macros_listener_from_preset"))
    assert PAGE in chooser.content.decode()
    html = manager.get(PAGE).content.decode()
    for text in ("Create the Jira issue", "Comments on Jira issues", "API token"):
        assert text in html
    assert "Done -&gt; Closed" in html, "the type's own status"


def test_one_form_makes_both_directions(manager: Client, bugs: FeedbackType) -> None:
    page = manager.post(PAGE, form(bugs), follow=True)
    assert page.redirect_chain, page.context["form"].errors
    html = page.content.decode()
    assert "Made, and on: macro Create the Jira issue" in html
    assert "not-to-be-seen" not in html
    macros = {each.name: each for each in Macro.objects.filter(feedback_type=bugs)}
    assert set(macros) == {"Create the Jira issue", "Set the priority in Jira"}
    triggers = {each.macro.name: each for each in Trigger.objects.all()}
    assert triggers["Set the priority in Jira"].event_details == {"field": "severity"}
    assert not any(each.follows_automation for each in triggers.values())
    put = WebRequest.objects.get(method="PUT")
    assert "((Field: severity|map:Critical=Highest,*=Medium))" in put.body
    token = Secret.objects.get(name="jira_token")
    assert token.hosts == "your-team.atlassian.net" and token.project == bugs.project
    names = {each.name: each for each in Listener.objects.all()}
    assert set(names) == {"Status of Jira issues", "Comments on Jira issues"}
    for each in names.values():
        assert each.ignored == "557058:0a1b" and each.is_active and each.key
        assert each.checks.get().secret == Secret.objects.get(name="jira_webhook")


CASES: list[tuple[dict[str, str], str, str]] = [
    ({"feedback_type": ""}, "feedback_type", "required"),
    ({"setting_site": "jira"}, "setting_site", "is not a URL"),
    ({"setting_severity": "Weight"}, "setting_severity", "It has Severity, Platform"),
    ({"setting_priorities": "((x"}, "__all__", ""),
    ({"statuses": "Done -> Gone"}, "statuses", "Gone"),
    ({"secret_signing_value": ""}, "secret_signing_value", "There is no secret"),
    ({"secret_signing_name": "a/b"}, "secret_signing_name", "Use letters"),
    ({"secret_signing_name": "jira_token"}, "secret_signing_name", "given twice"),
]


@pytest.mark.parametrize(("values", "field", "problem"), CASES)
def test_a_mistake_is_shown_where_it_is_and_nothing_is_made(
    manager: Client,
    bugs: FeedbackType,
    values: dict[str, str],
    field: str,
    problem: str,
) -> None:
    response: Any = manager.post(PAGE, form(bugs, **values))
    assert response.status_code == 200, "nothing was refused"
    assert "not-to-be-seen" not in response.content.decode()
    shown = response.context["form"].errors
    assert problem in " ".join(shown.get(field, ["nothing"])), shown
    for model in (Macro, Trigger, Listener, Secret):
        assert not model._default_manager.exists()


def test_what_is_there_under_a_name_is_not_touched(
    manager: Client, bugs: FeedbackType
) -> None:
    factories.macro(bugs, name="Create the Jira issue")
    response: Any = manager.post(PAGE, form(bugs))
    assert response.status_code == 200
    assert "macro of this name" in str(response.context["form"].errors)
    assert not Listener.objects.exists() and not Secret.objects.exists()


@pytest.mark.parametrize("role", [Role.OBSERVER, Role.SUPPORT])
def test_whoever_may_add_none_gets_none(bugs: FeedbackType, role: str) -> None:
    client = Client()
    client.force_login(factories.member(bugs, role))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, form(bugs)).status_code == 403
    assert not Listener.objects.exists()
