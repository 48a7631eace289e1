"""A community's page for how long things are kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import FeedbackType
from logs.models import Attempt, AuditEntry, RetentionPolicy, Run, RunState
from logs.retention.of_runs import Attempts
from tests import factories
from tests.logs import aged

NAMES = ("bodies", "attempts", "deliveries", "calls", "audit")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def page(bugs: FeedbackType) -> Client:
    client = Client()
    client.force_login(factories.member(bugs, Role.COMMUNITY_MANAGER, "carla"))
    return client


def url(of: FeedbackType) -> str:
    pk = of.project.community_id
    return reverse("admin:feedback_community_retention", args=[pk])


def sent(**days: object) -> dict[str, object]:
    return {name: days.get(name, "") for name in NAMES}


def test_what_goes_next_is_counted(page: Client, bugs: FeedbackType) -> None:
    aged.run(bugs, 400, tickets=2)
    aged.run(factories.feedback_type(), 400, tickets=5)
    response = page.get(url(bugs))
    lines = {each.name: each for each in response.context["lines"]}
    attempts, runs = lines["Attempts"], lines["Runs"]
    assert (attempts.kept, int(attempts.count)) == ("for 365 days", 2)
    assert attempts.bytes > 0 and int(runs.count) == 0
    assert lines["Audit entries"].kept == "for ever"


def test_where_the_oldest_are_looked_at_in_vain_it_does_not_say_that_none_goes(
    page: Client, bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedback.admin.retention.MAX_LOOKED_AT", 2)
    monkeypatch.setattr(Attempts, "most", 2)
    held = aged.run(bugs, 400, tickets=3)
    Run.objects.filter(pk=held.pk).update(state=RunState.PAUSED)
    aged.run(bugs, 400)
    text = page.get(url(bugs)).content.decode()
    row = text.partition("<td>Attempts</td>")[2].partition("</tr>")[0]
    assert "none among the oldest 2</td>" in row and ">0<" not in row


def test_days_are_saved_and_the_audit_log_says_so(
    page: Client, bugs: FeedbackType
) -> None:
    response = page.post(url(bugs), {**sent(audit=365), "confirmed": "anything"})
    assert b"Nothing was saved yet" in response.content
    assert not RetentionPolicy.objects.exists()
    asked = response.context["asked"]
    response = page.post(url(bugs), {**sent(audit=365), "confirmed": asked})
    assert response.status_code == 302
    [policy] = RetentionPolicy.objects.values()
    assert (policy["audit_days"], policy["bodies_days"]) == (365, None)
    entry = AuditEntry.objects.latest("pk")
    assert entry.object_type == "feedback.community"
    assert entry.changes == {"Days kept: Audit log": ["", 365]}


def test_what_is_shortened_is_asked_with_what_goes_then(
    page: Client, bugs: FeedbackType
) -> None:
    aged.run(bugs, 50, tickets=2)
    response = page.post(url(bugs), sent(attempts=40))
    [attempts] = (e for e in response.context["lines"] if e.name == "Attempts")
    assert (attempts.kept, int(attempts.count)) == ("for 40 days", 2)
    assert Attempt.objects.count() == 2 and not RetentionPolicy.objects.exists()


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("MODE", "", "a little at a time, beginning within the hour"),
        ("MODE", "paused", "once the installation sends again"),
        ("INBOUND_KEPT_DAYS", 0, "once the settings of the installation are right"),
    ],
)
def test_it_says_when_that_is(
    page: Client,
    bugs: FeedbackType,
    settings: Any,
    setting: str,
    value: object,
    words: str,
) -> None:
    setattr(settings, setting, value)
    response = page.post(url(bugs), sent(attempts=40))
    assert f"are deleted for good, {words}" in response.content.decode()
    confirmed = {**sent(attempts=40), "confirmed": response.context["asked"]}
    response = page.post(url(bugs), confirmed, follow=True)
    assert f"Saved. What is older is deleted {words}" in response.content.decode()


def test_what_is_lengthened_needs_no_question(page: Client, bugs: FeedbackType) -> None:
    community = bugs.project.community
    RetentionPolicy.objects.create(community=community, attempts_days=10)
    assert page.post(url(bugs), sent(attempts=20)).status_code == 302
    assert RetentionPolicy.objects.get().attempts_days == 20


@pytest.mark.parametrize(
    ("days", "name", "words"),
    [
        ({"bodies": 91}, "bodies", "At most 90: this installation"),
        ({"bodies": 0}, "bodies", "From 1 to 36,500"),
        ({"attempts": 6}, "attempts", "From 7 to"),
        ({"audit": 364}, "audit", "From 365 to"),
        ({"audit": 10**30}, "audit", "From 365 to"),
        ({"calls": -1}, "calls", "From 1 to"),
        ({"calls": "soon"}, "calls", "Enter a whole number"),
        ({"bodies": 30, "attempts": 20}, "bodies", "At most 20: they go with the"),
        ({"attempts": 60, "deliveries": 50}, "attempts", "At most 50: they go with"),
    ],
)
def test_what_does_not_fit_is_refused(
    page: Client, bugs: FeedbackType, days: dict[str, Any], name: str, words: str
) -> None:
    response = page.post(url(bugs), sent(**days))
    assert words in str(response.context["form"].errors[name])
    assert not RetentionPolicy.objects.exists()


def test_a_wrong_setting_is_said(
    page: Client, bugs: FeedbackType, settings: Any
) -> None:
    settings.ATTEMPTS_KEPT_DAYS = 0
    response = page.get(url(bugs))
    assert b"ATTEMPTS_KEPT_DAYS is 0." in response.content


@pytest.mark.parametrize("role", [Role.PROJECT_MANAGER, Role.OBSERVER])
def test_others_may_not(bugs: FeedbackType, role: Role) -> None:
    client = Client()
    client.force_login(factories.member(bugs, role))
    assert client.get(url(bugs)).status_code == 403
    community = reverse(
        "admin:feedback_community_change", args=[bugs.project.community_id]
    )
    assert url(bugs) not in client.get(community).content.decode()


def test_the_community_leads_there(page: Client, bugs: FeedbackType) -> None:
    community = reverse(
        "admin:feedback_community_change", args=[bugs.project.community_id]
    )
    assert url(bugs) in page.get(community).content.decode()
