"""What carries credentials is masked, and nothing else."""

from __future__ import annotations

import pytest

from logs.redaction import (
    MASK,
    credentials_in,
    header_lines,
    is_credential,
    mask_header,
    mask_typed,
    mask_url,
    redact,
)

CREDENTIALS = [
    "Authorization",
    "AUTHORIZATION",
    "Proxy-Authorization",
    "X-Authorization",
    "X-Auth-Token",
    "X-Auth",
    "OAuth-Token",
    "Api-Token",
    "X-Api-Key",
    "X-API-KEY",
    "ApiKey",
    "apikey",
    "api_key",
    "key",
    "X-Functions-Key",
    "Ocp-Apim-Subscription-Key",
    "AWS_ACCESS_KEY",
    "X-Acme-Key",
    "Private-Token",
    "access_token",
    "client_secret",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "Cookie",
    "Set-Cookie",
    "X-Session-Id",
    "X-Signature",
    "X-Hub-Signature-256",
    "webhook-signature",
    "sig",
    "X-Jwt",
    "X-Credential",
]
OTHERS = [
    "Content-Type",
    "Accept",
    "Idempotency-Key",
    "idempotency_key",
    "X-Key-Takeaways",
    "Keywords",
    "X-Monkey",
    "Surrogate-Key",
    "issue_key",
    "public_key",
    "sort-key",
    "Author",
    "X-Author-Id",
    "authors",
    "co_authored_by",
    "Design",
    "signal",
    "Passenger",
    "Webhook-Id",
    "X-Request-Id",
    "Host",
    "Date",
    "Location",
    "ETag",
]


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_credential_is_known_by_its_name(name: str) -> None:
    assert is_credential(name)
    assert mask_header(name, "s3cret-value") == MASK
    assert mask_url(f"https://a.example/?x=1&{name}=s3cret&y=2#top") == (
        f"https://a.example/?x=1&{name}={MASK}&y=2#top"
    )


@pytest.mark.parametrize("name", OTHERS)
def test_what_carries_no_credential_stays_readable(name: str) -> None:
    assert not is_credential(name)
    assert mask_header(name, "plain value") == "plain value"
    url = f"https://a.example/?{name}=plain"
    assert mask_url(url) == url


@pytest.mark.parametrize("scheme", ["Basic", "Bearer", "bearer", "Digest", "Token"])
def test_the_scheme_stays_since_the_401_sentence_speaks_of_it(scheme: str) -> None:
    assert mask_header("Authorization", f"{scheme} abc123") == f"{scheme} {MASK}"


def test_an_empty_value_shows_as_empty() -> None:
    assert mask_header("Authorization", "") == ""
    assert mask_url("https://a.example/?token=&x=1") == "https://a.example/?token=&x=1"


def test_headers_are_shown_as_lines_in_their_order() -> None:
    headers = [
        ("Content-Type", "application/json"),
        ("Authorization", "Bearer abc123"),
        ("Set-Cookie", "session=abc123; Path=/"),
        ("Idempotency-Key", "order-7"),
    ]
    assert header_lines(headers) == (
        "Content-Type: application/json\n"
        f"Authorization: Bearer {MASK}\n"
        f"Set-Cookie: {MASK}\n"
        "Idempotency-Key: order-7"
    )


def test_a_url_keeps_all_but_the_values_of_its_credentials() -> None:
    assert mask_url("https://a.example/token/path") == "https://a.example/token/path"
    assert mask_url("https://a.example/p?token=a%26b&q=x%20y&token=second") == (
        f"https://a.example/p?token={MASK}&q=x%20y&token={MASK}"
    )
    assert mask_url("https://a.example/p?token=a=b?c") == (
        f"https://a.example/p?token={MASK}"
    )


def test_the_credentials_of_a_request_are_found_without_their_scheme() -> None:
    headers = [
        ("Authorization", "Bearer header-secret"),
        ("X-Api-Key", "key-secret"),
        ("X-Note", "no secret here"),
    ]
    url = "https://a.example/?token=url-secret&page=no-secret"
    assert credentials_in(headers, url) == ["header-secret", "key-secret", "url-secret"]


def test_values_as_short_as_words_are_left_alone() -> None:
    headers = [("X-Api-Key", "12345"), ("X-Auth", "123456"), ("Cookie", "")]
    assert credentials_in(headers, "https://a.example/?key=abc") == ["123456"]


@pytest.mark.parametrize(
    ("url", "echo"),
    [
        ("?token=ab%2Fcd%2Bef", "GET /?token=ab%2Fcd%2Bef"),
        ("?token=ab%2fcd%2bef", "GET /?token=ab%2fcd%2bef"),
        ("?token=ab%2Fcd%2Bef", '{"token": "ab/cd+ef"}'),
        ("?token=ab%2Fcd%2Bef", '{"token": "ab\\/cd+ef"}'),
        ("?token=quo%22ted-value", '{"token": "quo\\"ted-value"}'),
    ],
)
def test_an_echo_is_masked_however_the_receiver_writes_it(url: str, echo: str) -> None:
    masked = redact(echo, credentials_in([], f"https://a.example/{url}"))
    assert MASK in masked
    assert "cd" not in masked and "ted-value" not in masked


def test_a_secret_that_begins_with_another_leaves_no_tail() -> None:
    headers = [("X-Api-Key", "secret"), ("X-Api-Token", "secret-and-more")]
    credentials = credentials_in(headers, "https://a.example/")
    assert redact("got secret-and-more, secret", credentials) == f"got {MASK}, {MASK}"


def test_redacting_replaces_every_occurrence_and_nothing_else() -> None:
    text = "abc123 and abc123 but not abc12"
    assert redact(text, ["abc123"]) == f"{MASK} and {MASK} but not abc12"
    assert redact(text, []) == text


@pytest.mark.parametrize(
    ("text", "output", "shown"),
    [
        (
            'payload={"token": "abc-123", "text": "((Title))"}',
            "form",
            f'payload={{"token": "{MASK}", "text": "((Title))"}}',
        ),
        (
            'X-A: {"password": "abc-123"}',
            "header",
            f'X-A: {{"password": "{MASK}"}}',
        ),
        (
            r'{"p": "{\"token\": \"abc-123\", \"t\": \"((Title))\"}", "q": "[a]"}',
            "json",
            rf'{{"p": "{{\"token\": \"{MASK}\", \"t\": \"((Title))\"}}", "q": "[a]"}}',
        ),
        (
            r'{"p": "[{\"q\": \"{\\\"secret\\\": \\\"abc-123\\\"}\"}]"}',
            "json",
            rf'{{"p": "[{{\"q\": \"{{\\\"secret\\\": \\\"{MASK}\\\"}}\"}}]"}}',
        ),
        (r'{"p": "{\"text\": \"a\\nb\", \"x\": \((\"}"}', "json", None),
    ],
)
def test_a_typed_credential_is_masked_however_deep_it_stands(
    text: str, output: str, shown: str | None
) -> None:
    masked, written = mask_typed(text, output)
    assert masked == (shown or text)
    assert written == (frozenset() if shown is None else {"abc-123"})
