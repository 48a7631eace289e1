"""A tester's title sets no member of the JSON that it stands in, however deep."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import ValidationError

from centerhook.receiver import Receiver
from feedback.models import Feedback
from logs.models import Attempt
from macros import deliveries
from macros.steps.kinds.web_request import WebRequest
from macros.steps.previews import preview
from macros.tags import TemplateError
from tests import factories

pytestmark = pytest.mark.django_db

TITLE = 'x", "channel": "#board'
INNER = r"{\"channel\": \"#beta\", \"text\": \"((Title))\", \"key\": ((Secret: token))}"
FORM = 'payload={"channel": "#beta", "text": "((Title))", "key": ((Secret: token))}'
BROKEN = {"body_kind": "form", "body": 'a={"b": "((Title))"'}


@pytest.mark.parametrize(
    ("kind", "body", "query", "read"),
    [
        ("form", FORM, "", lambda url, body: parse_qs(body)["payload"][0]),
        (
            "json",
            f'{{"payload": "{INNER}"}}',
            "",
            lambda url, body: json.loads(body)["payload"],
        ),
        (
            "none",
            "",
            FORM.replace(" ", "").replace("Secret:", "Secret: "),
            lambda url, body: parse_qs(urlsplit(url).query)["payload"][0],
        ),
    ],
    ids=["form", "json", "url"],
)
def test_what_is_sent_shown_and_logged_is_the_inner_json_that_was_written(
    receiver: Receiver, kind: str, body: str, query: str, read: Callable[..., str]
) -> None:
    bugs = factories.feedback_type()
    factories.secret(bugs, "token", 's3"cret\\value')
    factories.ticket(bugs, title=TITLE)
    url = f"{receiver.url}/ok?{query.replace('#', '%23')}"
    macro = factories.macro(bugs, url, body_kind=kind, body=body)
    expected = {"channel": "#beta", "text": TITLE}

    [shown] = preview(macro, Feedback.objects.all()).requests
    assert json.loads(read(shown.url, shown.body)) == expected | {"key": "••••••"}

    run = factories.run(macro)
    deliveries.work(run.pk)

    [sent] = receiver.requests
    secret = {"key": 's3"cret\\value'}
    assert (
        json.loads(read(sent.head.decode().split()[1], sent.body.decode()))
        == expected | secret
    )
    attempt = Attempt.objects.get()
    logged = json.loads(read(attempt.url, attempt.request_body))
    assert logged == expected | {"key": "••••••"}
    assert "cret" not in f"{vars(attempt)}"


def test_json_that_cannot_be_read_is_refused_on_save() -> None:
    bugs = factories.feedback_type()
    with pytest.raises(ValidationError, match="looks like JSON, but"):
        factories.macro(bugs, "https://h.example/", **BROKEN)
    macro = factories.macro(bugs, "https://h.example/")
    WebRequest.objects.update(**BROKEN)
    with pytest.raises(TemplateError, match="looks like JSON, but"):
        preview(macro, Feedback.objects.all())
