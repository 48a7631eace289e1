"""A macro keeps what it was: who changed what, when, and the way back."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from feedback.models import FeedbackType, FormField
from feedback.roles import Role
from logs.models import Action, AuditEntry
from macros.documents import current_number, macro_document, note_version, restore
from macros.models import Macro, MacroVersion
from tests import factories
from tests.admin.test_macro_form import ADD, REQUEST, form


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def saved(page: Client, bugs: FeedbackType) -> Macro:
    assert page.post(ADD, form(bugs, REQUEST)).status_code == 302
    return Macro.objects.get()


def save_again(
    page: Client, macro: Macro, request: dict[str, str], **values: str
) -> None:
    step = macro.steps.get()
    assert macro.feedback_type
    data = form(macro.feedback_type, {**REQUEST, **request}, **values)
    data |= {"steps-INITIAL_FORMS": "1", "steps-0-step_ptr": str(step.pk)}
    data["steps-0-macro"] = str(macro.pk)
    url = reverse("admin:macros_macro_change", args=[macro.pk])
    assert page.post(url, data).status_code == 302


def versions_of(macro: Macro) -> list[tuple[int, str, str]]:
    rows = macro.versions.order_by("number")
    return list(rows.values_list("number", "actor_name", "note"))


def url_of(page: str, macro: Macro, number: int = 0) -> str:
    args = [macro.pk, number] if number else [macro.pk]
    return reverse(f"admin:macros_macro_{page}", args=args)


def test_each_save_that_says_something_else_is_a_version(
    page: Client, bugs: FeedbackType
) -> None:
    macro = saved(page, bugs)
    save_again(page, macro, {})
    save_again(page, macro, {"body": '{"text": "((Reference))"}'})
    assert versions_of(macro) == [(1, "olivia", ""), (2, "olivia", "")]
    newest = macro.versions.get(number=2)
    assert newest.document == macro_document(Macro.objects.get())
    listed = page.get(url_of("versions", macro)).content.decode()
    assert "Step 1, web request: body text" in listed
    shown = page.get(url_of("version", macro, 2)).content.decode()
    assert "((Title))" in shown and "((Reference))" in shown
    assert "This is the macro as it is now." in shown


def test_a_macro_that_is_refused_has_no_new_version(
    page: Client, bugs: FeedbackType
) -> None:
    macro = saved(page, bugs)
    url = reverse("admin:macros_macro_change", args=[macro.pk])
    assert page.post(url, form(bugs, retry_ladder="soon")).status_code == 200
    assert len(versions_of(macro)) == 1


def test_a_version_is_restored_as_a_new_one(page: Client, bugs: FeedbackType) -> None:
    macro = saved(page, bugs)
    first = macro_document(macro)
    save_again(page, macro, {"url": "https://b.example/"}, name="Other")
    Macro.objects.update(is_active=False)
    asked = page.get(url_of("version", macro, 1)).content.decode()
    assert "Restore version 1" in asked and "https://b.example/" in asked
    assert page.get(url_of("restore", macro, 1)).status_code == 302
    assert len(versions_of(macro)) == 2, "a look restores nothing"
    assert page.post(url_of("restore", macro, 1)).status_code == 302
    macro = Macro.objects.get()
    assert macro_document(macro) == {**first, "is_active": False}
    assert versions_of(macro)[-1] == (3, "olivia", "Restored from version 1.")
    entry = AuditEntry.objects.get(action=Action.RESTORED)
    assert entry.detail == "Version 1, as version 3."


def test_what_does_not_fit_any_more_is_said_and_nothing_is_changed(
    page: Client, bugs: FeedbackType
) -> None:
    field = FormField.objects.get(feedback_type=bugs, key="severity")
    macro = factories.macro(
        bugs, "https://a.example/", body='{"a": "((Field: Severity))"}'
    )
    step = macro.steps.get().concrete
    step.body = '{"a": "b"}'  # type: ignore[attr-defined]
    step.save()
    note_version(macro)
    before = macro_document(macro)
    field.delete()
    answer = page.post(url_of("restore", macro, 1), follow=True)
    text = answer.content.decode()
    assert "Version 1 can&#x27;t be restored" in text
    told = "Step 1, body: Line 1, column 8: unknown tag ((Field: Severity))"
    assert told in text
    assert macro_document(Macro.objects.get()) == before
    assert macro.versions.count() == 2


def test_a_run_shows_the_version_it_used(page: Client, bugs: FeedbackType) -> None:
    factories.tickets(bugs, 1)
    macro = factories.macro(bugs, "https://a.example/")
    first = factories.run(macro)
    step = macro.steps.get().concrete
    step.body = '{"b": 1}'  # type: ignore[attr-defined]
    step.save()
    second = factories.run(macro)
    assert (first.macro_version, second.macro_version) == (1, 2)
    note = macro.versions.get(number=2).note
    assert note == "Found so when a run was started."
    text = page.get(reverse("admin:logs_run_change", args=[second.pk])).content.decode()
    assert url_of("version", macro, 2) in text and "version 2" in text
    watching = Client()
    watching.force_login(factories.member(bugs, Role.OBSERVER))
    seen = watching.get(reverse("admin:logs_run_change", args=[second.pk]))
    assert url_of("version", macro, 2) not in seen.content.decode()


def test_a_text_with_markup_is_shown_as_text(page: Client, bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, "https://a.example/", body='{"a": "<b>old</b>"}')
    step = macro.steps.get().concrete
    step.body = '{"a": "<script>new\u202e</script>"}'  # type: ignore[attr-defined]
    step.save()
    note_version(macro)
    for url in (url_of("versions", macro), url_of("version", macro, 2)):
        text = page.get(url).content.decode()
        assert "<script>new" not in text and "<b>old" not in text
    assert "U+202E" in text and "&lt;script&gt;new" in text


@pytest.mark.parametrize(
    ("role", "in_project", "status"),
    [
        (Role.OBSERVER, False, 403),
        (Role.SUPPORT, False, 403),
        (Role.PROJECT_MANAGER, True, 200),
    ],
)
def test_only_who_may_change_a_macro_sees_its_versions(
    bugs: FeedbackType, role: Role, in_project: bool, status: int
) -> None:
    macro = factories.macro(bugs, "https://a.example/")
    note_version(macro)
    client = Client()
    client.force_login(factories.member(bugs, role, in_project=in_project))
    theirs = factories.macro(factories.feedback_type("Ideas", "IDEA"), "https://b.ex/")
    note_version(theirs)
    for name, number in (("versions", 0), ("version", 1)):
        assert client.get(url_of(name, macro, number)).status_code == status
        assert client.get(url_of(name, theirs, number)).status_code == 404
    assert client.post(url_of("restore", theirs, 1)).status_code == 404
    answer = client.post(url_of("restore", macro, 1))
    assert answer.status_code == (302 if status == 200 else 403)
    assert client.get(url_of("version", macro, 7)).status_code in (403, 404)
    assert macro.versions.count() == theirs.versions.count() == 1


def test_a_locked_macro_is_not_restored(bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, "https://a.example/")
    version = note_version(macro)
    bugs.project.community.api_keys.all().delete()
    with pytest.raises(Exception, match="no valid API key"):
        restore(version, None)


def test_a_number_is_given_once(bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, "https://a.example/")
    assert current_number(macro) == current_number(macro) == 1
    values: dict[str, Any] = {"macro": macro, "number": 1, "document": {}}
    with pytest.raises(IntegrityError), transaction.atomic():
        MacroVersion.objects.create(**values)
