"""What a sender gets: status, type and text as it wants them, and its challenge."""

from __future__ import annotations

from typing import Any

import pytest

from feedback.models import FeedbackType
from macros.models import Listener
from tests import factories
from tests.door import signing
from tests.door.calling import call, signed, stored

pytestmark = pytest.mark.django_db
ACK = "<ack>((Payload: $.id))</ack>"


def listener(bugs: FeedbackType, **values: Any) -> Listener:
    factories.secret(bugs, "signing", signing.SECRET)
    return factories.listener(bugs, secret="signing", **values)


@pytest.mark.parametrize(
    ("values", "body", "expected"),
    [
        ({}, b"{}", (200, "application/json", '{"received": true}')),
        (
            {"response_status": 202, "response_type": "", "response_body": ""},
            b"{}",
            (202, "text/plain; charset=utf-8", ""),
        ),
        ({"response_status": 204}, b"{}", (204, "application/json", "")),
        # What is stored is never refused, whatever the listener says.
        (
            {"response_status": 500},
            b"{}",
            (200, "application/json", '{"received": true}'),
        ),
        (
            {"response_type": "text/xml", "response_body": ACK},
            b'{"id": "a<b"}',
            (200, "text/xml", "<ack>a&lt;b</ack>"),
        ),
        (
            {"response_body": '{"id": ((Payload: $.id)), "x": "((Payload: $.no))"}'},
            b'{"id": 7}',
            (200, "application/json", '{"id": 7, "x": ""}'),
        ),
        ({"response_body": ACK}, b"{}", (200, "application/json", ACK)),
        (
            {"response_type": "text/plain", "response_body": ACK},
            b"not JSON",
            (200, "text/plain", "<ack></ack>"),
        ),
        (
            {
                "response_type": "text/plain",
                "response_body": "((Payload: $.id|required))",
            },
            b"{}",
            (200, "text/plain", ""),
        ),
        (
            {"response_type": "text/plain", "response_body": "a ((Title)) b"},
            b"{}",
            (200, "text/plain", "a ((Title)) b"),
        ),
        (
            {"response_type": "text/plain", "response_body": "((Secret: signing))"},
            b"{}",
            (200, "text/plain", "((Secret: signing))"),
        ),
        (
            {"response_type": "text/x\r\nX-Evil: 1", "response_body": "x"},
            b"{}",
            (200, "text/plain; charset=utf-8", "x"),
        ),
        (
            {"response_type": "text/漢字", "response_body": "ü"},
            b"{}",
            (200, "text/plain; charset=utf-8", "ü"),
        ),
    ],
)
def test_the_response_is_the_listeners(
    bugs: FeedbackType,
    values: dict[str, Any],
    body: bytes,
    expected: tuple[int, str, str],
) -> None:
    made = listener(bugs, **values)
    response = signed(made, body)
    status, content_type, text = expected
    assert (response.status_code, response.content.decode()) == (status, text)
    assert response.headers["Content-Type"] == content_type
    assert len(stored(made)) == 1


def test_a_challenge_is_sent_back_and_nothing_else_is_done(bugs: FeedbackType) -> None:
    made = listener(bugs, challenge_at="$.challenge")
    response = signed(made, b'{"type": "url_verification", "challenge": "<b>3eZ"}')
    assert response.content == b"<b>3eZ"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert stored(made) == []
    assert call(made, b'{"challenge": "x"}').status_code == 401
    for body in (b'{"challenge": ""}', b'{"challenge": null}', b"{", b"{}"):
        assert signed(made, body).content == b'{"received": true}'
    assert len(stored(made)) == 4


def test_a_challenge_may_come_in_the_query_by_post_or_get(bugs: FeedbackType) -> None:
    made = listener(bugs, challenge_at="query: validationToken")
    for method in ("POST", "GET"):
        response = signed(made, b"", method=method, query="validationToken=a%20b%26c")
        assert (response.status_code, response.content) == (200, b"a b&c")
    response = signed(made, b"", method="GET", query="other=1")
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert stored(made) == []


def test_a_challenge_where_there_is_none_to_look_for_is_no_fault(
    bugs: FeedbackType,
) -> None:
    made = listener(bugs, challenge_at="nowhere at all")
    assert signed(made).status_code == 200
