"""Standard Webhooks signatures, checked by its own package at the receiver."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from centerhook.receiver import Receiver
from feedback.models import FeedbackType
from logs.models import Attempt, Delivery, delivery_id
from macros import deliveries
from macros.http.signing import parse_key
from macros.models import Secret
from tests import factories
from tests.http.hostile import OK, Peer, Server, http_response

pytestmark = pytest.mark.django_db

NEW = "whsec_" + b64encode(b"n" * 32).decode()
OLD = "whsec_" + b64encode(b"old!" * 6).decode()
OTHER = "whsec_" + b64encode(b"other" * 6).decode()


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.ticket(made, title='Grün "quoted" 🐞')
    factories.secret(made, "new key", NEW)
    factories.secret(made, "old key", OLD)
    return made


def headers_of(head: bytes) -> dict[str, str]:
    lines = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {
        n.strip().lower(): v.strip() for n, _, v in (x.partition(":") for x in lines)
    }


def test_the_receiver_can_verify_it(bugs: FeedbackType, receiver: Receiver) -> None:
    macro = factories.macro(bugs, f"{receiver.url}/ok", signing_secret="New Key")
    run = factories.run(macro)
    deliveries.work(run.pk)

    [got] = receiver.requests
    headers = headers_of(got.head)
    assert Webhook(NEW).verify(got.body, headers) == {"text": 'Grün "quoted" 🐞'}
    delivery = Delivery.objects.get()
    assert headers["webhook-id"] == delivery_id(run.key, delivery.pk)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(got.body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(got.body + b" ", headers)


def test_while_rotating_both_secrets_verify(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    macro = factories.macro(
        bugs,
        f"{receiver.url}/ok",
        signing_secret="new_key",
        previous_signing_secret="old_key",
    )
    deliveries.work(factories.run(macro).pk)
    [got] = receiver.requests
    headers = headers_of(got.head)
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (NEW, OLD):
        assert Webhook(secret).verify(got.body, headers)


def test_a_request_without_a_body_is_signed(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    macro = factories.macro(
        bugs,
        f"{receiver.url}/ok",
        method="DELETE",
        body_kind="none",
        signing_secret="new key",
    )
    deliveries.work(factories.run(macro).pk)
    [got] = receiver.requests
    assert got.body == b""
    Webhook(NEW).verify(b"", headers_of(got.head), json_parse=False)


def test_every_try_has_its_own_time_under_the_same_id(
    bugs: FeedbackType, serve: Callable[..., Server]
) -> None:
    def fail_first(peer: Peer) -> None:
        while peer.request():
            first = len(peer.server.requests) == 1
            peer.say(http_response(b"", status="503 Busy") if first else OK)

    server = serve(fail_first)
    macro = factories.macro(
        bugs, server.url("/"), ladder="5 s", signing_secret="new key"
    )
    run = factories.run(macro)
    deliveries.work(run.pk)
    later = datetime.now(UTC) + timedelta(hours=1)
    with time_machine.travel(later):
        deliveries.work(run.pk)
        first, second = (headers_of(request) for request in server.requests)
        body = server.requests[1].partition(b"\r\n\r\n")[2]
        assert Webhook(NEW).verify(body, second)
    apart = int(second["webhook-timestamp"]) - int(first["webhook-timestamp"])
    assert 3590 <= apart <= 3610
    assert first["webhook-id"] == second["webhook-id"]


def test_the_log_shows_the_time_and_no_signature(
    bugs: FeedbackType, serve: Callable[..., Server]
) -> None:
    def echo(peer: Peer) -> None:
        peer.say(http_response(peer.request()))

    server = serve(echo)
    macro = factories.macro(bugs, server.url("/"), signing_secret="new key")
    deliveries.work(factories.run(macro).pk)
    attempt = Attempt.objects.get()
    sent = headers_of(server.requests[0])
    lines = attempt.request_headers.splitlines()
    assert f"Webhook-Timestamp: {sent['webhook-timestamp']}" in lines
    assert "Webhook-Signature: ••••••" in lines
    stored = str(vars(attempt))
    assert sent["webhook-signature"].partition(",")[2] not in stored
    assert NEW not in stored and NEW.removeprefix("whsec_") not in stored


def test_without_a_signing_secret_nothing_is_signed(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    deliveries.work(factories.run(factories.macro(bugs, f"{receiver.url}/ok")).pk)
    assert b"webhook-signature" not in receiver.requests[0].head.lower()


def test_a_signing_secret_that_is_gone_is_named(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    run = factories.run(
        factories.macro(bugs, f"{receiver.url}/ok", signing_secret="new key")
    )
    Secret.objects.filter(key="new_key").delete()
    deliveries.work(run.pk)
    attempt = Attempt.objects.get()
    assert attempt.error_class == "render"
    assert attempt.message == "The secret new_key does not exist any more."
    assert not receiver.requests


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"signing_secret": "new kee"}, "no secret 'new kee'. Did you mean new_key?"),
        ({"signing_secret": "word"}, "is not whsec_ followed by base64"),
        ({"signing_secret": "short"}, "is shorter than 24 bytes"),
        ({"previous_signing_secret": "old key"}, "Give the new secret here"),
        (
            {"signing_secret": "new key", "headers": "Webhook-Signature: v1,x"},
            "by the signing secret too",
        ),
    ],
)
def test_what_could_never_sign_is_refused_on_save(
    bugs: FeedbackType, fields: dict[str, str], message: str
) -> None:
    factories.secret(bugs, "word", "not base64!")
    factories.secret(bugs, "short", "whsec_" + b64encode(b"x" * 23).decode())
    with pytest.raises(ValidationError) as caught:
        factories.macro(bugs, "https://a.example/", **fields)
    assert message in str(caught.value)


def test_a_key_is_read_with_and_without_prefix_and_padding() -> None:
    key = b"\xff" * 32
    text = b64encode(key).decode()
    for shown in (text, "whsec_" + text, "whsec_" + text.rstrip("="), f" {text}\n"):
        assert parse_key(shown) == key


def test_a_key_with_other_letters_among_them_is_none() -> None:
    with pytest.raises(ValueError, match="is not whsec_ followed by base64"):
        parse_key("whsec_eHh4----" + b64encode(b"x" * 32).decode())


def test_a_key_may_be_as_short_as_the_specification_allows() -> None:
    assert parse_key(b64encode(b"x" * 24).decode()) == b"x" * 24
    with pytest.raises(ValueError, match="shorter than 24 bytes"):
        parse_key(b64encode(b"x" * 23).decode())
