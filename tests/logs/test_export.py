"""One JSON document of all that is stored of a person."""

from __future__ import annotations

import json
from typing import Any

import pytest

from centerhook.receiver import Receiver
from feedback.models import Comment
from feedback.models import Tester as Person
from logs.models import Attempt, Delivery, delivery_id
from logs.privacy import erase_tester, export_tester
from logs.redaction import MASK
from macros.models import MacroVersion
from tests import factories
from tests.logs import people

pytestmark = pytest.mark.django_db


def document(person: Person) -> Any:
    return json.loads("".join(export_tester(person)))


def test_everything_of_hers_is_in_it_and_nothing_of_others(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    zoe, other = people.a_person(bugs), people.a_neighbour(bugs)
    mention = people.a_mention(bugs, other)
    run = people.a_run(bugs, f"{receiver.url}/status/500", ladder="1 h")
    people.a_history(factories.superuser(), zoe)

    exported = document(zoe)

    assert exported["profile"] == people.PROFILE
    assert exported["external_data"]["crm"]["id"] == "member-4711"
    assert [ticket["reference"] for ticket in exported["tickets"]] == ["BUG-1", "BUG-2"]
    first = exported["tickets"][0]
    ticket = zoe.tickets.earliest("pk")
    for name in ("title", "description", "form_values", "external_data"):
        assert first[name] == getattr(ticket, name)
    assert [each["text"] for each in first["comments"]] == [
        "Asked O&#x27;Brien by phone"
    ]
    sent = first["deliveries"][0]
    row = Delivery.objects.get(feedback=ticket)
    assert (sent["id"], sent["state"]) == (delivery_id(run.key, row.pk), "pending")
    assert sent["sent_to"] == receiver.url and sent["macro"] == run.macro_name
    attempt = Attempt.objects.get(delivery=row)
    assert len(sent["attempts"]) == 1
    for name in ("request_body", "url", "response_body", "status", "total_ms"):
        assert sent["attempts"][0][name] == getattr(attempt, name)
    comment = Comment.objects.get(feedback=mention)
    mine = Attempt.objects.exclude(delivery__feedback__submitter=zoe)
    assert exported["named_in"] == [
        {"kind": "ticket", "id": mention.pk},
        {"kind": "comment", "id": comment.pk, "text": comment.text},
        {"kind": "run", "id": run.pk},
        {"kind": "macro version", "id": MacroVersion.objects.get(macro=run.macro).pk},
        *[
            {"kind": "transcript of a delivery", "id": each.delivery_id}
            for each in mine.order_by("delivery_id")
        ],
    ]
    [event] = exported["audit_log"]
    assert (event["action"], event["actor_name"]) == ("changed", "olivia")
    origin = receiver.url
    assert [(each["origin"], each["requests"]) for each in exported["sent_to"]] == [
        (origin, 2)
    ]
    assert "joan.zoe" not in json.dumps(exported)


def test_secrets_in_it_are_masked(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    zoe = people.a_person(bugs)
    factories.secret(bugs, "token", "hunter2-hunter2")
    people.a_run(bugs, f"{receiver.url}/ok", headers="X-Mine: ((Secret: token))")
    text = json.dumps(document(zoe), ensure_ascii=False)
    assert "hunter2" not in text and f"X-Mine: {MASK}" in text


def test_any_number_of_rows_goes_out_a_few_at_a_time(
    django_assert_max_num_queries: Any,
) -> None:
    bugs = factories.feedback_type()
    zoe = factories.tester(bugs)
    factories.tickets(bugs, 250, submitter=zoe)
    pieces = export_tester(zoe)
    with django_assert_max_num_queries(15):
        read = [next(pieces) for _ in range(40)]
    assert max(map(len, read)) < 2_000
    assert len(json.loads("".join([*read, *pieces]))["tickets"]) == 250


def test_after_the_erasure_it_says_so() -> None:
    zoe = people.a_person(factories.feedback_type())
    erase_tester(zoe, None)
    exported = document(zoe)
    assert people.telling_in(json.dumps(exported).lower()) == []
    assert exported["erased_at"] and exported["profile"]["first_name"] == ""
