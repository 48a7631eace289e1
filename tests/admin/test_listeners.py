"""Listeners on their pages: the form in sections, the address, what is offered."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.models import FeedbackType
from logs.models import Action, AuditEntry
from macros.models import Listener, Scheme, Secret
from tests import factories

LIST = reverse("admin:macros_listener_changelist")
ADD = reverse("admin:macros_listener_add")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    bugs = factories.feedback_type()
    factories.api_key(bugs.project.community)
    factories.secret(bugs, "jira_secret", "s3cret-word")
    return bugs


def url(page: str, row: Listener) -> str:
    return reverse(f"admin:macros_listener_{page}", args=[row.pk])


def about(of: Any, kind: str = "feedback") -> str:
    return f"{ADD}?about={of._meta.model_name}-{of.pk}-{kind}"


def rows(prefix: str, *given: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    data: dict[str, Any] = {
        f"{prefix}-TOTAL_FORMS": len(given),
        f"{prefix}-INITIAL_FORMS": initial,
    }
    for number, row in enumerate(given):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


def form(
    *actions: dict[str, Any], checks: list[dict[str, Any]], **values: Any
) -> dict[str, Any]:
    return {
        "name": "Jira",
        "is_active": "on",
        "method": "POST",
        "payload_format": "json",
        "repeat_seconds": "0",
        "response_status": "200",
        "response_type": "application/json",
        "response_body": '{"received": true}',
        **rows("checks", *checks),
        **rows("actions", *actions),
        **values,
    }


def by_secret(bugs: FeedbackType, scheme: str = Scheme.GITHUB) -> dict[str, Any]:
    secret = Secret.objects.get(name="jira_secret")
    return {"scheme": scheme, "secret": secret.pk}


CLOSE = {"position": "1", "kind": "status", "value": "Closed"}
BY_KEY = {"record_by": "external", "record_external": "jira_key"}
BY_KEY["record_at"] = "$.issue.key"


def faults(response: Any) -> Any:
    return response.context["errors"] if response.context else None


def made(page: Client, bugs: FeedbackType) -> Listener:
    data = form(CLOSE, checks=[by_secret(bugs)], **BY_KEY)
    response: Any = page.post(about(bugs), data)
    assert response.status_code == 302, faults(response)
    return Listener.objects.get()


def test_a_listener_is_made_without_scripts_and_gets_an_address(
    page: Client, bugs: FeedbackType
) -> None:
    assert b"Tickets of Phone Beta: Bug Report" in page.get(ADD).content
    assert page.get(about(bugs)).status_code == 200
    row = made(page, bugs)
    assert (row.owner, row.community) == (bugs, bugs.project.community)
    [check], [action] = row.checks.all(), row.actions.all()
    assert (check.scheme, check.secret.name) == ("github", "jira_secret")
    assert (action.kind, action.value) == ("status", "Closed")
    shown = page.get(url("change", row)).content.decode()
    assert f"/hooks/{row.key}/" in shown
    assert "s3cret-word" not in shown
    entries = AuditEntry.objects.filter(object_type="macros.listener")
    assert [each.action for each in entries] == [Action.CREATED]


def test_a_row_keeps_only_what_its_choice_shows(
    page: Client, bugs: FeedbackType
) -> None:
    check = {**by_secret(bugs), "header": "X-Sign", "algorithm": "sha1"}
    action = {"position": "1", "kind": "comment", "value": "Hi", "name": "severity"}
    data = form(action, checks=[check], **BY_KEY)
    response: Any = page.post(about(bugs), data)
    assert response.status_code == 302, faults(response)
    [kept], [did] = (
        Listener.objects.get().checks.all(),
        Listener.objects.get().actions.all(),
    )
    assert (kept.header, kept.algorithm, did.name) == ("", "", "")
