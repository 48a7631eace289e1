"""A colleague of another team: staff, with every permission, but no role here."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from feedback.models import ApiKey, Community, Feedback, FeedbackType, Project
from logs.models import Delivery, Destination, Run
from macros.models import Macro
from tests import factories

OURS = [
    model
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label)
    if model._meta.app_label != "auth"
]
LIST = reverse("admin:feedback_feedback_changelist")
SECRET = "Unreleased phone"


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    """A type with a row of everything, each with the secret in it."""
    made = factories.feedback_type(SECRET, "HUSH")
    Community.objects.update(name=f"{SECRET} community")
    Project.objects.update(name=f"{SECRET} project")
    factories.one_of_everything(made, SECRET)
    made.project.community.testers.update(email="unreleased-phone@example.com")
    Destination.objects.update(origin="https://unreleased-phone.example:443")
    return made


@pytest.fixture(params=["every permission", "no permission"])
def stranger(request: pytest.FixtureRequest, bugs: FeedbackType) -> Client:
    nora = User.objects.create_user("nora", is_staff=True)
    if request.param == "every permission":
        apps = ("feedback", "logs", "macros")
        granted = Permission.objects.filter(content_type__app_label__in=apps)
        nora.user_permissions.set(granted)
    client = Client()
    client.force_login(nora)
    return client


def gives_nothing(response: Any) -> bool:
    """Refused, not found, sent away, or a page without a word of it."""
    if response.status_code in (302, 403, 404):
        return True
    html = response.content.decode().lower()
    return response.status_code == 200 and not any(
        word in html for word in (SECRET.lower(), "unreleased-phone", "hush-1")
    )


def page_of(model: type[Model], name: str, *args: object) -> str:
    label = f"{model._meta.app_label}_{model._meta.model_name}"
    return reverse(f"admin:{label}_{name}", args=args)


@pytest.mark.sweep
def test_no_page_gives_anything_away(stranger: Client) -> None:
    for model in OURS:
        row = model._default_manager.earliest("pk")
        urls = [
            page_of(model, "changelist"),
            page_of(model, "changelist") + "?q=unreleased",
            page_of(model, "add"),
            *[page_of(model, name, row.pk) for name in ("change", "delete", "history")],
        ]
        for url in urls:
            assert gives_nothing(stranger.get(url)), url
            assert gives_nothing(stranger.post(url, {"post": "yes"})), url
        assert model._default_manager.filter(pk=row.pk).exists()


@pytest.mark.sweep
def test_a_row_is_not_there(stranger: Client) -> None:
    for model in OURS:
        row = model._default_manager.earliest("pk")
        for name in ("change", "delete", "history"):
            url = page_of(model, name, row.pk)
            assert stranger.get(url).status_code in (302, 403, 404), url


def test_overview_and_menu_are_empty(stranger: Client) -> None:
    for url in ("admin:index", "admin:feedback_feedback_changelist"):
        assert gives_nothing(stranger.get(reverse(url)))


def test_a_types_list_neither_shows_nor_names_it(
    stranger: Client, bugs: FeedbackType
) -> None:
    for query in (f"?type={bugs.pk}", "?field_severity=Critical"):
        assert gives_nothing(stranger.get(LIST + query))


@pytest.mark.parametrize(
    "more", [{}, {"confirmed_count": "0"}, {"confirmed_count": "1"}]
)
@pytest.mark.parametrize("across", ["0", "1"])
def test_no_action_reaches_a_ticket(
    stranger: Client, bugs: FeedbackType, across: str, more: dict[str, str]
) -> None:
    ticket, macro, runs = Feedback.objects.get(), Macro.objects.get(), Run.objects
    for action in (f"macro_{macro.pk}", "delete_selected"):
        data = {
            "action": action,
            "index": "0",
            "select_across": across,
            "_selected_action": [ticket.pk],
            "post": "yes",
            "run_key": runs.get().key,
            **more,
        }
        for url in (LIST, f"{LIST}?type={bugs.pk}"):
            response = stranger.post(url, data, follow=True)
            assert gives_nothing(response)
    assert (runs.count(), Feedback.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("model", "field"),
    [("feedback.Feedback", "submitter"), ("macros.Macro", "feedback_type")],
)
def test_no_picker_offers_a_row(stranger: Client, model: str, field: str) -> None:
    app_label, model_name = model.lower().split(".")
    query = {"app_label": app_label, "model_name": model_name, "field_name": field}
    response = stranger.get(reverse("admin:autocomplete"), query | {"term": ""})
    assert response.status_code == 403 or response.json()["results"] == []


def test_run_pages_are_not_there_and_cancel_nothing(stranger: Client) -> None:
    run = Run.objects.get()
    progress = reverse("admin:logs_run_progress", args=[run.pk])
    cancel = reverse("admin:logs_run_cancel", args=[run.pk])
    assert stranger.get(progress).status_code == 404
    assert stranger.get(cancel).status_code == 404
    assert stranger.post(cancel).status_code == 404
    run.refresh_from_db()
    assert (run.state, run.cancelled) == ("active", 0)


def test_a_new_row_cannot_be_put_under_what_one_does_not_see(
    stranger: Client, bugs: FeedbackType
) -> None:
    ticket = {
        "title": "Mine",
        "visibility": "public",
        "comments-TOTAL_FORMS": "0",
        "comments-INITIAL_FORMS": "0",
    }
    macro = {
        "feedback_type": bugs.pk,
        "name": "Mine",
        "steps-TOTAL_FORMS": "0",
        "steps-INITIAL_FORMS": "0",
    }
    project = {"community": bugs.project.community_id, "name": "Mine"}
    stranger.post(f"{page_of(Feedback, 'add')}?type={bugs.pk}", ticket)
    stranger.post(page_of(Macro, "add"), macro)
    stranger.post(page_of(Project, "add"), project)
    stranger.post(page_of(ApiKey, "add"), project)
    for model in (Feedback, Macro, Project, ApiKey):
        assert model._default_manager.count() == 1


def test_without_a_login_every_page_asks_for_one(
    client: Client, bugs: FeedbackType
) -> None:
    login = reverse("admin:login")
    run, delivery = Run.objects.get(), Delivery.objects.get()
    urls = [page_of(model, "changelist") for model in OURS]
    urls += [
        reverse("admin:index"),
        reverse("admin:autocomplete"),
        page_of(Delivery, "change", delivery.pk),
        reverse("admin:logs_run_progress", args=[run.pk]),
        reverse("admin:logs_run_cancel", args=[run.pk]),
    ]
    for url in urls:
        assert client.get(url).url == f"{login}?next={url}"
    client.post(reverse("admin:logs_run_cancel", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == "active"
