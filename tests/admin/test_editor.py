"""What the editor of web requests shows while somebody writes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from centerhook.receiver import Receiver
from feedback.access.roles import Role
from feedback.models import Feedback, FeedbackType
from logs.models import Cause, Run
from macros import deliveries
from macros.models import Macro
from macros.steps.kinds.web_request import WebRequest
from tests import factories

pytestmark = pytest.mark.django_db
NEW = reverse("admin:macros_macro_new_editor")
STEP = {
    "position": "0",
    "is_active": "on",
    "method": "POST",
    "url": "https://a.example/hook",
    "headers": "X-Title: ((Title))",
    "body_kind": "json",
    "body": '{"text": "((Title))"}',
}


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.ticket(made, title="Older")
    factories.ticket(made, title='The "newest"', external_data={"jira_key": "QA-7"})
    return made


@pytest.fixture
def page(bugs: FeedbackType, client: Client) -> Client:
    client.force_login(factories.member(bugs, Role.PROJECT_MANAGER, "paul"))
    return client


def form(bugs: FeedbackType, do: str = "check", **changes: str) -> dict[str, str]:
    asked = {"do": do, "step": "steps-0", "feedback_type": str(bugs.pk), "name": "New"}
    asked |= {"retry_ladder": "5 s", "steps-TOTAL_FORMS": "1"}
    asked |= {f"steps-0-{name}": value for name, value in STEP.items()}
    for name, value in changes.items():
        asked[f"steps-0-{name}" if name in STEP else name] = value
    return asked


def ask(page: Client, data: dict[str, str], url: str = NEW) -> Any:
    response = page.post(url, data)
    assert response.status_code == 200
    assert not WebRequest.objects.exists() and not Macro.objects.exists()
    return response.json()


def test_a_fault_names_its_line_column_and_the_nearest_tag(
    page: Client, bugs: FeedbackType
) -> None:
    result = ask(page, form(bugs, body='{\n  "text": "((Titel))"\n}'))
    assert result["problems"] == {
        "body": [
            {
                "line": 2,
                "column": 12,
                "message": "Line 2, column 12: unknown tag ((Titel))."
                " Did you mean ((Title))?",
            }
        ]
    }
    assert "once this is correct: Body text." in result["preview"]


def test_what_is_missing_in_a_closed_section_is_named(
    page: Client, bugs: FeedbackType
) -> None:
    asked = form(bugs) | {"steps-0-auth_kind": "bearer"}
    result = ask(page, asked)
    assert list(result["problems"]) == ["auth_secret"]
    assert "once this is correct: Secret to authenticate with." in result["preview"]
    asked["steps-0-return_values-0-name"] = "a"
    result = ask(page, asked | {"do": "test"})
    assert result["refused"].endswith(
        "test: Secret to authenticate with, Return values."
    )


def test_every_field_has_its_own_faults_where_they_were_typed(
    page: Client, bugs: FeedbackType
) -> None:
    result = ask(
        page,
        form(bugs, url="  https://a.example/((No))", headers="\r\nHost: x", body="{"),
    )
    positions = {
        name: [(each["line"], each["column"]) for each in listed]
        for name, listed in result["problems"].items()
    }
    assert positions == {"url": [(1, 21)], "headers": [(2, 1)], "body": [(1, 2)]}


def test_the_preview_is_the_request_for_the_chosen_ticket(
    page: Client, bugs: FeedbackType
) -> None:
    result = ask(page, form(bugs))
    assert result["problems"] == {}
    assert "POST https://a.example/hook" in result["preview"]
    assert "The \\&quot;newest\\&quot;" in result["preview"]
    assert "curl" in result["preview"]
    result = ask(page, form(bugs, subject="bug-1", body="((Submitter Email))"))
    assert "X-Title: Older" in result["preview"]
    assert "No value: <code>((Submitter Email))</code>" in result["preview"]


def test_secrets_are_masked_in_preview_and_palette(
    page: Client, bugs: FeedbackType
) -> None:
    factories.secret(bugs, "token", "hunter2-hunter2")
    headers = "Authorization: Bearer ((Secret: token))"
    body = '{"a": "((Secret: token|base64))"}'
    result = ask(page, form(bugs, headers=headers, body=body))
    assert "Authorization" in result["preview"] and "hunter2" not in result["preview"]
    assert "aHVudGVy" not in result["preview"]
    tags = ask(page, form(bugs, "palette"))
    assert "Secret: token" in tags["html"] and "hunter2" not in tags["html"]


def test_a_secret_outside_its_hosts_is_told(page: Client, bugs: FeedbackType) -> None:
    factories.secret(bugs, "token", hosts="b.example")
    result = ask(page, form(bugs, headers="X-Key: ((Secret: token))"))
    assert "For this ticket nothing would be sent" in result["preview"]


def test_the_palette_has_the_values_of_the_ticket(
    page: Client, bugs: FeedbackType
) -> None:
    result = ask(page, form(bugs, "palette"))
    assert result["subject"] == "BUG-2"
    assert [each["value"] for each in result["subjects"]] == ["BUG-2", "BUG-1"]
    for expected in (
        'data-insert="((Title))"',
        "The &quot;newest&quot;</code>",
        'data-insert="((External: jira_key))"',
        "QA-7</code>",
        'data-insert="((Field: Severity))"',
        'data-insert="|truncate:200"',
    ):
        assert expected in result["html"]
    result = ask(page, form(bugs, "palette", search="older"))
    assert [each["value"] for each in result["subjects"]] == ["BUG-1"]


def test_without_a_ticket_the_palette_shows_samples(
    page: Client, bugs: FeedbackType
) -> None:
    Feedback.objects.all().delete()
    result = ask(page, form(bugs, "palette"))
    assert (result["subject"], result["subjects"]) == ("", [])
    assert 'class="sample"' in result["html"]
    assert "It breaks" not in result["html"] and "newest" not in result["html"]
    result = ask(page, form(bugs))
    assert "There is no ticket yet" in result["preview"]


def test_a_json_body_is_formatted_and_a_faulty_one_left(
    page: Client, bugs: FeedbackType
) -> None:
    result = ask(page, form(bugs, "format", body='{"a":[((Number)),"((Title))"]}'))
    assert result == {"body": '{\n  "a": [\n    ((Number)),\n    "((Title))"\n  ]\n}'}
    result = ask(page, form(bugs, "format", body='{"a" 1}'))
    assert result["refused"].startswith("The body is left as it is. Line 1, column 6:")
    result = ask(page, form(bugs, "format", body="a=b", body_kind="form"))
    assert result == {"refused": "Only a JSON body can be formatted."}


def test_an_unsaved_web_request_is_test_sent(
    page: Client, bugs: FeedbackType, receiver: Receiver
) -> None:
    url = f"{receiver.url}/ok"
    result = ask(page, form(bugs, "test", url=url, to="real", subject="BUG-1"))
    run = Run.objects.get()
    assert (run.cause, run.actor_name, run.macro) == (Cause.TEST, "paul", None)
    deliveries.work(run.pk)
    done = page.get(result["progress"]).json()
    assert done["settled"] and "the system accepted" in done["html"]
    assert [each.body for each in receiver.requests] == [b'{"text": "Older"}']
    assert not Macro.objects.exists()


def test_a_test_goes_to_the_echo_unless_the_real_destination_is_asked_for(
    page: Client, bugs: FeedbackType, receiver: Receiver
) -> None:
    ask(page, form(bugs, "test", url=f"{receiver.url}/ok"))
    deliveries.work(Run.objects.get().pk)
    assert receiver.requests == []


def test_a_faulty_draft_is_not_test_sent(page: Client, bugs: FeedbackType) -> None:
    result = ask(page, form(bugs, "test", body="{"))
    assert result == {"refused": "Correct first, then send the test: Body text."}
    assert not Run.objects.exists()


@pytest.mark.parametrize("do", ["check", "palette", "format", "test"])
def test_a_ticket_of_others_is_not_found(
    page: Client, bugs: FeedbackType, do: str
) -> None:
    theirs = factories.feedback_type("Ideas", "IDEA")
    factories.ticket(theirs, title="Theirs")
    result = ask(page, form(bugs, do, subject="IDEA-1"))
    if do != "format":
        assert "There is no ticket" in str(result) and "Theirs" not in str(result)
    response = page.post(NEW, form(theirs, do))
    assert response.json() == {
        "refused": "Choose first what it runs on: tags and secrets come from that."
    }


@pytest.mark.parametrize("do", ["check", "palette", "format", "test"])
def test_only_who_may_change_macros_there_gets_a_response(
    bugs: FeedbackType, client: Client, do: str
) -> None:
    macro = factories.macro(bugs, "https://a.example/")
    url = reverse("admin:macros_macro_editor", args=[macro.pk])
    client.force_login(factories.member(bugs, Role.SUPPORT))
    assert client.post(url, form(bugs, do)).status_code == 403
    assert client.post(NEW, form(bugs, do)).status_code == 403
    stranger = factories.member(factories.feedback_type(), Role.PROJECT_MANAGER)
    client.force_login(stranger)
    assert client.post(url, form(bugs, do)).status_code == 404
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step": "steps-7"}, "not in the form"),
        ({"step": "../x"}, "not in the form"),
        ({"step": "name"}, "not in the form"),
        ({"do": "delete"}, "can't do that"),
        ({"feedback_type": ""}, "Choose first what it runs on"),
        ({"feedback_type": "9" * 30}, "Choose first what it runs on"),
        ({"feedback_type": "\0"}, "Choose first what it runs on"),
        ({"subject": "\0"}, "Null characters are not allowed"),
        ({"subject": "x" * 300}, "at most 254 characters"),
        ({"body": '"\0"'}, "Null characters are not allowed"),
        ({"url": "https://a.example/\ud800"}, "problems"),
        ({"position": "-1e9"}, "Enter a whole number"),
        ({"position": "9" * 400}, "problems"),
        ({"method": "BREW"}, "Select a valid choice"),
        ({"body": "[" * 100_000}, "nested too deeply"),
        ({"body": "((" * 500_000}, "problems"),
        ({"body": "x" * 1_000_001}, "longer than 1,000,000"),
        ({"steps-0-return_values-0-name": "a"}, "Row 1"),
    ],
)
def test_hostile_input_gets_a_sentence(
    page: Client, bugs: FeedbackType, changes: dict[str, str], message: str
) -> None:
    data = urlencode(form(bugs, **changes), errors="surrogatepass")
    response = page.post(NEW, data, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 200
    assert message in str(response.json())


def test_a_saved_macro_is_read_as_it_stands_in_the_form(
    page: Client, bugs: FeedbackType
) -> None:
    macro = factories.macro(bugs, "https://a.example/", name="Kept")
    url = reverse("admin:macros_macro_editor", args=[macro.pk])
    response = page.post(url, form(bugs, body='{"m": "((Macro))"}', name="Renamed"))
    assert "Renamed" in response.json()["preview"]
    macro.refresh_from_db()
    assert macro.name == "Kept"
    assert macro.steps.get().concrete.body == '{"text": "((Title))"}'
    for wrong in ("0", "x", "9" * 40):
        missing = reverse("admin:macros_macro_editor", args=[wrong])
        assert page.post(missing, form(bugs)).status_code == 404


def test_while_web_requests_are_locked_all_is_read_and_nothing_sent(
    page: Client, bugs: FeedbackType
) -> None:
    bugs.project.community.api_keys.all().delete()
    faulty = ask(page, form(bugs, body='"((Titel))"'))["problems"]["body"][0]
    assert "Did you mean ((Title))?" in faulty["message"]
    assert "newest" in ask(page, form(bugs))["preview"]
    assert "body" in ask(page, form(bugs, "format"))
    assert ask(page, form(bugs, "palette"))["subject"] == "BUG-2"
    for to in ("echo", "real"):
        refused = ask(page, form(bugs, "test", to=to))["refused"]
        assert "has no valid API key" in refused
    assert not Run.objects.exists()


def test_a_user_macro_has_the_tags_of_testers(page: Client, bugs: FeedbackType) -> None:
    tara = factories.tester(bugs, "tara@example.com")
    asked = form(bugs, headers="", body='{"to": "((Email))"}', feedback_type="")
    asked["testers_of"] = f"community-{bugs.project.community_id}"
    result = ask(page, asked)
    assert result["problems"] == {} and tara.email in result["preview"]
    result = ask(page, asked | {"do": "palette"})
    assert (result["label"], result["subject"]) == ("Tester", tara.email)
    assert 'data-insert="((Email))"' in result["html"]
    assert "Field: Severity" not in result["html"]
    result = ask(page, asked | {"steps-0-body": '"((Title))"'})
    assert "((Title))" in result["problems"]["body"][0]["message"]


def test_every_kind_of_step_is_checked_and_says_what_it_does(
    page: Client, bugs: FeedbackType
) -> None:
    asked = form(bugs) | {"step": "addcomment-0", "addcomment-TOTAL_FORMS": "1"}
    asked |= {"addcomment-0-position": "2", "addcomment-0-text": "Thanks <((Titel))>"}
    result = ask(page, asked)
    assert "Did you mean ((Title))?" in result["problems"]["text"][0]["message"]
    assert "Add the comment “Thanks &lt;((Titel))&gt;”" in result["says"]
    assert result["preview"] == ""
    refused = ask(page, asked | {"addcomment-0-text": "Hi", "do": "test"})
    assert refused == {"refused": "Only a web request can be sent as a test."}
    result = ask(page, asked | {"addcomment-0-text": "Hi \u202e"})
    assert result["problems"] == {} and "U+202E" in result["says"]


def test_a_step_that_is_not_in_the_form_is_refused(
    page: Client, bugs: FeedbackType
) -> None:
    for step in ("addcomment-0", "nothing-0", "steps-__prefix__", ""):
        refused = ask(page, form(bugs) | {"step": step})
        assert refused == {"refused": "This step is not in the form that was sent."}
    asked = form(bugs) | {"step": "nothing-0", "nothing-0-position": "1"}
    assert page.post(NEW, asked).status_code == 403
