"""One ticket's form: its type's own questions beside what every ticket has."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from feedback.models import Comment, Feedback, FeedbackType, Status
from tests import factories
from tests.factories import upload

ADD = reverse("admin:feedback_feedback_add")
ANSWERS: dict[str, Any] = {
    "severity": "Critical",
    "platform": ["iOS", "Grün"],
    "reproducible": True,
    "impact": 2.5,
    "found_on": "2026-11-23",
    "page": "https://a.example/",
    "app_version": "1.2",
    "steps": "Open\nClose",
}


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def change(ticket: Feedback) -> str:
    return reverse("admin:feedback_feedback_change", args=[ticket.pk])


def form(**values: Any) -> dict[str, Any]:
    return {
        "title": "It breaks",
        "description": "",
        "status": "",
        "visibility": "public",
        "submitter": "",
        "comments-TOTAL_FORMS": "0",
        "comments-INITIAL_FORMS": "0",
        **values,
    }


def filled_in(**changed: Any) -> dict[str, Any]:
    answers = {f"field_{key}": value for key, value in ANSWERS.items()}
    return form(**{**answers, "field_reproducible": "on", **changed})


def test_the_form_shows_every_question_with_its_answer(
    page: Client, bugs: FeedbackType
) -> None:
    ticket = factories.ticket(bugs, form_values=ANSWERS)

    response: Any = page.get(change(ticket))

    shown = response.context["adminform"].form
    values = {key: shown[f"field_{key}"].value() for key in ANSWERS}
    assert values == ANSWERS
    html = response.content.decode()
    assert "<h2" in html and "Bug Report</h2>" in html
    assert '<option value="Critical" selected>Critical</option>' in html
    assert 'type="date" name="field_found_on" value="2026-11-23"' in html
    assert 'type="url" name="field_page" value="https://a.example/"' in html


def test_what_is_shown_is_stored_again_unchanged(
    page: Client, bugs: FeedbackType
) -> None:
    ticket = factories.ticket(bugs, form_values=ANSWERS)
    response = page.post(change(ticket), filled_in())
    assert response.status_code == 302
    ticket.refresh_from_db()
    assert ticket.form_values == ANSWERS


def test_new_answers_replace_old_ones_and_blank_ones_are_dropped(
    page: Client, bugs: FeedbackType
) -> None:
    ticket = factories.ticket(bugs, form_values=ANSWERS)
    page.post(change(ticket), form(field_severity="Minor", field_impact="3"))
    ticket.refresh_from_db()
    assert ticket.form_values == {
        "severity": "Minor",
        "impact": 3,
        "reproducible": False,
    }


def test_values_that_the_form_does_not_ask_for_survive(
    page: Client, bugs: FeedbackType
) -> None:
    ticket = factories.ticket(
        bugs,
        form_values={"severity": "Minor", "retired_question": ["kept"]},
        external_data={"jira_key": "ABC-1"},
    )
    page.post(change(ticket), form(title="Edited", field_severity="Major"))
    ticket.refresh_from_db()
    assert ticket.form_values == {
        "retired_question": ["kept"],
        "severity": "Major",
    }
    assert (ticket.title, ticket.external_data) == ("Edited", {"jira_key": "ABC-1"})
    assert ticket.reference == "BUG-1"


def test_every_bad_answer_is_shown_at_its_question_and_nothing_is_stored(
    page: Client, bugs: FeedbackType
) -> None:
    bugs.form_fields.filter(key="app_version").update(required=True)
    ticket = factories.ticket(bugs, form_values=ANSWERS)
    response: Any = page.post(
        change(ticket),
        filled_in(
            title="",
            field_severity="Huge",
            field_impact="a lot",
            field_found_on="soon",
            field_page="nowhere",
            field_app_version="",
        ),
    )
    assert response.status_code == 200
    assert response.context["adminform"].form.errors == {
        "title": ["This field is required."],
        "field_severity": [
            "Select a valid choice. Huge is not one of the available choices."
        ],
        "field_impact": ["Enter a number."],
        "field_found_on": ["Enter a valid date."],
        "field_page": ["Enter a valid URL."],
        "field_app_version": ["This field is required."],
    }
    ticket.refresh_from_db()
    assert (ticket.title, ticket.form_values) == ("It breaks", ANSWERS)


def test_status_and_submitter_are_the_types_and_communitys_own(
    page: Client, bugs: FeedbackType
) -> None:
    ideas = factories.feedback_type("Idea", "IDEA")
    ticket = factories.ticket(bugs)
    status = Status.objects.get(feedback_type=ideas, name="Closed")
    strange = {"status": status.pk, "submitter": factories.tester(ideas).pk}

    response: Any = page.post(change(ticket), form(**strange))

    errors = response.context["adminform"].form.errors
    assert errors["status"] == [
        "Select a valid choice. That choice is not one of the available choices."
    ]
    page.post(change(ticket), form(submitter=strange["submitter"]))
    page.post(change(ticket), form(status=strange["status"]))
    ticket.refresh_from_db()
    assert ticket.status is not None and ticket.status.feedback_type == bugs
    assert ticket.submitter is None
    html = page.get(change(ticket)).content.decode()
    assert f'<option value="{status.pk}"' not in html

    own = Status.objects.get(feedback_type=bugs, name="Closed")
    tara = factories.tester(bugs)
    page.post(change(ticket), form(status=own.pk, submitter=tara.pk))
    ticket.refresh_from_db()
    assert (ticket.status, ticket.submitter) == (own, tara)


def test_a_new_tickets_type_is_chosen_first(page: Client, bugs: FeedbackType) -> None:
    factories.feedback_type("Idea", "IDEA")

    html = page.get(ADD).content.decode()

    assert "What kind of ticket?" in html
    for kind in FeedbackType.objects.all():
        assert f'<a href="{ADD}?type={kind.pk}">{kind}</a>' in html
    assert "field_severity" not in html
    page.post(ADD, form())
    assert not Feedback.objects.exists()


def test_the_form_of_the_chosen_type_makes_its_ticket(
    page: Client, bugs: FeedbackType
) -> None:
    url = f"{ADD}?type={bugs.pk}"
    assert 'name="field_severity"' in page.get(url).content.decode()

    assert page.post(url, filled_in(title="New one")).status_code == 302

    ticket = Feedback.objects.get()
    assert (ticket.reference, ticket.title, ticket.feedback_type) == (
        "BUG-1",
        "New one",
        bugs,
    )
    assert ticket.form_values == ANSWERS
    assert ticket.status is not None and ticket.status.name == "New"


def test_the_add_button_of_a_types_list_leads_to_its_form(
    page: Client, bugs: FeedbackType
) -> None:
    listing = reverse("admin:feedback_feedback_changelist")
    html = page.get(f"{listing}?type={bugs.pk}").content.decode()
    link = (
        html.split('class="object-tools"')[1]
        .split('class="addlink"')[0]
        .rsplit('href="', 1)[1]
        .split('"')[0]
    )
    form_page = page.get(link.replace("&amp;", "&")).content.decode()
    assert 'name="field_severity"' in form_page


def test_external_data_is_shown_and_cannot_be_typed_in(
    page: Client, bugs: FeedbackType
) -> None:
    ticket = factories.ticket(bugs, external_data={"jira_key": "<b>ABC-1</b>"})
    html = page.get(change(ticket)).content.decode()
    assert "<tr><th>jira_key</th><td>&lt;b&gt;ABC-1&lt;/b&gt;</td>" in html
    page.post(change(ticket), form(external="{}", external_data="{}"))
    ticket.refresh_from_db()
    assert ticket.external_data == {"jira_key": "<b>ABC-1</b>"}


def test_a_comment_is_signed_by_whoever_writes_it(
    page: Client, olivia: User, bugs: FeedbackType
) -> None:
    ticket = factories.ticket(bugs)
    comment = {"comments-TOTAL_FORMS": "1", "comments-0-text": "Me too"}
    page.post(change(ticket), form(**comment))
    written = Comment.objects.values_list("feedback", "author", "text").get()
    assert written == (ticket.pk, olivia.pk, "Me too")


def test_more_comments_are_no_more_queries(page: Client, bugs: FeedbackType) -> None:
    """Whoever wrote them: a person, or a macro whose run is there or gone."""
    ticket = factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://a.example/", name="Post"))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            response: Any = page.get(change(ticket))
        assert response.status_code == 200
        return len(captured)

    def comment(number: int) -> None:
        author = factories.superuser(f"author{number}")
        Comment.objects.create(feedback=ticket, text="By hand", author=author)
        for run_number in (run.pk, run.pk + 1000):
            Comment.objects.create(
                feedback=ticket, text="Sent", macro_name="Post", run_number=run_number
            )

    queries()  # The first page of all fills caches.
    comment(1)
    one = queries()
    for number in range(2, 6):
        comment(number)

    assert queries() == one


def test_a_comment_keeps_what_it_said_before(page: Client, bugs: FeedbackType) -> None:
    ticket = factories.ticket(bugs)
    comment = Comment.objects.create(feedback=ticket, text="First")
    typed = {
        "comments-TOTAL_FORMS": "2",
        "comments-INITIAL_FORMS": "1",
        "comments-0-id": comment.pk,
        "comments-0-feedback": ticket.pk,
        "comments-0-text": "Second",
        "comments-1-feedback": ticket.pk,
        "comments-1-text": "",
    }
    assert page.post(change(ticket), form(**typed)).status_code == 302
    comment.refresh_from_db()
    edit = comment.edits.get()
    assert (comment.text, edit.text, edit.by) == ("Second", "First", "olivia")
    assert comment.edited_at is not None
    html = page.get(change(ticket)).content.decode()
    assert "What it said before" in html and "when olivia edited it" in html


def test_a_comment_that_is_saved_untouched_was_not_edited(bugs: FeedbackType) -> None:
    ticket = factories.ticket(bugs)
    comment = Comment.objects.create(feedback=ticket, text="First\nline")
    modified = Feedback.objects.get().modified_at
    comment.text = "First\r\nline"
    comment.save()
    assert not comment.edits.exists() and comment.edited_at is None
    assert Feedback.objects.get().modified_at == modified


def test_files_are_added_and_taken_away_on_the_page(
    page: Client, bugs: FeedbackType
) -> None:
    ticket = factories.ticket(bugs)
    two = [upload("a.txt", b"a"), upload("screen.png")]
    assert page.post(change(ticket), form(attach=two)).status_code == 302
    assert [each.name for each in ticket.attachments.all()] == ["a.txt", "screen.png"]
    html = page.get(change(ticket)).content.decode()
    assert "screen.png</a>" in html and "PNG image," in html
    first = ticket.attachments.earliest("pk")
    assert page.post(change(ticket), form(detach=[first.pk])).status_code == 302
    assert [each.name for each in ticket.attachments.all()] == ["screen.png"]


def test_a_file_of_another_ticket_is_not_taken_away(
    page: Client, bugs: FeedbackType
) -> None:
    ticket, other = factories.tickets(bugs, 2)
    factories.attachment(ticket)
    stays = factories.attachment(other)
    assert page.post(change(ticket), form(detach=[stays.pk])).status_code == 200
    assert other.attachments.exists()


def test_a_file_that_is_not_taken_is_named_at_its_box_and_nothing_is_saved(
    page: Client, bugs: FeedbackType
) -> None:
    ticket = factories.ticket(bugs, title="Before")
    sent = form(title="After", attach=[upload("a.png", b"MZ" + bytes(50))])
    html = page.post(change(ticket), sent).content.decode()
    assert "a.png is a file of an unknown kind" in html and 'value="After"' in html
    assert Feedback.objects.get().title == "Before"
    assert not ticket.attachments.exists()


def test_a_ticket_is_made_with_its_files(page: Client, bugs: FeedbackType) -> None:
    sent = form(attach=[upload("a.txt", b"a")])
    assert page.post(f"{ADD}?type={bugs.pk}", sent).status_code == 302
    assert Feedback.objects.get().attachments.get().author is not None
