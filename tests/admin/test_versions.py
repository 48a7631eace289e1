"""The versions of a macro in the admin: seen, compared, restored."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import FeedbackType, Status
from logs.models import AuditEntry
from macros.config import macro_document, note_version
from macros.models import Macro, MacroVersion
from macros.steps.kinds.web_request import WebRequest
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def page(bugs: FeedbackType, client: Client) -> Client:
    client.force_login(factories.member(bugs, Role.PROJECT_MANAGER, "paul"))
    return client


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    """In two versions: another URL, another body."""
    made = factories.macro(bugs, "https://one.example.com/", name="Post")
    factories.steps(made, {"kind": "change_status", "status": "Closed"})
    step = WebRequest.objects.get(macro=made)
    step.url, step.body = "https://two.example.com/", '{"text": "((Reference))"}'
    step.save()
    note_version(made)
    return made


def url(name: str, *args: Any) -> str:
    return reverse(f"admin:macros_macro_{name}", args=args)


def test_saving_the_page_makes_a_version_if_it_says_something_else(
    page: Client, bugs: FeedbackType
) -> None:
    data = {
        "feedback_type": bugs.pk,
        "name": "Post",
        "asks_confirmation": "on",
        "steps-TOTAL_FORMS": "0",
        "steps-INITIAL_FORMS": "0",
    }
    page.post(reverse("admin:macros_macro_add"), data)
    macro = Macro.objects.get()
    page.post(url("change", macro.pk), data)
    page.post(url("change", macro.pk), data | {"description": "For the team"})
    versions = list(macro.versions.values_list("number", "actor_name"))
    assert versions == [(2, "paul"), (1, "paul")]
    told = page.get(url("versions", macro.pk)).content.decode()
    assert "Description" in told and "paul" in told


def test_a_version_shows_what_changed_line_by_line(page: Client, macro: Macro) -> None:
    newest = macro.versions.first()
    assert newest is not None
    told = page.get(url("version", macro.pk, newest.number)).content.decode()
    for said in (
        "Step 1, web request: URL",
        "https://one.example.com/",
        "https://two.example.com/",
        "This is the macro as it is now",
    ):
        assert said in told
    assert "Restore version" not in told


def test_markup_in_a_template_is_text(page: Client, bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, "https://example.com/")
    WebRequest.objects.update(body='{"text": "<script>alert(1)</script>"}')
    note_version(macro)
    told = page.get(url("version", macro.pk, 2)).content.decode()
    assert "<script>alert" not in told and "&lt;script&gt;alert" in told


def test_restoring_brings_everything_back_as_a_new_version(
    page: Client, macro: Macro
) -> None:
    before = MacroVersion.objects.get(macro=macro, number=2).document
    Macro.objects.update(is_active=False)
    response = page.post(url("restore", macro.pk, 2))
    assert response["Location"] == url("change", macro.pk)
    macro.refresh_from_db()
    assert macro_document(macro) == {**before, "is_active": False}
    newest = macro.versions.first()
    assert newest and newest.note == "Restored from version 2."
    assert AuditEntry.objects.get(action="restored").actor_name == "paul"
    step = WebRequest.objects.get(macro=macro)
    assert step.url == "https://one.example.com/"


def test_what_no_longer_fits_is_refused_and_nothing_is_changed(
    page: Client, macro: Macro, bugs: FeedbackType
) -> None:
    factories.steps(macro, {"kind": "change_status", "status": "New"})
    macro.steps.filter(changestatus__status__name="Closed").delete()
    note_version(macro)
    Status.objects.get(feedback_type=bugs, name="Closed").delete()
    before = macro_document(macro)
    response = page.post(url("restore", macro.pk, 2), follow=True)
    told = response.content.decode()
    assert "can&#x27;t be restored" in told and "no status &#x27;Closed&#x27;" in told
    assert macro_document(Macro.objects.get()) == before


def test_a_run_shows_its_version(page: Client, macro: Macro) -> None:
    factories.ticket(macro.feedback_type)  # type: ignore[arg-type]
    run = factories.run(macro)
    newest = macro.versions.first()
    assert newest and run.macro_version == newest.number
    told = page.get(reverse("admin:logs_run_change", args=[run.pk])).content.decode()
    assert url("version", macro.pk, newest.number) in told


def test_a_change_by_another_door_is_noted_when_it_runs(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    macro = factories.macro(bugs, "https://example.com/")
    WebRequest.objects.update(url="https://example.org/")
    assert factories.run(macro).macro_version == 2
    assert macro.versions.first().note == "Found so when a run was started."  # type: ignore[union-attr]


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.OBSERVER])
def test_who_may_not_change_macros_sees_no_version(
    bugs: FeedbackType, macro: Macro, client: Client, role: str
) -> None:
    client.force_login(factories.member(bugs, role, "sam"))
    for name, args in (("versions", ()), ("version", (1,)), ("restore", (1,))):
        assert client.get(url(name, macro.pk, *args)).status_code == 403
        assert client.post(url(name, macro.pk, *args)).status_code == 403


def test_another_tenants_are_not_found(macro: Macro, client: Client) -> None:
    other = factories.feedback_type("Ideas", "IDEA")
    client.force_login(factories.member(other, Role.COMMUNITY_MANAGER, "max"))
    before = macro_document(macro)
    for name, args in (("versions", ()), ("version", (1,)), ("restore", (1,))):
        assert client.get(url(name, macro.pk, *args)).status_code == 404
        assert client.post(url(name, macro.pk, *args)).status_code == 404
    assert macro_document(macro) == before


def test_there_is_no_version_99(page: Client, macro: Macro) -> None:
    assert page.get(url("version", macro.pk, 99)).status_code == 404
