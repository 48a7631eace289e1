"""The audit log: one write path, written once, kept when all else is gone."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection, transaction
from django.test import RequestFactory

from feedback.access.keys import KeyActor
from feedback.access.roles import Role
from feedback.models import ApiKey, Community, Feedback, FeedbackType
from feedback.transfer.cells import safe_cell
from logs import audit
from logs.models import Action, AuditEntry, Cause, Run
from logs.models.audit import WrittenOnce
from macros.models import Macro
from macros.runs import RunRefused, start_run
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def a_request(user: Any, address: str = "203.0.113.9") -> Any:
    request = RequestFactory().get("/", REMOTE_ADDR=address)
    request.user = user
    return request


def entry() -> AuditEntry:
    return AuditEntry.objects.get()


def test_an_entry_says_who_did_what_and_where(bugs: FeedbackType) -> None:
    olivia = factories.superuser()
    macro = factories.macro(bugs, name="Post to Slack")
    with audit.during(a_request(olivia)):
        audit.record(
            Action.CHANGED, macro, changes={"name": ["A", "B"]}, detail="Because."
        )
    project = bugs.project
    assert AuditEntry.objects.values(
        "action",
        "actor",
        "actor_name",
        "api_key",
        "address",
        "object_type",
        "object_id",
        "object_name",
        "community",
        "community_name",
        "project",
        "project_name",
        "changes",
        "detail",
        "run",
    ).get() == {
        "action": "changed",
        "actor": olivia.pk,
        "actor_name": "olivia",
        "api_key": "",
        "address": "203.0.113.9",
        "object_type": "macros.macro",
        "object_id": macro.pk,
        "object_name": "Post to Slack",
        "community": project.community_id,
        "community_name": project.community.name,
        "project": project.pk,
        "project_name": "Phone Beta",
        "changes": {"name": ["A", "B"]},
        "detail": "Because.",
        "run": None,
    }


def test_who_calls_is_looked_up_as_late_as_it_is_written(bugs: FeedbackType) -> None:
    key = ApiKey(community=bugs.project.community, name="BI tool")
    key.issue_token()
    key.save()
    request = a_request(AnonymousUser(), "2001:db8::7")
    with audit.during(request):
        request.user = KeyActor(key)  # As an API does on authentication.
        audit.record(Action.CHANGED, bugs)
    written = entry()
    assert (written.actor, written.actor_name, written.api_key, written.address) == (
        None,
        "BI tool",
        key.prefix,
        "2001:db8::7",
    )


def test_a_command_acts_for_the_system(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/srv/manage.py", "clock", "--fast"])
    audit.record(Action.CHANGED, bugs)
    monkeypatch.setattr(sys, "argv", ["gunicorn", "centerhook.wsgi"])
    audit.record(Action.CHANGED, bugs)
    names = AuditEntry.objects.order_by("pk").values_list("actor_name", "address")
    assert list(names) == [("system (clock)", ""), ("system", "")]


def test_a_request_is_forgotten_when_it_is_over(bugs: FeedbackType) -> None:
    with pytest.raises(ZeroDivisionError), audit.during(a_request(User(username="x"))):
        raise ZeroDivisionError
    audit.record(Action.CHANGED, bugs)
    assert entry().actor_name == "system"


def test_nobody_changes_or_deletes_an_entry(bugs: FeedbackType) -> None:
    written = audit.record(Action.CHANGED, bugs)
    written.detail = "Never happened."
    rows = AuditEntry.objects.all()
    for attempt in (
        written.save,
        AuditEntry.objects.get().save,
        written.delete,
        rows.delete,
        lambda: rows.update(detail=""),
        lambda: rows.bulk_update([written], ["detail"]),
        lambda: AuditEntry.objects.update_or_create(
            pk=written.pk, defaults={"detail": ""}
        ),
    ):
        with pytest.raises(WrittenOnce), transaction.atomic():
            attempt()
    assert entry().detail == ""


def test_it_is_kept_when_all_it_tells_of_is_deleted(bugs: FeedbackType) -> None:
    olivia = factories.superuser()
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://a.example/"), actor=olivia)
    before = AuditEntry.objects.values().get()
    assert before["run_id"] == run.pk
    bugs.project.community.delete()
    olivia.delete()
    assert not Run.objects.exists() and not Macro.objects.exists()
    assert AuditEntry.objects.values().get() == before
    assert entry().actor_name == "olivia"


def test_what_is_rolled_back_is_not_told(bugs: FeedbackType) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        audit.record(Action.CHANGED, bugs)
        raise ZeroDivisionError
    with pytest.raises(RunRefused):  # Found out after the run's row was made.
        start_run(
            factories.macro(bugs, "https://a.example/"),
            Feedback.objects.none(),
            cause=Cause.ACTION,
        )
    assert not AuditEntry.objects.exists()


def test_a_community_manager_sees_the_communitys_and_nobody_else_does(
    bugs: FeedbackType,
) -> None:
    mine = audit.record(Action.CHANGED, bugs)
    sign_in = audit.record(Action.SIGNED_IN, factories.superuser("oscar"))
    assert list(AuditEntry.objects.visible_to(factories.superuser())) == [sign_in, mine]
    manager = factories.member(bugs, Role.COMMUNITY_MANAGER)
    assert list(AuditEntry.objects.visible_to(manager)) == [mine]
    stranger = factories.member(factories.feedback_type(), Role.COMMUNITY_MANAGER)
    others = [
        factories.member(bugs, role)
        for role in (Role.PROJECT_MANAGER, Role.SUPPORT, Role.OBSERVER)
    ]
    inside = factories.member(bugs, Role.PROJECT_MANAGER, in_project=True)
    for user in (stranger, *others, inside):
        assert not AuditEntry.objects.visible_to(user).exists()


def copy_up_to(number: int, ticket: Feedback) -> None:
    """Copies of the first ticket until there are so many, in one statement."""
    own = {"id", "number", "reference"}
    copied = [f.column for f in Feedback._meta.concrete_fields if f.name not in own]
    columns = ", ".join(copied)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE n(i) AS"
            " (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < %s)"
            f" INSERT INTO feedback_feedback (number, reference, {columns})"
            f" SELECT i, 'BUG-' || i, {columns}"
            " FROM feedback_feedback, n WHERE id = %s",
            [number, ticket.pk],
        )


def test_a_run_of_many_tickets_is_one_entry_and_as_many_queries(
    bugs: FeedbackType, django_assert_max_num_queries: Any
) -> None:
    copy_up_to(100_000, factories.ticket(bugs))
    macro = factories.macro(bugs, "https://a.example/", name="Post")
    with django_assert_max_num_queries(26):
        run = start_run(
            macro,
            Feedback.objects.all(),
            cause=Cause.ACTION,
            actor=factories.superuser(),
            selection="all tickets",
        )
    written = entry()
    assert (written.action, written.object_name, written.run, written.detail) == (
        "ran",
        "Post",
        run,
        "100,000 deliveries. Perform Action.",
    )


def test_long_and_odd_texts_are_bounded(bugs: FeedbackType) -> None:
    Community.objects.create(name="Other")
    audit.record(Action.CHANGED, bugs, actor="n\0" * 500, detail="d\0" * 500)
    written = entry()
    assert len(written.actor_name) == 150 and len(written.detail) == 500
    assert "\0" not in written.actor_name + written.detail


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_formula_is_a_text_in_a_spreadsheet(start: str) -> None:
    assert safe_cell(f"{start}1+1") == f"'{start}1+1"
    assert safe_cell(f"1{start}1") == f"1{start}1"
    assert safe_cell(-1) == -1 and safe_cell(None) is None
