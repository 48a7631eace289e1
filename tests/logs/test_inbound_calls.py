"""Stored calls of other systems in the export and the erasure of a person."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone

from feedback.models import FeedbackType
from feedback.models import Tester as Person
from logs.privacy import erase_tester, export_tester
from macros.models import InboundCall, InboundEvent, Listener
from tests import factories
from tests.logs import people

pytestmark = pytest.mark.django_db
EMAIL = people.EMAIL

# However a system writes her address or her name into a body.
HERS = {
    "json": json.dumps({"who": f"<{EMAIL}>"}).encode(),
    "escaped": b'{"who": "Zo\\u00eb O\\u0027Brien"}',
    "codes": b'<a b="Zo&#235; O&#39;Brien"/>',
    "form": b"a=1&mail=zoe.o%27brien%2Bbeta%40example.com&b=2",
    "utf-8": "<name>Zoë O'Brien</name>".encode(),
    "latin-1": "<name>Zoë O'Brien</name>".encode("latin-1"),
    "utf-16": "<name>Zoë O'Brien</name>".encode("utf-16"),
    "broken": b"\xff\xfe\0" + EMAIL.encode() + b"\xc3",
    "phone": b'{"tel": "+49 (30) 123 4567"}',
}
OTHERS = [
    b"",
    b"{}",
    b"\xff\xfe\0",
    b'{"who": "Zoe", "city": "Z\xc3\xbcrich"}',
    b"[" * 9,
]


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def zoe(bugs: FeedbackType) -> Person:
    return people.a_person(bugs)


@pytest.fixture
def listener(bugs: FeedbackType) -> Listener:
    return factories.listener(bugs)


def left(call: InboundCall) -> tuple[Any, str, bytes]:
    call.refresh_from_db()
    return call.headers, call.query, bytes(call.body)


@pytest.mark.parametrize("body", HERS.values(), ids=HERS)
def test_a_call_that_names_her_is_emptied_whole(
    zoe: Person, listener: Listener, body: bytes
) -> None:
    call = factories.inbound_call(listener, body, headers={"x-a": "b"}, query="c=d")
    erase_tester(zoe, None)
    assert left(call) == ({}, "", b"")
    assert (call.state, call.content_type) == ("waiting", "application/json")


@pytest.mark.parametrize("where", ["headers", "query"])
def test_her_name_in_a_header_or_the_query_is_found_too(
    zoe: Person, listener: Listener, where: str
) -> None:
    query = "q=zoe.o%27brien%2Bbeta@example.com"
    values: dict[str, Any] = {"headers": {"x-from": EMAIL}, "query": query}
    call = factories.inbound_call(listener, b"{}", **{where: values[where]})
    erase_tester(zoe, None)
    assert left(call) == ({}, "", b"")


@pytest.mark.parametrize("body", OTHERS)
def test_calls_of_others_stay_byte_for_byte(
    zoe: Person, listener: Listener, body: bytes
) -> None:
    elsewhere = factories.listener(factories.feedback_type())
    calls = [
        factories.inbound_call(listener, body, headers={"x": "y"}, query="q"),
        factories.inbound_call(elsewhere, HERS["json"], headers={"x": "y"}, query="q"),
    ]
    erase_tester(zoe, None)
    assert [left(call) for call in calls] == [
        ({"x": "y"}, "q", body),
        ({"x": "y"}, "q", HERS["json"]),
    ]


def about(call: InboundCall, **record: Any) -> InboundEvent:
    return InboundEvent.objects.create(
        call=call,
        listener=call.listener,
        outcome="acted",
        detail=f"Found {EMAIL} by Zoë.",
        changes="Comment: Zoë has called",
        created_at=timezone.now(),
        **record,
    )


def test_calls_about_her_or_her_tickets_are_given_out_and_emptied(
    zoe: Person, listener: Listener
) -> None:
    first, second = (
        factories.inbound_call(listener, body, query="a=b") for body in (b"1", b"\xff")
    )
    events = [about(first, feedback=zoe.tickets.first()), about(second, tester=zoe)]
    mention = factories.inbound_call(listener, HERS["json"])

    exported = json.loads("".join(export_tester(zoe)))
    logged = [{"kind": "inbound call", "headers": {}, "query": "a=b"} for _ in "12"]
    assert exported["logged_about"] == [
        {**logged[0], "id": first.pk, "body": "1"},
        {**logged[1], "id": second.pk, "body": "\ufffd"},
    ]
    assert {"kind": "inbound call", "id": mention.pk} in exported["named_in"]

    erase_tester(zoe, None)
    assert [left(call)[2] for call in (first, second, mention)] == [b"", b"", b""]
    for event in events:
        event.refresh_from_db()
        assert EMAIL not in event.detail and "Zoë" not in event.changes
