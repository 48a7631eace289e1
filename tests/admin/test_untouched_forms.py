"""A form that comes back as it was shown changes nothing, whatever a browser did."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django import forms
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from feedback.admin.tickets import FeedbackAdmin
from feedback.changes import Origin
from feedback.models import Comment, Feedback, FeedbackType
from logs.models import AuditEntry
from tests import factories
from tests.listeners import Heard, heard

__all__ = ["heard"]

ODD_TEXTS = [
    "one\ntwo",
    "one\r\ntwo",
    "one\rtwo\r\n",
    "\n one \n",
    "  ",
    "",
]


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def sent_back(page: Client, url: str, **edited: Any) -> dict[str, Any]:
    """What a browser sends of the form that a page shows, with some of it edited."""
    context = page.get(url).context
    shown = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        shown += [inline.formset.management_form, *inline.formset.forms]
    typed = {
        box.html_name: value
        for form in shown
        for box in form
        if (value := as_sent(box)) is not None
    }
    return {**typed, **edited}


def as_sent(box: forms.BoundField) -> Any:
    value = box.value()
    if isinstance(box.field, forms.BooleanField):
        return "on" if value else None
    if isinstance(box.field, forms.MultipleChoiceField):
        return value or None
    if isinstance(value, str):
        if isinstance(box.field.widget, forms.TextInput):
            return re.sub(r"[\r\n]", "", value)
        return re.sub(r"\r\n|\r|\n", "\r\n", value)
    return "" if value is None else value


def change(row: Model) -> str:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return reverse(name, args=[row.pk])


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_a_ticket_that_comes_back_as_it_was_is_no_change(
    page: Client, bugs: FeedbackType, heard: Heard, text: str
) -> None:
    ticket = factories.ticket(bugs)
    as_it_was: dict[str, Any] = {
        "title": f"x{text}x",
        "description": text,
        "form_values": {"steps": text, "app_version": text, "retired": text},
    }
    # As another program would have left it.
    Feedback._base_manager.filter(pk=ticket.pk).update(**as_it_was)
    Comment._base_manager.filter(pk=a_comment(ticket).pk).update(text=f"x{text}")
    before = Feedback.objects.values().get()
    heard.clear()

    response = page.post(change(ticket), sent_back(page, change(ticket)))

    assert response.status_code == 302, response.context["errors"]
    assert heard.changes == []
    assert not AuditEntry.objects.filter(action="changed").exists()
    assert Feedback.objects.values().get() == before
    assert Comment.objects.get().text == f"x{text}"


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_where_the_status_is_changed_nothing_else_is(
    page: Client, bugs: FeedbackType, heard: Heard, text: str
) -> None:
    ticket = factories.ticket(bugs, form_values={"impact": 1})
    form_values = {"impact": 1, "steps": text}
    Feedback._base_manager.update(description=text, form_values=form_values)
    closed = bugs.statuses.get(name="Closed")
    heard.clear()

    typed = sent_back(page, change(ticket), status=closed.pk)
    assert page.post(change(ticket), typed).status_code == 302

    [(_, written)] = heard.changes
    assert written.fields == ["status"]
    entry = AuditEntry.objects.get(action="changed")
    assert entry.changes == {"status": ["New", "Closed"]}
    stored = Feedback.objects.get()
    assert (stored.description, stored.form_values) == (text, form_values)


def a_comment(ticket: Feedback) -> Comment:
    return Comment.objects.create(feedback=ticket, text="Hello")


def rows_with_text(bugs: FeedbackType, text: str) -> list[Model]:
    macro = factories.macro(bugs, "https://a.example/", body=f'{{"a":{text} "b"}}')
    type(macro)._base_manager.update(description=text)
    project = bugs.project
    type(project)._base_manager.update(description=text)
    return [macro, project]


@pytest.mark.parametrize("text", ["\r\n", " \r\n "])
def test_no_other_form_changes_what_was_not_edited(
    page: Client, bugs: FeedbackType, text: str
) -> None:
    for row in rows_with_text(bugs, text):
        typed = sent_back(page, change(row))
        response = page.post(change(row), typed)
        assert response.status_code == 302, response.context["errors"]
    assert [each.changes for each in AuditEntry.objects.filter(action="changed")] == []


def test_texts_end_their_lines_alike_whatever_sent_them(
    page: Client, bugs: FeedbackType
) -> None:
    ticket = factories.ticket(bugs, form_values={"steps": "a\r\nb"})
    assert Feedback.objects.get().form_values == {"steps": "a\nb"}
    Comment.objects.create(feedback=ticket, text="a\r\nb\rc")
    edited = {"description": "one\r\ntwo", "field_steps": "c\r\nd"}
    page.post(change(ticket), sent_back(page, change(ticket), **edited))
    stored = Feedback.objects.get()
    assert stored.description == "one\ntwo"
    assert stored.form_values == {"steps": "c\nd"}
    assert Comment.objects.get().text == "a\nb\nc"
    project = bugs.project
    project.description = "a\r\nb"
    project.save()
    project.refresh_from_db()
    assert project.description == "a\nb"


def test_a_form_with_its_comments_is_one_change_of_whoever_sent_it(
    page: Client, bugs: FeedbackType, heard: Heard
) -> None:
    ticket = factories.ticket(bugs, external_data={"jira": "A-1"})
    closed = bugs.statuses.get(name="Closed")
    typed = sent_back(page, change(ticket), status=closed.pk, field_severity="Minor")
    typed |= {"comments-TOTAL_FORMS": "1", "comments-0-text": "Done"}
    heard.clear()

    assert page.post(change(ticket), typed).status_code == 302

    [(_, written)] = heard.changes
    assert written.fields == ["field_severity", "status"]
    assert written.comments == ("Done",)
    assert heard.changing == [("Feedback", [ticket.pk])]
    assert heard.origins == [Origin(actor="olivia")]


def test_a_new_ticket_and_a_tester_are_announced(
    page: Client, bugs: FeedbackType, heard: Heard
) -> None:
    url = f"{reverse('admin:feedback_feedback_add')}?type={bugs.pk}"
    typed = sent_back(page, url, title="New", field_severity="Minor")
    assert page.post(url, typed).status_code == 302
    [(_, written)] = heard.changes
    assert written.is_new and written.after["field_severity"] == "Minor"
    assert "field_reproducible" not in written.after
    tester = factories.tester(bugs)
    heard.clear()
    page.post(change(tester), sent_back(page, change(tester), company="Zoe Ltd"))
    [(_, written)] = heard.changes
    assert (written.before, written.after) == ({}, {"company": "Zoe Ltd"})


def test_what_was_written_while_the_form_was_read_stays(
    page: Client,
    bugs: FeedbackType,
    heard: Heard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticket = factories.ticket(bugs, form_values={"severity": "Minor"})
    typed = sent_back(page, change(ticket), title="Mine", field_impact="2")
    save_form = FeedbackAdmin.save_form
    theirs = {"description": "Theirs", "form_values": {"severity": "Major"}}

    def after_a_rival(self: Any, *args: Any, **kwargs: Any) -> Any:
        Feedback._base_manager.update(**theirs)
        return save_form(self, *args, **kwargs)

    monkeypatch.setattr(FeedbackAdmin, "save_form", after_a_rival)
    heard.clear()
    assert page.post(change(ticket), typed).status_code == 302

    stored = Feedback.objects.get()
    assert (stored.title, stored.description) == ("Mine", "Theirs")
    assert stored.form_values == {"severity": "Major", "impact": 2}
    [(_, written)] = heard.changes
    assert written.fields == ["field_impact", "title"]
    entry = AuditEntry.objects.get(action="changed")
    assert entry.changes.keys() == {"form_values", "title"}
