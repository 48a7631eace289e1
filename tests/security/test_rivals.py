"""Two requests at once that make the same row: the second gets the form's sentence.

SQLite lets one write at a time, so the rival steps in by a signal here; that it is so
with real requests on PostgreSQL is in tests/processes/test_two_at_once.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib import admin
from django.db import IntegrityError, transaction
from django.db.models.signals import pre_save
from django.test import Client

from feedback.changes.rivals import once_more
from feedback.models import FeedbackType
from feedback.models import Tester as Person
from macros.models import Secret
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_second_try_sees_the_rival() -> None:
    bugs = factories.feedback_type()
    seen: list[bool] = []

    def add() -> str:
        known = Person.objects.filter(email="tara@example.com").exists()
        seen.append(known)
        if known:
            return "The community has a tester of this e-mail."
        factories.tester(bugs, "tara@example.com")
        with transaction.atomic():
            factories.tester(bugs, "tara@example.com")
        return "added"

    assert once_more(add)() == "The community has a tester of this e-mail."
    assert seen == [False, True]


def test_what_is_refused_twice_is_no_race() -> None:
    calls: list[int] = []

    def refuse() -> None:
        calls.append(1)
        raise IntegrityError

    with pytest.raises(IntegrityError):
        once_more(refuse)()
    assert len(calls) == 2


@contextmanager
def refused_once(model: type) -> Iterator[list[int]]:
    """The first row of the model that is saved meets a constraint of the database."""
    saves: list[int] = []

    def refuse(**kwargs: Any) -> None:
        saves.append(1)
        if len(saves) == 1:
            raise IntegrityError("UNIQUE constraint failed")

    pre_save.connect(refuse, sender=model)
    try:
        yield saves
    finally:
        pre_save.disconnect(refuse, sender=model)


@pytest.fixture
def page() -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(factories.superuser())
    return client


def as_typed(page: Client, url: str) -> dict[str, Any]:
    """What an empty form of the admin sends."""
    context = page.get(url).context
    forms = [context["adminform"].form]
    for formset in context["inline_admin_formsets"]:
        forms += [formset.formset.management_form, *formset.formset.forms]
    return {
        bound.html_name: "" if bound.value() is None else bound.value()
        for form in forms
        for bound in form
        if bound.value() is not False
    }


def a_tester(bugs: FeedbackType) -> dict[str, Any]:
    return {"community": bugs.project.community_id, "email": "tara@example.com"}


def a_project(bugs: FeedbackType) -> dict[str, Any]:
    return {"community": bugs.project.community_id, "name": "Another"}


def a_secret(bugs: FeedbackType) -> dict[str, Any]:
    community = bugs.project.community_id
    return {"community": community, "name": "Token", "value": "hunter2-hunter2"}


def a_macro(bugs: FeedbackType) -> dict[str, Any]:
    return {"feedback_type": bugs.pk, "name": "Send"}


def a_feedback_type(bugs: FeedbackType) -> dict[str, Any]:
    return {"project": bugs.project_id, "name": "Ideas", "prefix": "IDEA"}


FORMS = [a_tester, a_project, a_secret, a_macro, a_feedback_type]


@pytest.mark.parametrize("of", FORMS, ids=lambda of: of.__name__)
def test_every_form_of_the_admin_is_checked_again(
    page: Client, of: Callable[[FeedbackType], dict[str, Any]]
) -> None:
    bugs = factories.feedback_type()
    url, model = next(
        (f"/admin/{each._meta.app_label}/{each._meta.model_name}/add/", each)
        for each in admin.site._registry
        if each._meta.model_name == of.__name__[2:].replace("_", "")
    )
    form = as_typed(page, url) | of(bugs)
    with refused_once(model) as saves:
        response = page.post(url, form)
    assert response.status_code == 302, response.context["errors"]
    assert len(saves) == 2
    again = page.post(url, form)
    assert again.status_code == 200
    assert any("has a" in str(each) for each in again.context["errors"])


def test_a_secret_of_the_api_is_checked_again(page: Client) -> None:
    bugs = factories.feedback_type()
    url = "/api/v1/secrets/"
    with refused_once(Secret) as saves:
        response = page.post(url, a_secret(bugs), "application/json")
    assert response.status_code == 201
    assert len(saves) == 2
    again = page.post(url, a_secret(bugs), "application/json")
    assert again.status_code == 400
    assert "has a secret of this name" in again.json()["detail"]
