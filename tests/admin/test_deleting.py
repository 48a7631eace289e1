"""Whatever may be deleted can be, with its history, and the page says what goes."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from feedback.access.roles import Role
from feedback.changes import belongings, deletion
from feedback.console import deleting
from feedback.models import (
    ApiKey,
    Comment,
    Community,
    Feedback,
    FeedbackType,
    Member,
    Project,
    Tester,
)
from logs.models import Attempt, AuditEntry, Delivery, Destination, Run, RunState
from macros import jobs
from macros.listeners import work
from macros.models import InboundCall, Listener, Macro, Secret
from tests import factories

SUPERUSER = "superuser"
# Who may delete it, from the highest down.
MODELS: dict[type[Model], list[str]] = {
    Community: [SUPERUSER],
    User: [SUPERUSER],
    Destination: [SUPERUSER],
    Project: [SUPERUSER, Role.COMMUNITY_MANAGER],
    Tester: [SUPERUSER, Role.COMMUNITY_MANAGER],
    ApiKey: [SUPERUSER, Role.COMMUNITY_MANAGER],
    Member: [SUPERUSER, Role.COMMUNITY_MANAGER],
    FeedbackType: [SUPERUSER, Role.COMMUNITY_MANAGER, Role.PROJECT_MANAGER],
    Feedback: [SUPERUSER, Role.COMMUNITY_MANAGER, Role.PROJECT_MANAGER],
    Macro: [SUPERUSER, Role.COMMUNITY_MANAGER, Role.PROJECT_MANAGER],
    Listener: [SUPERUSER, Role.COMMUNITY_MANAGER, Role.PROJECT_MANAGER],
    Secret: [SUPERUSER, Role.COMMUNITY_MANAGER, Role.PROJECT_MANAGER],
}
# What of the log goes with it.
LOG = (Run, Delivery, Attempt)
ACTORS = [SUPERUSER, *Role.values]


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def signed_in(bugs: FeedbackType, actor: str) -> Client:
    client = Client()
    if actor == SUPERUSER:
        client.force_login(factories.superuser())
    else:
        client.force_login(factories.member(bugs, actor, f"the {actor}"))
    return client


def page_of(row: Model) -> str:
    opts = row._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_delete", args=[row.pk])


def row_of(model: type[Model], bugs: FeedbackType) -> Model:
    rows: dict[type[Model], Model] = {
        Community: bugs.project.community,
        Project: bugs.project,
        FeedbackType: bugs,
        User: User.objects.get(username="Everything"),
        Member: Member.objects.get(user__username="Everything"),
        Feedback: bugs.tickets.get(),
    }
    return rows.get(model) or model._default_manager.get()


def confirmed(row: Model) -> dict[str, str]:
    return {"post": "yes", "name": str(getattr(row, "name", ""))}


def delete(client: Client, row: Model) -> Any:
    return client.post(page_of(row), confirmed(row))


@pytest.mark.sweep
@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_whoever_may_deletes_it_with_its_history_and_nobody_else(
    bugs: FeedbackType, model: type[Model], actor: str
) -> None:
    factories.one_of_everything(bugs)
    row = row_of(model, bugs)
    client = signed_in(bugs, actor)
    may = actor in MODELS[model]

    statuses = client.get(page_of(row)).status_code, delete(client, row).status_code

    assert statuses == (200, 302) if may else statuses in [(403, 403), (404, 404)]
    assert model._default_manager.filter(pk=row.pk).exists() is not may
    entries = AuditEntry.objects.filter(
        action="deleted", object_type=model._meta.label_lower, object_id=row.pk
    )
    assert entries.count() == may
    kept = 0 if may and model is Community else 1
    assert [each._default_manager.count() for each in LOG] == [kept] * 3


@pytest.mark.parametrize("model", [Community, Project, FeedbackType, Macro])
def test_runs_in_progress_are_cancelled_first(
    bugs: FeedbackType, model: type[Model]
) -> None:
    others = factories.feedback_type("Other", "OTH")
    for each in (bugs, others):
        factories.ticket(each)
        factories.run(factories.macro(each, "http://127.0.0.1:1/"))
    mine, other = Run.objects.order_by("pk")
    row = {Macro: mine.macro, FeedbackType: bugs}.get(model)
    row = row or (bugs.project if model is Project else bugs.project.community)
    client = signed_in(bugs, SUPERUSER)

    shown = client.get(page_of(row)).content.decode()
    assert "1 run in progress is cancelled. What is being sent still arrives." in shown
    delete(client, row)
    jobs.wake()

    other.refresh_from_db()
    assert other.state == RunState.ACTIVE
    assert AuditEntry.objects.filter(action="cancelled", object_id=mine.pk).exists()
    if model is not Community:
        mine.refresh_from_db()
        assert (mine.state, mine.cancelled) == (RunState.CANCELLED, 1)


def test_nobody_else_sees_what_is_left_of_a_community(bugs: FeedbackType) -> None:
    factories.one_of_everything(bugs)
    others = factories.feedback_type()
    kim = factories.member(others, Role.COMMUNITY_MANAGER)
    lee = factories.member(bugs, Role.COMMUNITY_MANAGER)
    delete(signed_in(bugs, SUPERUSER), bugs.project.community)

    assert AuditEntry.objects.filter(community_id=bugs.project.community_id).exists()
    for person in (kim, User.objects.get(pk=lee.pk)):
        seen = AuditEntry.objects.visible_to(person)  # type: ignore[attr-defined]
        assert not seen.filter(community=bugs.project.community_id).exists()
    assert not Tester.objects.exists() and not Secret.objects.exists()


def test_the_page_says_in_numbers_what_goes_and_what_stays(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(belongings, "MAX_COUNTED", 3)
    tickets = factories.tickets(bugs, 5)
    Comment.objects.create(feedback=tickets[0], text="So it is.")
    factories.run(factories.macro(bugs, "http://127.0.0.1:1/"))
    shown = signed_in(bugs, SUPERUSER).get(page_of(bugs)).content.decode()
    assert "more than 3 tickets" in shown and "1 comment" in shown
    assert "Kept, without a link to it: 1 run." in shown
    assert "It breaks" not in shown, "no row is listed"


def test_the_page_asks_as_much_for_many_rows_as_for_few(
    bugs: FeedbackType,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in(bugs, SUPERUSER)
    factories.ticket(bugs)
    with django_assert_max_num_queries(90) as few:
        client.get(page_of(bugs.project.community))
    factories.tickets(bugs, 50)
    with django_assert_num_queries(len(few)):
        client.get(page_of(bugs.project.community))


@pytest.mark.parametrize("typed", ["", "phone beta", "Phone Beta "])
def test_a_name_must_be_typed_as_it_is(bugs: FeedbackType, typed: str) -> None:
    client = signed_in(bugs, Role.COMMUNITY_MANAGER)
    page = client.post(page_of(bugs.project), {"name": typed}, follow=True)
    assert "To delete it, type its name below as it is: Phone Beta" in (
        page.content.decode()
    )
    assert Project.objects.filter(pk=bugs.project_id).exists()


def test_those_with_a_name_to_type_are_not_deleted_from_a_list(
    bugs: FeedbackType,
) -> None:
    client = signed_in(bugs, SUPERUSER)
    page = reverse("admin:feedback_project_changelist")
    both = {"action": "delete_selected", "_selected_action": bugs.project_id}
    client.post(page, {**both, "post": "yes"})
    assert Project.objects.filter(pk=bugs.project_id).exists()


def test_a_list_deletes_a_bounded_number_at_once(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deleting, "MAX_FROM_LIST", 3)
    tickets = factories.tickets(bugs, 4)
    client = signed_in(bugs, Role.PROJECT_MANAGER)
    page = reverse("admin:feedback_feedback_changelist") + f"?type={bugs.pk}"

    def delete_all(rows: list[Feedback], **more: str) -> str:
        data = {"_selected_action": [row.pk for row in rows], "post": "yes", **more}
        sent = client.post(page, {"action": "delete_selected", **data}, follow=True)
        return sent.content.decode()

    assert "More than 3 tickets are selected. Select fewer" in delete_all(tickets)
    assert "More than 3 tickets" in delete_all(tickets[:1], select_across="1")
    assert Feedback.objects.count() == 4
    assert "Successfully deleted 3 tickets" in delete_all(tickets[:3])


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "AT_ONCE", 4)


@pytest.mark.usefixtures("small_steps")
def test_what_is_much_is_deleted_by_the_clock_in_steps(bugs: FeedbackType) -> None:
    community = bugs.project.community
    factories.tickets(bugs, 10)
    factories.run(factories.macro(bugs, "http://127.0.0.1:1/"))
    others = factories.feedback_type("Other", "OTH")
    factories.tickets(others, 10)
    client = signed_in(bugs, SUPERUSER)

    sent = client.post(page_of(community), confirmed(community), follow=True)
    assert "It is being deleted in the background" in sent.content.decode()
    assert Feedback.objects.filter(feedback_type=bugs).count() == 10

    left = []
    while Community.objects.filter(pk=community.pk).exists():
        jobs.wake()
        left.append(Feedback.objects.filter(feedback_type=bugs).count())
        assert not Macro.objects.filter(community=community).exists()
    assert left == [6, 2, 0]
    assert not Run.objects.exists() and not Delivery.objects.exists()
    assert Feedback.objects.count() == 10, "the others' stay"


@pytest.mark.usefixtures("small_steps")
def test_a_listener_with_many_calls_is_deleted_in_steps_and_works_on_none(
    bugs: FeedbackType,
) -> None:
    ticket = factories.ticket(bugs)
    comment = {"kind": "comment", "value": "heard"}
    listener = factories.listener(bugs, comment, record_by="id", record_at="$.id")
    body = b'{"id": %d}' % ticket.pk
    for _ in range(10):
        factories.inbound_call(listener, body)
    sent = delete(signed_in(bugs, SUPERUSER), listener)
    assert sent.status_code == 302
    left = []
    while Listener.objects.exists():
        work.hear(listener.pk)
        jobs.wake()
        left.append(InboundCall.objects.count())
    assert left == [6, 2, 0]
    assert not ticket.comments.exists()


def test_a_form_that_was_open_does_not_take_a_deletion_back(bugs: FeedbackType) -> None:
    for row in (bugs, bugs.project, bugs.project.community):
        type(row).objects.filter(pk=row.pk).update(deleting_since=timezone.now())
        row.name = "Renamed"
        row.save()
        row.refresh_from_db()
        assert row.deleting_since and row.name == "Renamed"


@pytest.mark.usefixtures("small_steps")
def test_the_list_shows_how_far_it_is(bugs: FeedbackType) -> None:
    factories.tickets(bugs, 10)
    client = signed_in(bugs, Role.PROJECT_MANAGER)
    client.post(page_of(bugs), confirmed(bugs))
    jobs.wake()
    listed = client.get(reverse("admin:feedback_feedbacktype_changelist"))
    shown = listed.content.decode()
    assert "Being deleted; left:" in shown and "6 tickets" in shown
    again = client.get(page_of(bugs)).content.decode()
    assert "It is being deleted in the background" in again
    assert AuditEntry.objects.filter(action="deleted").count() == 1
