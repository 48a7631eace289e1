"""Types with their forms, and every other page of the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from feedback.models import FeedbackType, FormField, Status
from tests import factories

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)


def page_of(model: type[Model], name: str, *args: object) -> str:
    label = f"{model._meta.app_label}_{model._meta.model_name}"
    return reverse(f"admin:{label}_{name}", args=args)


def type_form(of: FeedbackType, *questions: dict[str, str], **values: str) -> Any:
    data: dict[str, Any] = {
        "project": of.project_id,
        "name": "ResendPreview",
        "prefix": "ASK",
        "statuses-TOTAL_FORMS": "2",
        "statuses-INITIAL_FORMS": "0",
        "statuses-0-name": "New",
        "statuses-0-is_open": "on",
        "statuses-0-position": "1",
        "statuses-0-colour": "grey",
        "statuses-1-name": "Done",
        "statuses-1-position": "2",
        "statuses-1-colour": "green",
        "form_fields-TOTAL_FORMS": str(len(questions)),
        "form_fields-INITIAL_FORMS": "0",
        **values,
    }
    for number, question in enumerate(questions):
        filled = {"kind": "text", "position": str(number), "key": "", **question}
        for name, value in filled.items():
            data[f"form_fields-{number}-{name}"] = value
    return data


def test_a_type_is_made_with_its_statuses_and_form(page: Client) -> None:
    of = factories.feedback_type()
    questions = [
        {"label": "Colour", "kind": "choice", "choices": "Red\nBlue"},
        {"label": "Where"},
        {"label": "When", "key": "day", "kind": "date"},
    ]
    response = page.post(page_of(FeedbackType, "add"), type_form(of, *questions))
    assert response.status_code == 302
    made = FeedbackType.objects.get(name="ResendPreview")
    assert list(made.statuses.values_list("name", "is_open")) == [
        ("New", True),
        ("Done", False),
    ]
    assert list(made.form_fields.values_list("label", "key", "kind")) == [
        ("Colour", "colour", "choice"),
        ("Where", "where", "text"),
        ("When", "day", "date"),
    ]


@pytest.mark.parametrize(
    "questions",
    [
        [{"label": "App version"}, {"label": "App Version!"}],
        [{"label": "App version"}, {"label": "Other", "key": "app_version"}],
    ],
)
def test_two_questions_under_one_key_are_refused_on_the_page(
    page: Client, questions: list[dict[str, str]]
) -> None:
    of = factories.feedback_type()
    before = FormField.objects.count()
    response = page.post(page_of(FeedbackType, "add"), type_form(of, *questions))
    assert response.status_code == 200
    assert "Please correct the duplicate data for key." in response.content.decode()
    assert FormField.objects.count() == before


def test_a_bad_question_is_refused_at_its_field(page: Client) -> None:
    of = factories.feedback_type()
    bad = [{"label": "???"}, {"label": "Contains"}, {"label": "A", "kind": "choice"}]
    response: Any = page.post(page_of(FeedbackType, "add"), type_form(of, *bad))
    [formset] = [
        each.formset
        for each in response.context["inline_admin_formsets"]
        if each.formset.model is FormField
    ]
    assert formset.errors == [
        {"key": ["Give a key: the label makes none."]},
        {"key": ["'contains' is reserved. Choose another."]},
        {"choices": ["List at least one choice."]},
    ]


def test_a_status_that_tickets_have_cannot_be_removed(page: Client) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    new, _ = bugs.statuses.all()
    data = type_form(bugs, name="Bug Report", prefix="BUG") | {
        "statuses-INITIAL_FORMS": "1",
        "statuses-TOTAL_FORMS": "1",
        "statuses-0-id": new.pk,
        "statuses-0-feedback_type": bugs.pk,
        "statuses-0-DELETE": "on",
    }
    response = page.post(page_of(FeedbackType, "change", bugs.pk), data)
    assert response.status_code == 200
    problem = "The status New is used by 1 ticket. Change or delete these first."
    assert problem in response.content.decode()
    assert Status.objects.filter(pk=new.pk).exists()


def test_a_type_can_be_deleted_with_its_tickets(page: Client) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    response = page.post(page_of(FeedbackType, "delete", bugs.pk), {"name": bugs.name})
    assert response.status_code == 302
    assert not FeedbackType.objects.exists()


@pytest.fixture
def rows(db: None) -> None:
    factories.one_of_everything(factories.feedback_type())


@pytest.mark.sweep
@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_every_page_opens(
    page: Client, olivia: User, rows: None, model: type[Model]
) -> None:
    row = model._default_manager.first()
    if model._meta.label == "auth.Group":
        row = model._default_manager.create(name="Support")
    assert row is not None, "a page without a row proves nothing"
    for name, args in [("changelist", []), ("change", [row.pk]), ("history", [row.pk])]:
        response = page.get(page_of(model, name, *args), follow=True)
        assert response.status_code == 200
    request = RequestFactory().get("/")
    request.user = olivia
    pages = admin.site._registry[model]
    may_add, may_delete = (
        pages.has_add_permission(request),
        pages.has_delete_permission(request, row),
    )
    added = page.get(page_of(model, "add")).status_code
    assert added == (200 if may_add else 403)
    deleted = page.get(page_of(model, "delete", row.pk)).status_code
    assert deleted == (200 if may_delete else 403)
    search = page.get(page_of(model, "changelist"), {"q": "no such thing"})
    assert search.status_code == 200


@pytest.mark.parametrize("app", ["auth", "feedback", "logs", "macros"])
def test_every_apps_page_opens(page: Client, rows: None, app: str) -> None:
    assert page.get(reverse("admin:app_list", args=[app])).status_code == 200


def test_the_overview_opens_empty_and_full(page: Client, db: None) -> None:
    index = reverse("admin:index")
    assert "There is no feedback type yet" in page.get(index).content.decode()
    factories.ticket(factories.feedback_type())
    assert "open: Bug Report" in page.get(index).content.decode()
