"""What listeners and external sources use is known before it is changed or deleted."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Model

from feedback.models import FeedbackType, FormField, Status
from macros.models import ListenerCheck, Scheme
from macros.models.usage import users_of, users_of_choice, users_of_label
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def words(row: Model) -> list[str]:
    return [label.partition(" (")[0] for _, label in users_of(row)]


def closed(of: FeedbackType) -> Status:
    return of.statuses.get(name="Closed")


def severity(of: FeedbackType) -> FormField:
    return of.form_fields.get(key="severity")


STATUS_ACTIONS: list[tuple[dict[str, Any], bool]] = [
    ({"kind": "status", "value": "x", "value_map": "Done -> closed\n* -> New"}, True),
    ({"kind": "status", "value": "x", "value_map": "* ->  Closed "}, True),
    ({"kind": "status", "value": " Closed "}, True),
    ({"kind": "status", "value": "x", "value_map": "Closed -> New"}, False),
    ({"kind": "status", "value": "((Payload: $.status))"}, False),
    ({"kind": "field", "name": "severity", "value": "Closed"}, False),
    ({"kind": "comment", "value": "Closed"}, False),
    ({"kind": "create", "value": "title: Closed\nStatus : closed"}, True),
    ({"kind": "create", "value": "title: Closed\nstatus: New"}, False),
]


@pytest.mark.parametrize(("action", "uses"), STATUS_ACTIONS)
def test_a_status_is_used_by_the_actions_that_set_it(
    bugs: FeedbackType, action: dict[str, Any], uses: bool
) -> None:
    factories.listener(bugs, action, name="From Jira")
    assert words(closed(bugs)) == ["Listener From Jira"] * uses


FIELD_ACTIONS: list[tuple[dict[str, Any], bool]] = [
    ({"kind": "field", "name": "severity", "value": "Minor"}, True),
    ({"kind": "field", "name": "Severity", "value": "x"}, True),
    ({"kind": "field", "name": "impact", "value": "((Field: Severity|upper))"}, True),
    ({"kind": "comment", "value": "Was (( field:severity )) before."}, True),
    ({"kind": "create", "value": "title: x\nSeverity: Minor"}, True),
    ({"kind": "create", "value": "title: Severity"}, False),
    ({"kind": "external", "name": "severity", "value": "Minor"}, False),
    ({"kind": "status", "value": "Severity"}, False),
]


@pytest.mark.parametrize(("action", "uses"), FIELD_ACTIONS)
def test_a_question_is_used_by_the_actions_that_name_it(
    bugs: FeedbackType, action: dict[str, Any], uses: bool
) -> None:
    factories.listener(bugs, action, name="From Jira")
    assert words(severity(bugs)) == ["Listener From Jira"] * uses


def test_a_label_and_a_choice_are_used_apart(bugs: FeedbackType) -> None:
    version = bugs.form_fields.get(key="app_version")
    factories.listener(bugs, {"kind": "field", "name": "App version", "value": "1"})
    factories.listener(bugs, {"kind": "field", "name": "app_version", "value": "2"})
    assert len(users_of(version)) == 2
    version.label = "Release"
    assert [str(row) for row, _ in users_of_label(version)] == []
    action = {"kind": "field", "name": "severity", "value_map": "1 -> Critical"}
    heard = factories.listener(bugs, action)
    assert [row for row, _ in users_of_choice(severity(bugs), "critical")] == [heard]
    assert users_of_choice(severity(bugs), "Minor") == []


def test_a_listener_of_a_wider_owner_counts_and_none_of_another(
    bugs: FeedbackType,
) -> None:
    action = {"kind": "status", "value": "Closed"}
    community, others = bugs.project.community, factories.feedback_type()
    factories.listener(bugs.project, action, name="Wide")
    factories.listener(community, action, name="Wider", subject_kind="feedback")
    factories.listener(bugs.project, action, name="Testers", subject_kind="tester")
    factories.listener(others, action, name="Theirs")
    factories.listener(others.project.community, action, name="Theirs too")
    assert sorted(words(closed(bugs))) == ["Listener Wide", "Listener Wider"]


def test_rows_are_used_by_what_points_at_them(bugs: FeedbackType) -> None:
    secret, macro = factories.secret(bugs, "signed"), factories.macro(bugs)
    chosen = factories.saved_filter(bugs)
    key, _ = factories.api_key(bugs.project.community)
    run = {"kind": "run", "macro": macro}
    heard = factories.listener(bugs, run, run, name="From Jira", filter=chosen)
    for _ in range(2):
        ListenerCheck.objects.create(
            listener=heard, scheme=Scheme.GITHUB, secret=secret
        )
    ListenerCheck.objects.create(listener=heard, scheme="api_key", api_key=key)
    factories.source(bugs, name="Crashes", default_status=closed(bugs))
    for row in (secret, macro, chosen, key):
        assert words(row) == ["Listener From Jira"], row
    assert words(closed(bugs)) == ["External source Crashes"]
