"""Basic, bearer and OAuth 2 client credentials, with secrets chosen by name."""

from __future__ import annotations

import json
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core.exceptions import ValidationError

from centerhook.receiver import Receiver
from feedback.models import Feedback, FeedbackType
from logs.models import Attempt, Delivery, Destination, Run, Transcript
from macros import deliveries
from macros.auth import credentials, oauth
from macros.steps.previews import preview
from tests import factories
from tests.http.hostile import OK, Behaviour, Peer, Server, always, http_response

pytestmark = pytest.mark.django_db

VALUE = "hunter2:hunter2 +"


@pytest.fixture(autouse=True)
def no_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_tokens", oauth.Tokens())


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.ticket(made)
    factories.secret(made, "password", VALUE)
    return made


def deliver(run: Run) -> Attempt:
    deliveries.work(run.pk)
    return Attempt.objects.latest("pk")


def authorization(request: bytes) -> str:
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    [header] = [line for line in lines if line.lower().startswith("authorization:")]
    return header.partition(": ")[2]


@pytest.mark.parametrize(
    ("fields", "sent", "shown"),
    [
        (
            {"auth_kind": "basic", "auth_user": "bob"},
            "Basic " + b64encode(f"bob:{VALUE}".encode()).decode(),
            "Authorization: Basic ••••••",
        ),
        ({"auth_kind": "bearer"}, f"Bearer {VALUE}", "Authorization: Bearer ••••••"),
    ],
)
def test_basic_and_bearer_are_sent_and_masked(
    bugs: FeedbackType,
    serve: Callable[..., Server],
    fields: dict[str, str],
    sent: str,
    shown: str,
) -> None:
    def echo(peer: Peer) -> None:
        peer.say(http_response(peer.request()))

    server = serve(echo)
    macro = factories.macro(bugs, server.url("/"), auth_secret="Password", **fields)
    assert shown in preview(macro, Feedback.objects.all()).requests[0].headers

    attempt = deliver(factories.run(macro))

    assert authorization(server.requests[0]) == sent
    assert shown in attempt.request_headers.splitlines()
    stored = str(vars(attempt))
    assert "hunter2" not in stored and sent.split(" ", 1)[1] not in stored


class TokenURL:
    """Gives token-1, token-2, ... or what `replies` says instead."""

    def __init__(self, serve: Callable[..., Server]) -> None:
        self.replies: list[bytes] = []
        self.expires_in: object = 3600
        self.given = 0
        self.server = serve(self._behave)

    @property
    def url(self) -> str:
        return self.server.url("/token")

    @property
    def forms(self) -> list[dict[str, str]]:
        bodies = (each.partition(b"\r\n\r\n")[2] for each in self.server.requests)
        return [dict(parse_qsl(body.decode())) for body in bodies]

    def _behave(self, peer: Peer) -> None:
        while peer.request():
            if self.replies:
                peer.say(self.replies.pop(0))
                continue
            self.given += 1
            body = {"access_token": f"token-{self.given}", "token_type": "Bearer"}
            body |= {"expires_in": self.expires_in} if self.expires_in else {}  # type: ignore[dict-item]
            peer.say(http_response(json.dumps(body).encode()))


@pytest.fixture
def tokens(serve: Callable[..., Server]) -> Iterator[TokenURL]:
    yield TokenURL(serve)


def accepts(*good: str) -> Behaviour:
    """Responds with 401 to every token but these; echoes what it got."""

    def behave(peer: Peer) -> None:
        while request := peer.request():
            token = authorization(request).removeprefix("Bearer ")
            status = "200 OK" if token in good else "401 Unauthorized"
            peer.say(http_response(request, status=status))

    return behave


def oauth_macro(bugs: FeedbackType, url: str, tokens: TokenURL, **fields: Any) -> Any:
    return factories.macro(
        bugs,
        url,
        auth_kind="oauth",
        auth_user="client:1",
        auth_secret="password",
        token_url=tokens.url,
        token_parameters="scope=api.write\naudience=https://api.example/",
        **fields,
    )


def test_a_token_is_got_once_and_never_logged(
    bugs: FeedbackType, serve: Callable[..., Server], tokens: TokenURL
) -> None:
    factories.tickets(bugs, 30)
    server = serve(accepts("token-1"))
    macro = oauth_macro(bugs, server.url("/"), tokens)

    deliveries.work(factories.run(macro).pk)
    deliveries.work(factories.run(macro).pk)

    assert len(server.requests) == 62 and len(tokens.server.requests) == 1
    assert tokens.forms == [
        {
            "grant_type": "client_credentials",
            "scope": "api.write",
            "audience": "https://api.example/",
        }
    ]
    # RFC 6749 2.3.1: id and secret are form-encoded before they are joined.
    pair = b64encode(b"client%3A1:hunter2%3Ahunter2+%2B").decode()
    assert authorization(tokens.server.requests[0]) == f"Basic {pair}"
    stored = str([*Attempt.objects.values(), *Transcript.objects.values()])
    assert "token-1" not in stored and "hunter2" not in stored
    assert "Authorization: Bearer ••••••" in stored


def test_the_client_secret_can_stand_in_the_body(
    bugs: FeedbackType, serve: Callable[..., Server], tokens: TokenURL
) -> None:
    server = serve(accepts("token-1"))
    macro = oauth_macro(bugs, server.url("/"), tokens, token_in_body=True)
    assert deliver(factories.run(macro)).status == 200
    [form] = tokens.forms
    assert (form["client_id"], form["client_secret"]) == ("client:1", VALUE)
    assert b"\r\nauthorization" not in tokens.server.requests[0].lower()


def test_a_refused_token_is_renewed_once(
    bugs: FeedbackType, serve: Callable[..., Server], tokens: TokenURL
) -> None:
    server = serve(accepts("token-2"))
    macro = oauth_macro(bugs, server.url("/"), tokens)
    attempt = deliver(factories.run(macro))
    assert (attempt.status, tokens.given, len(server.requests)) == (200, 2, 2)
    assert Attempt.objects.count() == 1


def test_a_destination_that_refuses_every_token_is_not_asked_for_ever(
    bugs: FeedbackType, serve: Callable[..., Server], tokens: TokenURL
) -> None:
    factories.tickets(bugs, 9)
    server = serve(accepts())
    run = factories.run(oauth_macro(bugs, server.url("/"), tokens))
    deliveries.work(run.pk)
    assert set(Attempt.objects.values_list("status", "error_class")) == {(401, "http")}
    assert tokens.given == 2 and 11 <= len(server.requests) <= 20


def test_a_token_is_renewed_shortly_before_its_end(
    bugs: FeedbackType,
    serve: Callable[..., Server],
    tokens: TokenURL,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = serve(always(OK))
    macro = oauth_macro(bugs, server.url("/"), tokens)
    clock = {"now": 1000.0}
    monkeypatch.setattr(
        oauth, "time", type("T", (), {"monotonic": lambda: clock["now"]})
    )
    for now, given in ((1000, 1), (1000 + 3569, 1), (1000 + 3571, 2)):
        clock["now"] = float(now)
        deliver(factories.run(macro))
        assert tokens.given == given


@pytest.mark.parametrize(
    ("reply", "error", "sentence", "retried"),
    [
        (
            http_response(b'{"error": "invalid_client"}', status="401 Unauthorized"),
            "http",
            "it responded with 401 (invalid_client).",
            False,
        ),
        (
            http_response(b"<html>", status="400 No"),
            "http",
            "it responded with 400.",
            False,
        ),
        (
            http_response(b'{"error": "hunter2:hunter2 +"}', status="400 No"),
            "http",
            "it responded with 400.",
            False,
        ),
        (
            http_response(b"", status="503 Busy"),
            "connect",
            "it responded with 503.",
            True,
        ),
        (http_response(b"[]"), "http", "its response holds no access token.", False),
        (
            http_response(b'{"access_token": 1}'),
            "http",
            "cannot be sent in a header.",
            False,
        ),
        (
            http_response(b'{"access_token": "a\\r\\nb"}'),
            "http",
            "cannot be sent in a header.",
            False,
        ),
        (
            http_response(b'{"access_token": "abc", "token_type": "mac"}'),
            "http",
            "is not a bearer token.",
            False,
        ),
        (b"nonsense\r\n\r\n", "connect", "The response was not valid HTTP.", True),
    ],
)
def test_without_a_token_nothing_is_sent_and_the_reason_is_clear(
    bugs: FeedbackType,
    receiver: Receiver,
    tokens: TokenURL,
    reply: bytes,
    error: str,
    sentence: str,
    retried: bool,
) -> None:
    tokens.replies = [reply]
    macro = oauth_macro(bugs, f"{receiver.url}/ok", tokens, ladder="30 s")
    attempt = deliver(factories.run(macro))
    assert attempt.error_class == error
    assert attempt.message.startswith("No access token from 127.0.0.1: ")
    assert sentence in attempt.message and not attempt.outcome_unknown
    assert Delivery.objects.get().state == ("pending" if retried else "failed")
    assert not receiver.requests and "hunter2" not in str(vars(attempt))


def test_the_address_policy_holds_for_the_token_url(
    bugs: FeedbackType, receiver: Receiver, tokens: TokenURL, settings: Any
) -> None:
    settings.ALLOWED_NETWORKS = []
    settings.ALLOWED_DESTINATION_HOSTS = [receiver.url.removeprefix("http://")]
    macro = oauth_macro(bugs, f"{receiver.url}/ok", tokens)
    attempt = deliver(factories.run(macro))
    assert attempt.error_class == "blocked"
    assert "not allowed by policy (loopback)" in attempt.message
    assert not tokens.server.requests and not receiver.requests


def test_those_who_wait_share_one_failure(
    bugs: FeedbackType, receiver: Receiver, tokens: TokenURL
) -> None:
    factories.tickets(bugs, 20)
    tokens.replies = [http_response(b"", status="500 Oh")] * 20
    deliveries.work(factories.run(oauth_macro(bugs, f"{receiver.url}/ok", tokens)).pk)
    assert Attempt.objects.filter(error_class="connect").count() == 21
    assert len(tokens.server.requests) == 1
    # No fault of the destination's: its breaker stays closed.
    assert not Destination.objects.exists()


def test_many_threads_get_one_token(
    bugs: FeedbackType, serve: Callable[..., Server], tokens: TokenURL
) -> None:
    from macros.http import AddressPolicy, Client, Limits

    grant = oauth.Grant(tokens.url, "me", "secret")
    limits = Limits(connect=2, read=2, deadline=2, max_bytes=10_000)
    client = Client(AddressPolicy(["127.0.0.0/8"]), limits=limits, connections=8)
    store, got = oauth.Tokens(), []
    ends_at = time.monotonic() + 2
    threads = [
        threading.Thread(target=lambda: got.append(store.get(grant, client, ends_at)))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()
    assert got == ["token-1"] * 16
    assert "secret" not in repr(grant)


@pytest.mark.usefixtures("short_limits")
def test_a_token_and_two_tries_take_no_longer_than_one_request(
    bugs: FeedbackType, serve: Callable[..., Server], tokens: TokenURL
) -> None:
    """Else they might outlast a worker that is stopped."""
    seconds = 0.3

    def slowly_refuses(peer: Peer) -> None:
        while peer.request():
            time.sleep(seconds)
            peer.say(http_response(b"", status="401 Unauthorized"))

    url = serve(slowly_refuses).url("/")
    attempt = deliver(factories.run(oauth_macro(bugs, url, tokens)))
    assert attempt.error_class == "timeout" and attempt.outcome_unknown
    assert "No response within 0.4 s (whole request)." in attempt.message
    assert tokens.given == 2, "it was sent with another token"


def test_nobody_waits_for_a_token_beyond_the_end(tokens: TokenURL) -> None:
    grant = oauth.Grant(tokens.url, "me", "secret")
    store = oauth.Tokens()
    ends_at = time.monotonic() + 0.1
    with store._entry(grant, ends_at), pytest.raises(oauth.TokenError) as caught:
        store.refused(grant, "token-1", ends_at)
    assert caught.value.kind == "timeout"
    assert "another request still asks for it." in caught.value.message


def test_a_bound_client_secret_and_its_token_go_to_the_hosts_only(
    bugs: FeedbackType, receiver: Receiver, tokens: TokenURL
) -> None:
    login = f"127.0.0.1:{tokens.server.port}"
    there = urlsplit(receiver.url).netloc
    factories.secret(bugs, "other", VALUE, hosts="login.example")
    factories.secret(bugs, "login only", VALUE, hosts=login)
    factories.secret(bugs, "call only", VALUE, hosts=there)
    factories.secret(bugs, "both", VALUE, hosts=f"{login} {there}")
    for name, error in (
        ("other", "blocked"),
        ("login only", "blocked"),
        ("call only", "blocked"),
        ("both", ""),
    ):
        macro = oauth_macro(bugs, f"{receiver.url}/ok", tokens)
        macro.steps.get().webrequest.__class__.objects.filter(macro=macro).update(
            auth_secret=name
        )
        assert deliver(factories.run(macro)).error_class == error
    assert len(receiver.requests) == len(tokens.server.requests) == 1


def test_a_bound_password_goes_to_its_hosts_only(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    factories.secret(bugs, "bound", VALUE, hosts="other.example")
    macro = factories.macro(
        bugs, f"{receiver.url}/ok", auth_kind="bearer", auth_secret="bound"
    )
    attempt = deliver(factories.run(macro))
    assert attempt.error_class == "blocked" and "bound" in attempt.message
    assert not receiver.requests


@pytest.mark.parametrize(
    ("fields", "where", "message"),
    [
        ({"auth_kind": "bearer"}, "auth_secret", "Bearer token needs this."),
        (
            {"auth_kind": "bearer", "auth_secret": "pasword"},
            "auth_secret",
            "There is no secret 'pasword'. Did you mean password?",
        ),
        (
            {"auth_kind": "basic", "auth_user": "a:b", "auth_secret": "password"},
            "auth_user",
            "can't hold a colon",
        ),
        (
            {
                "auth_kind": "bearer",
                "auth_secret": "password",
                "headers": "authorization: x",
            },
            "headers",
            "Authorization is given here and as authentication too.",
        ),
        (
            {"auth_kind": "oauth", "auth_user": "me", "auth_secret": "password"},
            "token_url",
            "OAuth 2 client credentials needs this.",
        ),
        (
            {
                "auth_kind": "oauth",
                "auth_user": "me",
                "auth_secret": "password",
                "token_url": "ftp://a.example/",
            },
            "token_url",
            "only http and https",
        ),
        (
            {
                "auth_kind": "oauth",
                "auth_user": "me",
                "auth_secret": "password",
                "token_url": "https://a.example/",
                "token_parameters": "scope",
            },
            "token_parameters",
            "Write 'scope' as name=value.",
        ),
    ],
)
def test_what_could_never_authenticate_is_refused_at_its_field(
    bugs: FeedbackType, fields: dict[str, str], where: str, message: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        factories.macro(bugs, "https://a.example/", **fields)
    assert message in " ".join(caught.value.message_dict[where])
