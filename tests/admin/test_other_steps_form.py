"""Steps of every kind on the macro's page, and the dry run before they are done."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import ApiKey, Comment, Feedback, FeedbackType
from logs.models import AuditEntry, Run
from macros import deliveries
from macros.models import Macro
from macros.steps.kinds.add_comment import AddComment
from macros.steps.kinds.change_status import ChangeStatus
from tests import factories
from tests.factories import AN_EMAIL, ONE_OF_EACH_CHANGE

LIST = reverse("admin:feedback_feedback_changelist")
KINDS = [
    "changestatus",
    "setfield",
    "addcomment",
    "setvisibility",
    "addscore",
    "sendemail",
]


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    return factories.macro(bugs, name="Close")


def page_of(macro: Macro) -> str:
    return reverse("admin:macros_macro_change", args=[macro.pk])


def form(macro: Macro, **values: Any) -> dict[str, Any]:
    data = {"feedback_type": macro.feedback_type_id, "name": macro.name}
    for prefix in ("steps", *KINDS):
        data |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    return data | values


def a_step(prefix: str, **values: Any) -> dict[str, Any]:
    values = {"is_active": "on", **values}
    rows = {f"{prefix}-0-{name}": value for name, value in values.items()}
    return rows | {f"{prefix}-TOTAL_FORMS": "1"}


def text_of(response: Any) -> str:
    return unescape(response.content.decode())


def test_steps_of_every_kind_are_saved_and_shown_again(
    page: Client, macro: Macro
) -> None:
    bugs = macro.feedback_type
    assert bugs is not None
    data = form(
        macro,
        **a_step("changestatus", position=2, status=bugs.statuses.last().pk),  # type: ignore[union-attr]
        **a_step(
            "setfield",
            position=1,
            field=bugs.form_fields.get(key="severity").pk,
            value="Minor",
        ),
        **a_step("addcomment", position=3, text="Closed by ((Macro))"),
        **a_step("setvisibility", position=4, visibility="private"),
        **a_step("addscore", position=5, points="10"),
        **a_step(
            "sendemail", position=6, to="((Submitter Email))", subject="S", body="B"
        ),
    )

    response = page.post(page_of(macro), data)

    assert response.status_code == 302, text_of(response)
    assert [str(step) for step in macro.concrete_steps()] == [
        "Set Severity to Minor",
        "Change the status to Closed",
        "Add the comment “Closed by ((Macro))”",
        "Make it private",
        "Add +10 to the tester's score",
        "Send the e-mail “S”",
    ]
    shown = text_of(page.get(page_of(macro)))
    assert "Closed by ((Macro))" in shown
    entry = AuditEntry.objects.get(object_type="macros.macro", object_id=macro.pk)
    assert "comment Add a comment" in entry.changes
    assert "Submitter Email" not in str(entry.changes)


def test_the_list_says_the_steps_in_order(page: Client, macro: Macro) -> None:
    factories.steps(macro, *reversed(ONE_OF_EACH_CHANGE), AN_EMAIL)
    shown = text_of(page.get(reverse("admin:macros_macro_changelist")))
    assert (
        "Score, then visibility, then comment, then form field, then status change,"
        " then e-mail"
    ) in shown


def test_a_fault_is_shown_at_its_step(page: Client, macro: Macro) -> None:
    field = macro.feedback_type.form_fields.get(key="severity")  # type: ignore[union-attr]
    step = a_step("setfield", position=1, field=field.pk, value="Huge")
    shown = text_of(page.post(page_of(macro), form(macro, **step)))
    assert "Huge is not one of the available choices" in shown


def test_only_the_types_own_statuses_and_fields_are_offered(
    page: Client, macro: Macro
) -> None:
    others = factories.feedback_type("Idea", "IDEA")
    foreign = others.statuses.create(name="Only of ideas")
    assert "Only of ideas" not in text_of(page.get(page_of(macro)))
    step = a_step("changestatus", position=1, status=foreign.pk)
    response = page.post(page_of(macro), form(macro, **step))
    assert response.status_code == 200
    assert not ChangeStatus.objects.exists()


def test_a_new_macro_takes_all_steps_but_those_that_need_its_type(
    page: Client, bugs: FeedbackType
) -> None:
    add = reverse("admin:macros_macro_add")
    shown = text_of(page.get(add))
    assert "can be added once the macro is saved" in shown
    assert "sendemail-TOTAL_FORMS" in shown
    assert "changestatus-TOTAL_FORMS" not in shown
    data = form(
        Macro(feedback_type=bugs, name="New"),
        **a_step("addcomment", position=1, text="Hi"),
    )
    assert page.post(add, data).status_code == 302
    assert [str(step) for step in Macro.objects.get().concrete_steps()] == [
        "Add the comment “Hi”"
    ]


def test_a_macro_of_a_locked_community_keeps_its_changes_apart_from_requests(
    page: Client, macro: Macro
) -> None:
    factories.steps(macro, {"kind": "add_comment", "text": "Hi"})
    ApiKey.objects.all().delete()
    shown = text_of(page.get(page_of(macro)))
    assert "Web requests are locked." in shown and "addcomment-0-text" in shown
    step = AddComment.objects.get()
    data = form(
        macro,
        **a_step("addcomment", position=1, text="Ho", step_ptr=step.pk, macro=macro.pk),
    )
    data["addcomment-INITIAL_FORMS"] = "1"
    for name in ("TOTAL_FORMS", "INITIAL_FORMS"):
        del data[f"steps-{name}"]
    assert page.post(page_of(macro), data).status_code == 302
    assert AddComment.objects.get().text == "Ho"


def test_support_may_run_steps_and_not_edit_them(macro: Macro) -> None:
    factories.steps(macro, *ONE_OF_EACH_CHANGE)
    client = Client()
    client.force_login(factories.member(macro.feedback_type, Role.SUPPORT))  # type: ignore[arg-type]
    shown = text_of(client.get(page_of(macro)))
    assert "Sent by ((Macro))" not in shown


def perform(page: Client, macro: Macro, **more: Any) -> Any:
    tickets = Feedback.objects.filter(feedback_type=macro.feedback_type)
    data = {
        "action": f"macro_{macro.pk}",
        "index": "0",
        "select_across": "0",
        "_selected_action": [ticket.pk for ticket in tickets],
        **more,
    }
    return page.post(f"{LIST}?type={macro.feedback_type_id}", data)


def test_a_dry_run_shows_per_ticket_what_would_change_and_changes_nothing(
    page: Client, macro: Macro, bugs: FeedbackType
) -> None:
    request = {"kind": "web_request", "url": "https://a.example/", "body": "[]"}
    factories.steps(macro, *ONE_OF_EACH_CHANGE, AN_EMAIL, request)
    tara = factories.tester(bugs, "tara@example.com")
    factories.ticket(bugs, submitter=tara)
    closed = bugs.statuses.get(name="Closed")
    factories.ticket(bugs, status=closed, form_values={"severity": "Minor"})
    before = list(Feedback.objects.values())

    shown = text_of(perform(page, macro))

    for line in (
        "<li>Status New → Closed</li>",
        "<li>Severity empty → Minor</li>",
        "<li>Comment “Sent by Close”</li>",
        "<li>Visibility Public → Private</li>",
        "<li>Score 0 → 5</li>",
        "<li>E-mail to tara@example.com</li>",
        "<li>POST to a.example</li>",
        "<li>Status is Closed already</li>",
        "<li>No submitter, so no points</li>",
        "The e-mail has no recipient: the address is empty.",
        "3 steps would find it so already",
        "<li>Change the status to Closed</li>",
        "<li>Send a POST request to https://a.example</li>",
    ):
        assert line in shown, line
    assert shown.count("POST to a.example") == 1
    assert list(Feedback.objects.values()) == before
    assert not Comment.objects.exists() and not Run.objects.exists()


def test_a_long_selection_is_listed_in_part(
    page: Client, macro: Macro, bugs: FeedbackType
) -> None:
    factories.steps(macro, {"kind": "add_comment", "text": "Hi"})
    factories.tickets(bugs, 25)
    shown = text_of(perform(page, macro))
    assert shown.count("Comment “Hi”") == 20
    assert "And 5 more." in shown


def test_what_a_response_will_bring_is_not_guessed(
    page: Client, macro: Macro, bugs: FeedbackType
) -> None:
    request = {
        "kind": "web_request",
        "url": "https://a.example/",
        "body": "[]",
        "return_values": [
            {"name": "key", "source": "status", "expression": "", "type": "text"}
        ],
    }
    factories.ticket(bugs)
    factories.steps(macro, request)
    note = "What an earlier step's response brings is not known yet"
    assert note not in text_of(perform(page, macro))
    factories.steps(macro, {"kind": "add_comment", "text": "((External: key))"})
    assert note in text_of(perform(page, macro))


def test_the_comment_says_which_macro_wrote_it_and_the_log_reads_well(
    page: Client, macro: Macro, bugs: FeedbackType
) -> None:
    factories.steps(macro, {"kind": "add_comment", "text": "Hi"})
    ticket = factories.ticket(bugs)
    run = factories.run(macro)
    deliveries.work(run.pk)

    shown = text_of(
        page.get(reverse("admin:feedback_feedback_change", args=[ticket.pk]))
    )
    assert f"Macro Close, run {run.pk}</a>" in shown
    log = text_of(
        page.get(reverse("admin:logs_delivery_change", args=[run.deliveries.get().pk]))
    )
    assert "Comment added: Hi" in log
    assert "Request as sent" not in log and "<h3>Response</h3>" not in log
