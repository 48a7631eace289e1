"""A pasted curl command becomes a macro; its credentials become secrets."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from centerhook.receiver import Receiver
from feedback.models import FeedbackType
from logs.models import Delivery
from macros import crypto, deliveries
from macros.authoring.curl import MAX_LENGTH
from macros.models import Macro, Secret
from macros.steps.kinds.web_request import WebRequest
from tests import factories

CHOOSER = reverse("admin:macros_macro_new")
URL = reverse("admin:macros_macro_new_curl")
COMMAND = """curl -L 'https://api.tracker.example/v1/issues?api_key=s3cr3t-in-url' \\
  -H 'Authorization: Bearer s3cr3t-bearer' -H 'X-Auth-Token: s3cr3t-header' \\
  --json '{"title": "((Title))", "token": "s3cr3t-in-body", "key": "PROJECT"}'"""


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def paste(page: Client, command: str) -> Any:
    response = page.post(URL, {"command": command})
    assert response.status_code == 200
    assert "s3cr3t" not in response.content.decode()
    return response


def send(page: Client, pasted: Any, bugs: FeedbackType, **values: str) -> Any:
    """The second page, filled in as it is suggested."""
    form = pasted.context["form"]
    data = {name: form[name].value() or "" for name in form.fields}
    data |= {"feedback_type": str(bugs.pk), **values}
    # What a browser leaves out.
    data = {name: value for name, value in data.items() if value}
    return page.post(URL, data, follow=True)


def test_credentials_become_secrets_bound_to_the_host(
    page: Client, bugs: FeedbackType
) -> None:
    pasted = paste(page, COMMAND)
    html = pasted.content.decode()
    assert "--location was left out" in html
    names = [
        "tracker_token",
        "tracker_api_key",
        "tracker_token_2",
        "tracker_auth_token",
    ]
    for name in names:
        assert f'value="{name}"' in html

    done = send(page, pasted, bugs, name="To the tracker", keep_in="community")

    html = done.content.decode()
    assert "s3cr3t" not in html and "--location was left out" in html
    step = WebRequest.objects.get()
    assert (step.method, step.auth_kind, step.auth_secret) == (
        "POST",
        "bearer",
        "tracker_token",
    )
    assert step.url == (
        "https://api.tracker.example/v1/issues?api_key=((Secret: tracker_api_key))"
    )
    assert step.headers == (
        "X-Auth-Token: ((Secret: tracker_auth_token))\nAccept: application/json"
    )
    assert step.body == (
        '{"title": "((Title))", "token": "((Secret: tracker_token_2))",'
        ' "key": "PROJECT"}'
    )
    rows = {each.name: each.reveal() for each in Secret.objects.all()}
    assert rows == {
        "tracker_token": "s3cr3t-bearer",
        "tracker_api_key": "s3cr3t-in-url",
        "tracker_token_2": "s3cr3t-in-body",
        "tracker_auth_token": "s3cr3t-header",
    }
    assert {each.hosts for each in Secret.objects.all()} == {"api.tracker.example"}
    assert {each.project for each in Secret.objects.all()} == {None}


@pytest.mark.parametrize(
    ("command", "kind", "user", "value"),
    [
        (
            "curl -u alice:s3cr3t-pw https://www.acme.example",
            "basic",
            "alice",
            "s3cr3t-pw",
        ),
        ("curl https://al:s3cr3t%3A@a.example", "basic", "al", "s3cr3t:"),
        (
            "curl -H 'Authorization: Basic YWxpY2U6czNjcjN0LXB3' https://www.acme.example",
            "basic",
            "alice",
            "s3cr3t-pw",
        ),
        (
            "curl -u a:b -H 'authorization: bearer s3cr3t-token' https://www.acme.example",
            "bearer",
            "",
            "s3cr3t-token",
        ),
    ],
)
def test_a_login_becomes_authentication(
    page: Client, bugs: FeedbackType, command: str, kind: str, user: str, value: str
) -> None:
    send(page, paste(page, command), bugs)
    step = WebRequest.objects.get()
    assert (step.auth_kind, step.auth_user, step.headers) == (kind, user, "")
    assert Secret.objects.get().reveal() == value


@pytest.mark.parametrize(
    ("command", "field", "written", "value"),
    [
        (
            "curl https://hooks.slack.com/services/T/B/s3cr3t -d 'payload={}'",
            "url",
            "((Secret: slack_url))",
            "https://hooks.slack.com/services/T/B/s3cr3t",
        ),
        (
            "curl https://www.acme.example -H 'Authorization: token s3cr3t-x'",
            "headers",
            "Authorization: token ((Secret: acme_token))",
            "s3cr3t-x",
        ),
        (
            "curl https://www.acme.example -b 'session=s3cr3t-x; y=z'",
            "headers",
            "Cookie: ((Secret: acme_cookie))",
            "session=s3cr3t-x; y=z",
        ),
        (
            "curl https://www.acme.example -d 'a=1 2&password=s3cr3t-x'",
            "body",
            "a=1 2\npassword=((Secret: acme_password))",
            "s3cr3t-x",
        ),
    ],
)
def test_a_credential_is_found_wherever_it_stands(
    page: Client,
    bugs: FeedbackType,
    command: str,
    field: str,
    written: str,
    value: str,
) -> None:
    send(page, paste(page, command), bugs)
    assert getattr(WebRequest.objects.get(), field) == written
    assert Secret.objects.get().reveal() == value


def test_a_place_for_a_credential_is_asked_for(
    page: Client, bugs: FeedbackType
) -> None:
    command = 'curl -H "Authorization: Bearer $TRACKER_TOKEN" https://www.acme.example'
    pasted = paste(page, command)
    assert 'value="tracker_token"' in pasted.content.decode()
    refused = send(page, pasted, bugs)
    assert list(refused.context["form"].errors) == ["secret_tracker_token_value"]
    send(page, pasted, bugs, secret_tracker_token_value="s3cr3t-entered")
    assert Secret.objects.get().reveal() == "s3cr3t-entered"


def test_a_secret_that_is_there_can_be_used_instead(
    page: Client, bugs: FeedbackType
) -> None:
    factories.secret(bugs, "mine", "the-value-it-has")
    pasted = paste(page, "curl -u alice:s3cr3t-pw https://www.acme.example")
    key = "secret_acme_password"
    taken = send(page, pasted, bugs, **{f"{key}_name": "mine"})
    assert "There is a secret &#x27;mine&#x27; already." in taken.content.decode()
    assert "s3cr3t" not in taken.content.decode()
    send(page, pasted, bugs, **{f"{key}_name": "mine", f"{key}_existing": "on"})
    assert WebRequest.objects.get().auth_secret == "mine"
    assert Secret.objects.get().reveal() == "the-value-it-has"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "Paste a curl command."),
        ("wget https://www.acme.example", "This is not a curl command"),
        ("curl 'https://www.acme.example", "The quote &#x27; in line 1 is not closed."),
        ("curl -I https://www.acme.example", "The method HEAD is not sent from here"),
        ("curl " + "x" * 1_000_000, f"The command is longer than {MAX_LENGTH:,}"),
    ],
)
def test_a_command_that_cannot_be_read_is_refused_with_a_reason(
    page: Client, bugs: FeedbackType, command: str, message: str
) -> None:
    html = paste(page, command).content.decode()
    assert message in html and "Paste it again" in html
    assert not Macro.objects.exists()


def test_what_could_not_be_sent_is_refused_by_member(
    page: Client, bugs: FeedbackType
) -> None:
    pasted = paste(page, 'curl https://www.acme.example/ --json \'{"a": "((Titel))"}\'')
    html = send(page, pasted, bugs).content.decode()
    assert "Body text: Line 1, column 8: unknown tag ((Titel))." in html
    assert not Macro.objects.exists()


@pytest.mark.parametrize("sealed", ["", "x", "other user", "other purpose"])
def test_a_seal_that_is_not_ones_own_opens_nothing(
    page: Client, bugs: FeedbackType, sealed: str
) -> None:
    made = {
        "other user": crypto.encrypt('["curl", 0, "curl https://www.acme.example"]'),
        "other purpose": crypto.encrypt("https://hooks.example/s3cr3t-of-others"),
    }
    response = page.post(URL, {"sealed": made.get(sealed, sealed)})
    assert "The command is lost. Paste it again." in response.content.decode()


def test_a_body_that_is_not_what_it_says_is_sent_as_text(
    page: Client, bugs: FeedbackType
) -> None:
    command = (
        "curl https://www.acme.example -H 'Content-Type: application/json' -d '{broken'"
    )
    pasted = paste(page, command)
    assert "The body is not valid JSON" in pasted.content.decode()
    send(page, pasted, bugs)
    step = WebRequest.objects.get()
    assert (step.body_kind, step.body) == ("text", "{broken")
    assert step.headers == "Content-Type: application/json"


def test_headers_that_are_set_anew_are_left_out(
    page: Client, bugs: FeedbackType
) -> None:
    command = (
        "curl https://www.acme.example -H 'Host: b' -H 'Content-Length: 3' -H 'X-A: 1'"
        " -H 'x-a: 2' -H 'Accept-Encoding: br'"
    )
    pasted = paste(page, command)
    assert pasted.content.decode().count("was left out: it is set anew") == 3
    send(page, pasted, bugs)
    assert WebRequest.objects.get().headers == "X-A: 1"


def test_the_page_is_reached_by_pasting_only(page: Client, db: None) -> None:
    assert page.get(URL).url == CHOOSER


def test_from_a_command_to_the_wire_and_back_to_a_command(
    page: Client, bugs: FeedbackType, receiver: Receiver
) -> None:
    factories.ticket(bugs, title="it's <b>")
    command = (
        f"curl {receiver.url}/ok/in -H 'X-Token: s3cr3t-token'"
        " -d title='((Title))' -d 'more=a b'"
    )
    send(page, paste(page, command), bugs)
    deliveries.work(factories.run(Macro.objects.get()).pk)

    [request] = receiver.requests
    assert request.text == "title=it%27s+%3Cb%3E&more=a+b"
    assert dict(request.headers)["X-Token"] == "s3cr3t-token"

    delivery = Delivery.objects.get()
    shown = page.get(reverse("admin:logs_delivery_change", args=[delivery.pk]))
    curl = shown.context["shown"]["curl"]
    assert re.sub(r"Webhook-Id: \w+", "Webhook-Id: x", curl) == (
        f"curl -X POST --url {receiver.url}/ok/in \\\n"
        "  -H 'Content-Type: application/x-www-form-urlencoded' \\\n"
        "  -H 'X-Token: '\"$SECRET_1\" \\\n"
        "  -H 'Webhook-Id: x' \\\n"
        "  --data-raw 'title=it%27s+%3Cb%3E&more=a+b'"
    )
    html = shown.content.decode()
    assert "Copy as curl" in html and "set <code>SECRET_1</code>" in html
    assert "s3cr3t" not in html


def test_the_preview_offers_its_request_as_a_command(
    page: Client, bugs: FeedbackType
) -> None:
    ticket = factories.ticket(bugs, title="<b>it's")
    macro = factories.macro(bugs, "https://www.acme.example/")
    response = page.post(
        reverse("admin:feedback_feedback_changelist") + f"?type={bugs.pk}",
        {
            "action": f"macro_{macro.pk}",
            "index": "0",
            "select_across": "0",
            "_selected_action": str(ticket.pk),
        },
    )
    html = response.content.decode()
    assert "Copy as curl" in html and "<b>it" not in html
    assert "&lt;b&gt;it&#x27;" in html and "curl -X POST" in html


def test_more_credentials_than_a_web_request_may_have_are_refused(
    page: Client, bugs: FeedbackType
) -> None:
    members = ", ".join(f'"token": "abcdefgh{n}"' for n in range(31))
    html = paste(page, f"curl https://a.example/ --json '{{{members}}}'").content
    assert b"holds more than 30 credentials" in html
