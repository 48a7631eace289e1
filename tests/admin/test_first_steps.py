"""The led way from an empty installation to the first delivered message."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import (
    ApiKey,
    Community,
    Feedback,
    FeedbackType,
    Project,
)
from logs.models import Action, AuditEntry, Cause, Run
from macros.first_steps.samples import MARK, add_samples, remove_samples
from macros.first_steps.starters import FOLDER, ORDER, all_starters, start_type
from macros.first_steps.way import FirstStep, way_of
from macros.models import Macro
from tests import factories

pytestmark = pytest.mark.django_db

INDEX = "/admin/"


def url(step: str) -> str:
    return reverse("admin:first_steps_step", args=[step])


def text_of(page: Client, address: str) -> str:
    return " ".join(page.get(address, follow=True).content.decode().split())


def next_of(page: Client) -> str:
    response: Any = page.get(reverse("admin:first_steps"))
    return str(response.url).rstrip("/").rpartition("/")[2] if response.url else ""


def test_each_step_is_done_by_the_doors_of_its_own_page(page: Client) -> None:
    assert next_of(page) == "community"
    page.post(url("community"), {"name": "Northwind Beta"})
    community = Community.objects.get()
    assert next_of(page) == "key"
    html = page.post(url("key")).content.decode()
    key = ApiKey.objects.get()
    assert key.prefix in html and 'id="token"' in html
    assert "Name of the project" in html
    assert next_of(page) == "project"
    page.post(url("project"), {"name": "Spring Beta"})
    page.post(url("type"), {"starter": "bug-report"})
    kind = FeedbackType.objects.get()
    assert [each.colour for each in kind.statuses.all()][:2] == ["blue", "amber"]
    assert next_of(page) == "tickets"
    page.post(url("tickets"))
    assert next_of(page) == "macro"

    entries = AuditEntry.objects.filter(community=community).order_by("pk")
    made = [
        (entry.action, entry.object_type.partition(".")[2], entry.actor_name)
        for entry in entries
    ]
    tickets = [(Action.CREATED, "feedback", "olivia")] * Feedback.objects.count()
    assert made == [
        (Action.CREATED, "community", "olivia"),
        (Action.REVEALED, "apikey", "olivia"),
        (Action.CREATED, "apikey", "olivia"),
        (Action.CREATED, "project", "olivia"),
        (Action.CREATED, "feedbacktype", "olivia"),
        (Action.IMPORTED, "project", "olivia"),
        *tickets,
    ]


def test_a_form_that_is_sent_twice_makes_one(page: Client) -> None:
    for _ in range(2):
        page.post(url("community"), {"name": "Northwind"})
        page.post(url("key"))
        page.post(url("project"), {"name": "Spring"})
    assert Community.objects.count() == 1
    assert ApiKey.objects.count() == 1
    assert Project.objects.count() == 1


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\0b"])
def test_what_is_refused_is_said_and_nothing_typed_is_lost(
    page: Client, name: str
) -> None:
    html = page.post(url("community"), {"name": name}).content.decode()
    assert 'role="alert"' in html
    assert Community.objects.count() == 0
    if name.strip() and "\0" not in name:
        assert f'value="{name}"' in html


def test_a_step_whose_ground_is_missing_leads_to_the_one_that_is_next(
    page: Client,
) -> None:
    for step in FirstStep:
        response: Any = page.get(url(step))
        if step != FirstStep.COMMUNITY:
            assert response.url == reverse("admin:first_steps"), step
    assert page.get(url("nonsense")).status_code == 404


def test_what_was_done_elsewhere_is_ticked(page: Client) -> None:
    bugs = factories.feedback_type()
    assert next_of(page) == "tickets"
    factories.ticket(bugs)
    factories.macro(bugs, "https://example.com/")
    assert next_of(page) == "test"
    html = text_of(page, INDEX)
    assert "6 of 8 done" in html


def test_the_list_is_gone_once_a_message_was_delivered(page: Client) -> None:
    bugs = factories.feedback_type()
    assert "First steps" in text_of(page, INDEX)
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://example.com/"))
    Run.objects.filter(pk=run.pk).update(delivered=1, cause=Cause.ACTION)
    assert "First steps" not in text_of(page, INDEX)
    assert "the first message has arrived" in text_of(
        page, reverse("admin:first_steps")
    )


def test_the_list_can_be_put_away_and_taken_back(page: Client) -> None:
    away = reverse("admin:first_steps_away")
    page.get(away)
    assert "First steps" in text_of(page, INDEX)
    page.post(away)
    page.get(INDEX)
    assert "first-steps-title" not in text_of(page, INDEX)
    page.post(away, {"back": "yes"})
    assert "first-steps-title" in text_of(page, INDEX)


def as_person(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_project_manager_has_the_steps_that_concern_them() -> None:
    bugs = factories.feedback_type()
    project = bugs.project
    bugs.delete()
    user = factories.member(
        FeedbackType(project=project), Role.PROJECT_MANAGER, "paul", in_project=True
    )
    way = way_of(User.objects.get(pk=user.pk))
    assert way.steps == [
        FirstStep.TYPE,
        FirstStep.TICKETS,
        FirstStep.MACRO,
        FirstStep.TEST,
        FirstStep.PERFORM,
    ]
    page = as_person(user)
    assert next_of(page) == "type"
    assert page.get(url("community")).status_code == 403
    page.post(url("type"), {"starter": "idea"})
    assert project.feedback_types.get().name == "Idea"


def test_where_sending_is_locked_a_project_manager_learns_whom_to_ask() -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    bugs.project.community.api_keys.all().delete()
    factories.member(bugs, Role.COMMUNITY_MANAGER, "carol")
    page = as_person(factories.member(bugs, Role.PROJECT_MANAGER, in_project=True))
    html = text_of(page, url("macro"))
    assert "ask a Community Manager to create one: carol" in html
    assert "Post a message to Slack" not in html


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.OBSERVER])
def test_others_are_not_led(role: Role) -> None:
    page = as_person(factories.member(factories.feedback_type(), role))
    assert "first-steps-title" not in text_of(page, INDEX)
    assert page.get(reverse("admin:first_steps")).status_code == 403


def test_a_macro_made_from_a_preset_leads_back(page: Client) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    html = text_of(page, url("macro"))
    query = f"?feedback_type={bugs.pk}&amp;next=%2Fadmin%2Ffirst-steps%2F"
    preset = reverse("admin:macros_macro_new_preset", args=["any-json"])
    assert f'href="{preset}{query}"' in html
    values = {
        "feedback_type": bugs.pk,
        "name": "Send",
        "setting_url": "https://example.com/x",
    }
    response: Any = page.post(preset + query.replace("&amp;", "&"), values)
    assert response.url == "/admin/first-steps/"
    assert Macro.objects.get().name == "Send"


@pytest.mark.parametrize("next_page", ["https://evil.example/", "//evil.example", ""])
def test_a_new_macro_leads_to_no_other_site(page: Client, next_page: str) -> None:
    bugs = factories.feedback_type()
    preset = reverse("admin:macros_macro_new_preset", args=["any-json"])
    values = {
        "feedback_type": bugs.pk,
        "name": "Send",
        "setting_url": "https://example.com/x",
    }
    response: Any = page.post(f"{preset}?next={next_page}", values)
    macro = Macro.objects.get()
    assert response.url == reverse("admin:macros_macro_change", args=[macro.pk])


def test_the_test_goes_to_the_echo_and_the_run_is_on_what_was_shown(
    page: Client,
) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 7)
    factories.macro(bugs, "https://example.com/", name="Send")
    response: Any = page.post(url("test"))
    assert response.url == url("perform")
    tested = Run.objects.get()
    assert tested.cause == Cause.TEST and tested.snapshot["test"]["echo"]

    shown: Any = page.get(url("perform"))
    assert "example.com" in shown.content.decode()
    sent = {key: shown.context[key] for key in ("digest", "run_key")}
    factories.ticket(bugs)
    assert "Other tickets have come" in page.post(url("perform"), sent).content.decode()
    sent["digest"] = page.get(url("perform")).context["digest"]  # type: ignore[index]
    for _ in range(2):
        page.post(url("perform"), sent)
    run = Run.objects.get(cause=Cause.ACTION)
    assert run.total == 5


def test_a_macro_that_is_off_is_a_sentence(page: Client) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    factories.macro(bugs, "https://example.com/")
    Macro.objects.update(is_active=False)
    digest = page.get(url("perform")).context["digest"]  # type: ignore[index]
    html = page.post(url("perform"), {"digest": digest}).content.decode()
    assert "is off. Switch it on to run it." in html


@pytest.mark.parametrize("name", ORDER)
def test_a_starter_makes_a_whole_type_with_samples(name: str, olivia: User) -> None:
    project = factories.feedback_type().project
    project.feedback_types.all().delete()
    starter = all_starters()[name]
    kind = start_type(starter, project, olivia)
    assert {each.is_open for each in kind.statuses.all()} == {True, False}
    tickets = add_samples(kind)
    assert 3 <= len(tickets) <= 5
    for ticket, sample in zip(tickets, starter.samples, strict=True):
        assert ticket.form_values.keys() == sample.values.keys()
        assert ticket.title.startswith(MARK)
        assert ticket.is_sample and ticket.status == kind.first_status()


def test_each_file_of_starters_is_offered() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {*ORDER}


def test_samples_start_nothing_and_are_removed_without_a_real_ticket(
    olivia: User,
) -> None:
    bugs = factories.feedback_type("Own kind", "OWN")
    factories.trigger(factories.macro(bugs, "https://example.com/"))
    real = factories.ticket(bugs, title=f"{MARK}by a tester")
    Run.objects.all().delete()
    made = add_samples(bugs)
    assert not Run.objects.exists()
    assert remove_samples(olivia) == len(made)
    assert Feedback.objects.get() == real
    gone = AuditEntry.objects.filter(action=Action.DELETED)
    assert gone.count() == len(made)
    assert remove_samples(olivia) == 0


def test_samples_of_others_stay() -> None:
    mine, other = factories.feedback_type(), factories.feedback_type()
    manager = factories.member(mine, Role.PROJECT_MANAGER)
    add_samples(mine)
    kept = add_samples(other)
    page = as_person(manager)
    assert "sample ticket" in text_of(page, INDEX)
    page.post(reverse("admin:first_steps_samples"))
    assert {*Feedback.objects.all()} == {*kept}


def test_where_there_is_a_macro_the_overview_asks_once(
    olivia: User, django_assert_num_queries: Any
) -> None:
    bugs = factories.feedback_type()
    factories.macro(bugs, "https://example.com/")
    add_samples(bugs)
    with django_assert_num_queries(1):
        way = way_of(olivia)
        assert way.next == FirstStep.TEST
        assert way.sample_count == 5
