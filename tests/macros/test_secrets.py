"""Secrets: used by name, opened only to send, masked wherever they turn up."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from io import StringIO
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError

from centerhook.receiver import Receiver
from feedback.models import Feedback, FeedbackType
from logs.models import Attempt, Delivery, Run
from macros import crypto, deliveries
from macros.models import Secret
from macros.models.secrets import parse_hosts
from macros.models.usage import macros_using
from macros.runs import RunRefused
from macros.steps.previews import preview
from tests import factories
from tests.http.hostile import Peer, Server

pytestmark = pytest.mark.django_db

VALUE = 'hush/hush+"hush" é'


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.ticket(made)
    return made


def deliver(run: Run) -> Attempt:
    deliveries.work(run.pk)
    return Attempt.objects.get()


def stored(attempt: Attempt) -> str:
    return json.dumps({k: str(v) for k, v in vars(attempt).items()}, ensure_ascii=False)


def test_a_value_is_encrypted_at_rest(bugs: FeedbackType) -> None:
    secret = factories.secret(bugs, "token", VALUE)
    row = Secret.objects.values().get()
    assert VALUE not in str(row) and "hush" not in str(row)
    assert secret.reveal() == VALUE
    assert "hush" not in repr(secret) + repr(
        Secret.objects.open(secret.community_id, None, ["token"])
    )


def test_a_template_sends_the_value(bugs: FeedbackType, receiver: Receiver) -> None:
    factories.secret(bugs, "API Token", VALUE)
    macro = factories.macro(
        bugs, f"{receiver.url}/ok", body='{"key": "((Secret: api-token))"}'
    )

    attempt = deliver(factories.run(macro))

    assert json.loads(receiver.requests[0].body) == {"key": VALUE}
    assert attempt.request_body == '{"key": "••••••"}'
    assert "hush" not in stored(attempt)


def test_a_whole_url_can_be_a_secret(bugs: FeedbackType, receiver: Receiver) -> None:
    url = f"{receiver.url}/status/404?services/T0/B0/xyzzy"
    factories.secret(bugs, "slack url", url)
    attempt = deliver(factories.run(factories.macro(bugs, "((Secret: slack url))")))
    assert (attempt.status, attempt.url) == (404, "••••••")
    assert "xyzzy" not in stored(attempt)


FORMS: list[Callable[[str], str]] = [
    str,
    lambda value: json.dumps({"echo": value}),
    lambda value: json.dumps({"echo": value}, ensure_ascii=False),
    lambda value: "q=" + quote(value, safe=""),
    lambda value: "q=" + quote(value, safe="").lower().replace("%c3%a9", "%c3%a9"),
    lambda value: b64encode(value.encode()).decode(),
    lambda value: b64encode(f"bob:{value}".encode()).decode(),
    lambda value: b64encode(f"robert:{value}@x".encode()).decode(),
    lambda value: value.replace("&", "&amp;").replace('"', "&quot;"),
    lambda value: "x" * 40 + value[:-1],
]


@pytest.mark.parametrize("form", FORMS)
def test_an_echo_in_any_form_is_masked(
    bugs: FeedbackType,
    serve: Callable[..., Server],
    settings: Any,
    form: Callable[[str], str],
) -> None:
    body = form(VALUE).encode()
    # The last form is a body that is cut in the middle of the secret.
    settings.RESPONSE_LOG_BYTES = len(body)

    def echo(peer: Peer) -> None:
        peer.request()
        head = "HTTP/1.1 200 OK\r\nX-Echo: {}\r\nContent-Length: {}\r\n\r\n"
        value = quote(VALUE)
        peer.say(head.format(value, len(body) + 9).encode() + body + b" and more")

    factories.secret(bugs, "token", VALUE)
    macro = factories.macro(
        bugs, serve(echo).url("/"), headers="X-Key: ((Secret: token|base64))"
    )

    attempt = deliver(factories.run(macro))

    assert attempt.status == 200
    assert "••••••" in attempt.response_body
    assert attempt.response_headers.splitlines()[0] == "X-Echo: ••••••"
    text = stored(attempt)
    assert "hush" not in text
    inner = b64encode(VALUE.encode()).decode()[2:-4]
    assert inner not in text


def test_what_a_ticket_says_of_a_secret_is_masked_in_the_log(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    Feedback.objects.update(title="my token is hunter2-hunter2")
    factories.secret(bugs, "token")
    macro = factories.macro(
        bugs, f"{receiver.url}/ok", headers="X-Key: ((Secret: token))\nX-T: ((Title))"
    )
    attempt = deliver(factories.run(macro))
    assert "hunter2" not in stored(attempt)
    assert attempt.request_body == '{"text": "my token is ••••••"}'


def test_a_projects_own_secret_wins(bugs: FeedbackType, receiver: Receiver) -> None:
    factories.secret(bugs, "token", "of the community")
    factories.secret(bugs, "TOKEN", "of the project", own=True)
    other = factories.feedback_type()
    factories.secret(other, "token", "of somebody else")
    macro = factories.macro(bugs, f"{receiver.url}/ok", body='"((Secret: token))"')
    deliver(factories.run(macro))
    assert json.loads(receiver.requests[0].body) == "of the project"


def test_another_tenants_secret_is_unknown(bugs: FeedbackType) -> None:
    factories.secret(factories.feedback_type(), "token")
    with pytest.raises(ValidationError, match="unknown tag"):
        factories.macro(bugs, "https://a.example/", body='"((Secret: token))"')


def test_a_secret_deleted_before_it_is_sent_is_named(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    factories.secret(bugs, "Slack token")
    macro = factories.macro(
        bugs, f"{receiver.url}/ok", body='"((Secret: slack_token))"'
    )
    run = factories.run(macro)
    Secret.objects.all().delete()

    attempt = deliver(run)

    assert (attempt.error_class, attempt.message) == (
        "render",
        "The secret slack_token does not exist any more.",
    )
    assert Delivery.objects.get().state == "failed" and not receiver.requests
    with pytest.raises(RunRefused, match="unknown tag"):
        factories.run(macro)


def test_a_value_that_no_key_opens_is_named(
    bugs: FeedbackType, receiver: Receiver, settings: Any
) -> None:
    factories.secret(bugs, "token")
    run = factories.run(
        factories.macro(bugs, f"{receiver.url}/ok", body='"((Secret: token))"')
    )
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    attempt = deliver(run)
    assert attempt.error_class == "render"
    assert attempt.message.startswith("The secret token can't be decrypted")
    assert not receiver.requests


@pytest.mark.parametrize(
    ("hosts", "sent"),
    [
        ("", True),
        ("127.0.0.1", True),
        ("hooks.slack.com\n127.0.0.1:{port}", True),
        ("hooks.slack.com", False),
        ("127.0.0.1:1", False),
        ("127.0.0.1.example.com", False),
    ],
)
def test_a_bound_secret_goes_to_its_hosts_only(
    bugs: FeedbackType, receiver: Receiver, hosts: str, sent: bool
) -> None:
    port = receiver.url.rpartition(":")[2]
    factories.secret(bugs, "token", hosts=hosts.format(port=port))
    macro = factories.macro(bugs, f"{receiver.url}/ok", body='"((Secret: token))"')

    attempt = deliver(factories.run(macro))

    assert len(receiver.requests) == sent
    if not sent:
        assert (attempt.error_class, attempt.message) == (
            "blocked",
            "The secret token may not be sent to this host. It is bound to others.",
        )
        assert Delivery.objects.get().state == "failed"


def test_no_odd_url_passes_for_a_bound_host(bugs: FeedbackType) -> None:
    factories.secret(bugs, "token", hosts="good.example")
    vault = Secret.objects.open(bugs.project.community_id, None, ["token"])
    assert not vault.refusal("token", "https://GOOD.example./x")
    for url in (
        "https://evil.example\\@good.example/",
        "https://good.example@evil.example/",
        "https://evil.example#@good.example/",
        "https://good.example.evil.example/",
        "https://[good.example/",
        "good.example",
    ):
        assert vault.refusal("token", url), url


def test_the_preview_shows_masks(bugs: FeedbackType) -> None:
    factories.secret(bugs, "token", hosts="other.example")
    macro = factories.macro(
        bugs, "https://a.example/((Secret: token))", body='"((Secret: token))"'
    )
    shown = preview(macro, Feedback.objects.all())
    assert shown.requests[0].url == "https://a.example/••••••"
    assert shown.requests[0].body == '"••••••"'
    assert list(shown.failing) == [
        "The secret token may not be sent to this host. It is bound to others."
    ]
    assert shown.empty == {} and "hunter2" not in repr(shown)


def test_the_preview_masks_a_secret_in_the_host(bugs: FeedbackType) -> None:
    factories.secret(bugs, "tenant", "acme-inside")
    macro = factories.macro(bugs, "https://((Secret: tenant)).example/")
    shown = preview(macro, Feedback.objects.all())
    assert shown.hosts == {"••••••.example": 1}


def test_values_are_opened_once_for_all_deliveries(
    bugs: FeedbackType, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    real = crypto.decrypt
    monkeypatch.setattr(
        crypto, "decrypt", lambda token: opened.append(token) or real(token)
    )
    factories.tickets(bugs, 20)
    factories.secret(bugs, "token")
    macro = factories.macro(bugs, f"{receiver.url}/ok", body='"((Secret: token))"')
    run = factories.run(macro)
    opened.clear()
    deliveries.work(run.pk)
    assert len(receiver.requests) == 21 and len(opened) == 1


def test_names_are_one_whatever_their_spelling(bugs: FeedbackType) -> None:
    factories.secret(bugs, "Slack URL")
    with pytest.raises(ValidationError, match="has a secret of this name"):
        factories.secret(bugs, "slack_url")
    factories.secret(bugs, "slack-url", own=True)
    with pytest.raises(ValidationError, match="has a secret of this name"):
        factories.secret(bugs, "SLACK URL", own=True)


@pytest.mark.parametrize("name", ["", "__", "a:b", "a|b", "a(b)", "a\nb"])
def test_a_name_that_no_tag_could_hold_is_refused(
    bugs: FeedbackType, name: str
) -> None:
    with pytest.raises(ValidationError):
        factories.secret(bugs, name)


def test_a_project_of_another_community_is_refused(bugs: FeedbackType) -> None:
    secret = Secret(community=bugs.project.community, name="token")
    secret.project = factories.feedback_type().project
    secret.conceal("x" * 9)
    with pytest.raises(ValidationError, match="another community"):
        secret.full_clean()


def test_hosts_are_kept_as_origins_name_them() -> None:
    text = "Hooks.Slack.com., bücher.example\n[::1]:8443 a.example:99"
    assert parse_hosts(text) == [
        "hooks.slack.com",
        "xn--bcher-kva.example",
        "[::1]:8443",
        "a.example:99",
    ]
    for wrong in ("https://a.example", "a.example/x", "*.example", "a@b", "a.b:999999"):
        with pytest.raises(ValueError, match="^Entry 2 is not a host") as caught:
            parse_hosts(f"hooks.slack.com {wrong}")
        assert wrong not in str(caught.value)


def test_the_macros_that_use_a_secret_are_found(bugs: FeedbackType) -> None:
    for name in ("in url", "in header", "in body", "in auth", "unused"):
        factories.secret(bugs, name)
    macro = factories.macro(
        bugs,
        "https://a.example/((secret:in-url|url))",
        headers="X-A: ((SECRET : In Header))",
        body='"((Secret: in_body)) \\\\((Secret: unused))"',
        auth_kind="bearer",
        auth_secret="in auth",
    )
    for secret in Secret.objects.all():
        expected = [] if secret.name == "unused" else [macro]
        assert macros_using(secret) == expected, secret


def test_a_projects_own_secret_hides_the_communitys(bugs: FeedbackType) -> None:
    shared = factories.secret(bugs, "token")
    macro = factories.macro(bugs, "https://a.example/((Secret: token))")
    assert macros_using(shared) == [macro]
    own = factories.secret(bugs, "token", own=True)
    assert (macros_using(shared), macros_using(own)) == ([], [macro])


def test_keys_are_changed_without_losing_a_secret(
    bugs: FeedbackType, settings: Any
) -> None:
    secret = factories.secret(bugs, "token", VALUE)
    old, new = settings.SECRETS_KEYS[0], Fernet.generate_key().decode()
    settings.SECRETS_KEYS = [new, old]
    out = StringIO()
    call_command("rotate_secrets", stdout=out)
    settings.SECRETS_KEYS = [new]
    secret.refresh_from_db()
    assert secret.reveal() == VALUE
    assert out.getvalue() == "Encrypted 1 secrets under the first key.\n"


def test_rotation_names_what_no_key_opens_and_leaves_it(
    bugs: FeedbackType, settings: Any
) -> None:
    secret = factories.secret(bugs, "token")
    before = Secret.objects.get().encrypted_value
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match=rf"ids {secret.pk}\. Keep the old keys"):
        call_command("rotate_secrets", stdout=StringIO())
    assert Secret.objects.get().encrypted_value == before


def test_a_wrong_key_is_a_check_that_says_so(settings: Any) -> None:
    from centerhook.checks.limits import check_secrets_keys

    settings.SECRETS_KEYS = [Fernet.generate_key().decode(), "not a key"]
    [error] = check_secrets_keys()
    assert error.id == "centerhook.E101" and "number 2" in error.msg
    assert "not a key" not in error.msg
