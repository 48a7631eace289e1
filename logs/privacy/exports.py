"""All that is stored of a person, as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from django.utils import timezone

from feedback.models import Attachment, Comment, Tester
from feedback.models.numbers import ExactEncoder

from ..models import Attempt, AuditEntry, Delivery, delivery_id
from ..models.deliveries import DeliveryQuerySet
from ..models.transcripts import TEXTS
from .footprint import OUT_OF_REACH, copies_of
from .locations import (
    PROFILE,
    Row,
    in_chunks,
    matches_in,
    other_locations,
    other_traces,
    whole_locations,
)

_TICKET = (
    "reference",
    "visibility",
    "title",
    "description",
    "form_values",
    "external_data",
    "created_at",
    "modified_at",
)
# What is known of a file; the file itself is on the page of its ticket.
_FILE = ("name", "content_type", "size", "sha256", "added_by", "created_at")
_DELIVERY = (
    "run",
    "step",
    "state",
    "last_status",
    "last_error",
    "next_attempt_at",
    "finished_at",
    "resent_at",
)
_NAMED_ON_TICKET = {
    "project": "feedback_type__project__name",
    "type": "feedback_type__name",
    "in_status": "status__name",
}
_NAMED_ON_DELIVERY = {
    "key": "run__key",
    "macro": "run__macro_name",
    "sent_to": "destination__origin",
}
_ATTEMPT = tuple(
    field.name
    for field in Attempt._meta.concrete_fields
    if field.name not in ("id", "delivery")
)
_TRANSCRIPT = {name: f"transcript__{name}" for name in TEXTS}


def export_tester(tester: Tester) -> Iterator[str]:
    """The document in pieces, so that no more than a few rows are in memory at once.

    Secrets are masked in it, as they are in the log.
    """
    head = {
        "exported_at": timezone.now(),
        "community": tester.community.name,
        "profile": {name: getattr(tester, name) for name in PROFILE},
        "score": tester.score,
        "external_data": tester.external_data,
        "created_at": tester.created_at,
        "erased_at": tester.erased_at,
        "erasure_under_way": tester.erasure,
        "sent_to": [asdict(copy) for copy in copies_of(tester)],
        "not_in_here": OUT_OF_REACH,
    }
    yield from _object(
        head,
        deliveries=_deliveries(Delivery.objects.filter(tester=tester)),
        tickets=_tickets(tester),
        audit_log=map(_whole, _history(tester)),
        logged_about=map(_whole, _logged_about(tester)),
        named_in=map(_whole, _named_in(tester)),
    )
    yield "\n"


def _tickets(tester: Tester) -> Iterator[Iterator[str]]:
    for row in in_chunks(tester.tickets.all(), _TICKET, **_NAMED_ON_TICKET):
        pk = row.pop("pk")
        comments = in_chunks(
            Comment.objects.filter(feedback=pk),
            ("text", "created_at", "macro_name", "listener_name", "key_name"),
            by="author__username",
        )
        yield _object(
            {"id": pk, **row},
            comments=map(_whole, comments),
            attachments=map(
                _whole, in_chunks(Attachment.objects.filter(feedback=pk), _FILE)
            ),
            deliveries=_deliveries(Delivery.objects.filter(feedback=pk)),
        )


def _deliveries(rows: DeliveryQuerySet) -> Iterator[Iterator[str]]:
    for row in in_chunks(rows, _DELIVERY, **_NAMED_ON_DELIVERY):
        pk = row.pop("pk")
        sent_as = delivery_id(row.pop("key"), pk)
        attempts = in_chunks(
            Attempt.objects.filter(delivery=pk), _ATTEMPT, **_TRANSCRIPT
        )
        yield _object({"id": sent_as, **row}, attempts=map(_whole, attempts))


def _history(tester: Tester) -> Iterator[Row]:
    """What the audit log tells of the profile: that it changed, and never how."""
    entries = AuditEntry.objects.filter(
        object_type=Tester._meta.label_lower, object_id=tester.pk
    )
    return in_chunks(entries, ("moment", "action", "actor_name", "detail"))


def _logged_about(tester: Tester) -> Iterator[Row]:
    """What was logged about the tester or the tickets beside deliveries."""
    for location in whole_locations(tester):
        for row in in_chunks(location.rows, location.fields, location.size):
            yield {"kind": location.kind, "id": row.pop("pk"), **_shown(row)}


def _shown(row: Row) -> Row:
    """Bytes as far as they are text."""
    return {
        name: bytes(value).decode(errors="replace")
        if isinstance(value, bytes | memoryview)
        else value
        for name, value in row.items()
    }


def _named_in(tester: Tester) -> Iterator[Row]:
    """What else in the community holds their e-mail, telephone number or full name.

    Only the comments as they are: the rest is about other people.
    """
    values = {name: getattr(tester, name) for name in PROFILE}
    traces = other_traces(tester, values)
    for location in other_locations(tester):
        for row in matches_in(location, traces):
            text = {"text": row["text"]} if location.model is Comment else {}
            # One without a number of its own is found by its delivery.
            pk, *_ = row["pk"] if isinstance(row["pk"], tuple) else [row["pk"]]
            yield {"kind": location.kind, "id": pk, **text}


def _object(head: Row, **lists: Iterable[Iterator[str]]) -> Iterator[str]:
    """A JSON object with lists at its end of which the length is not known."""
    yield _dumps(head).removesuffix("}")
    for name, items in lists.items():
        yield f", {_dumps(name)}: ["
        for number, item in enumerate(items):
            yield ",\n" if number else "\n"
            yield from item
        yield "]"
    yield "}"


def _whole(row: Row) -> Iterator[str]:
    yield _dumps(row)


def _dumps(value: object) -> str:
    return json.dumps(value, cls=ExactEncoder, ensure_ascii=False)
