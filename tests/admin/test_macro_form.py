"""Macro and web request are checked when they are saved, each fault at its field."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from feedback.models import Feedback, FeedbackType
from logs.models import Cause, Run
from macros.models import Macro
from macros.runs import RunRefused, start_run
from macros.steps.kinds.web_request import WebRequest
from tests import factories

ADD = reverse("admin:macros_macro_add")
REQUEST = {
    "position": "0",
    "is_active": "on",
    "method": "POST",
    "url": "https://a.example/hook",
    "headers": "X-Title: ((Title))",
    "body_kind": "json",
    "body": '{"text": "((Title))"}',
}


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def form(bugs: FeedbackType | None, *requests: dict[str, str], **values: str) -> Any:
    data = {
        "feedback_type": str(bugs.pk) if bugs else "",
        "name": "Post to Slack",
        "description": "",
        "is_active": "on",
        "retry_ladder": "5 s, 30 s",
        "steps-TOTAL_FORMS": str(len(requests)),
        "steps-INITIAL_FORMS": "0",
        **values,
    }
    for number, request in enumerate(requests):
        for name, value in request.items():
            data[f"steps-{number}-{name}"] = value
    return data


def errors(response: HttpResponse) -> dict[str, list[str]]:
    """The faults that the page shows, by field."""
    assert response.status_code == 200, "nothing was refused"
    context: Any = response.context  # type: ignore[attr-defined]
    errors_by_field = dict(context["adminform"].form.errors)
    for formset in context["inline_admin_formsets"]:
        for number, request in enumerate(formset.formset.errors):
            errors_by_field |= {
                f"{number}.{name}": messages for name, messages in request.items()
            }
    return errors_by_field


def refused(page: Client, bugs: FeedbackType, **request: str) -> dict[str, list[str]]:
    errors_by_field = errors(page.post(ADD, form(bugs, {**REQUEST, **request})))
    assert not Macro.objects.exists() and not WebRequest.objects.exists()
    return errors_by_field


def test_a_macro_with_its_web_requests_is_saved(
    page: Client, bugs: FeedbackType
) -> None:
    second = {**REQUEST, "position": "1", "method": "GET", "body_kind": "none"}
    response = page.post(
        ADD, form(bugs, REQUEST, {**second, "body": "", "headers": ""})
    )
    assert response.status_code == 302
    macro = Macro.objects.get()
    assert (macro.name, macro.feedback_type, macro.retry_ladder) == (
        "Post to Slack",
        bugs,
        "5 s, 30 s",
    )
    columns = ("position", "is_active", "method", "url", "headers", "body_kind", "body")
    assert list(WebRequest.objects.order_by("position").values_list(*columns)) == [
        (0, True, *list(REQUEST.values())[2:]),
        (1, True, "GET", "https://a.example/hook", "", "none", ""),
    ]


def test_a_macro_without_a_web_request_can_be_saved_but_not_run(
    page: Client, bugs: FeedbackType
) -> None:
    factories.ticket(bugs)
    assert page.post(ADD, form(bugs)).status_code == 302
    with pytest.raises(RunRefused, match="has no step"):
        start_run(Macro.objects.get(), Feedback.objects.all(), cause=Cause.ACTION)
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            "body",
            '{"text": "a",\n "b": }',
            "Line 2, column 7: this is not valid JSON: a value is missing here.",
        ),
        ("body", "", "Line 1, column 1: The JSON body is empty."),
        (
            "body",
            '{\n  "text": "((Titel))"\n}',
            "Line 2, column 12: unknown tag ((Titel)). Did you mean ((Title))?",
        ),
        (
            "body",
            '"((Field: Sevrity))"',
            "Line 1, column 2: unknown tag ((Field: Sevrity)). Did you mean"
            " ((Field: Severity))?",
        ),
        (
            "headers",
            "Accept: */*\nX-Note: a\rEvil: b",
            "Line 2, column 10: ",
        ),
        (
            "headers",
            "Accept: */*\nno colon",
            "Line 2, column 1: write a header as Name: value.",
        ),
        (
            "url",
            "a.example/hook",
            "Line 1, column 1: The URL must begin with http:// or https://.",
        ),
        (
            "url",
            "ftp://a.example/",
            "Line 1, column 1: The URL must begin with http:// or https://.",
        ),
        ("method", "BREW", "Select a valid choice. BREW is not one of the available"),
        (
            "body_kind",
            "yaml",
            "Select a valid choice. yaml is not one of the available",
        ),
    ],
)
def test_what_could_never_be_sent_is_refused_at_its_field(
    page: Client, bugs: FeedbackType, field: str, value: str, message: str
) -> None:
    [(where, [messages])] = refused(page, bugs, **{field: value}).items()
    assert where == f"0.{field}"
    assert messages.startswith(message)


def test_a_missing_url_is_asked_for(page: Client, bugs: FeedbackType) -> None:
    messages = refused(page, bugs, url="")
    assert (
        list(messages) == ["0.url"]
        and messages["0.url"][0] == "This field is required."
    )


def test_all_faults_are_shown_at_once_each_at_its_own_field(
    page: Client, bugs: FeedbackType
) -> None:
    errors_by_field = refused(page, bugs, url="a.example", headers="Host: x", body="{")
    assert list(errors_by_field) == ["0.url", "0.headers", "0.body"]
    assert [len(messages) for messages in errors_by_field.values()] == [1, 1, 1]


def test_a_body_that_is_not_sent_is_not_checked(
    page: Client, bugs: FeedbackType
) -> None:
    request = {**REQUEST, "body_kind": "none", "body": "{ ((Nobody))"}
    assert page.post(ADD, form(bugs, request)).status_code == 302


def test_a_bad_ladder_is_refused_at_its_field(page: Client, bugs: FeedbackType) -> None:
    response = page.post(ADD, form(bugs, REQUEST, retry_ladder="5 s, soon"))
    assert errors(response) == {
        "retry_ladder": ["'soon' is not a wait such as 30 s, 5 min, 2 h or 1 d."]
    }


@pytest.mark.parametrize("chosen", ["", "999999"])
def test_a_macro_without_a_type_is_refused_at_that_field(
    page: Client, bugs: FeedbackType, chosen: str
) -> None:
    response = page.post(ADD, form(bugs, REQUEST, feedback_type=chosen))
    assert list(errors(response)) == ["feedback_type"]
    assert not Macro.objects.exists()


def test_a_macro_moved_to_another_type_must_fit_that_ones_form(
    page: Client, bugs: FeedbackType
) -> None:
    macro = factories.macro(bugs, "https://a.example/", body='"((Field: Severity))"')
    ideas = factories.feedback_type("Idea", "IDEA")
    ideas.form_fields.all().delete()
    ideas.project = bugs.project
    ideas.save()
    step = WebRequest.objects.get()
    data = form(ideas, {**REQUEST, "body": step.body, "step_ptr": str(step.pk)})
    data["steps-INITIAL_FORMS"] = "1"
    data["steps-0-macro"] = str(macro.pk)

    response = page.post(reverse("admin:macros_macro_change", args=[macro.pk]), data)

    assert list(errors(response)) == ["0.body"]
    macro.refresh_from_db()
    assert macro.feedback_type == bugs


def test_two_macros_of_a_type_differ_in_name(page: Client, bugs: FeedbackType) -> None:
    factories.macro(bugs, name="Post to Slack")
    response = page.post(ADD, form(bugs, REQUEST))
    assert errors(response) == {"__all__": ["The type has a macro of this name."]}
