"""Tickets as programs make and change them: what the schema says of it, and the call.

The members are read by `feedback.sources.ticket_rows`, which says what is wrong with
each.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from ..models import Visibility
from ..rest.asked import AskedSerializer
from ..rest.serializers import Truth
from ..sources.external import MAX_DATA
from ..sources.faults import SubmissionRefused
from ..sources.reading import MAX_DESCRIPTION, MAX_TITLE
from ..sources.ticket_rows import TicketRow, one, several
from ..sources.tickets import MAX_TICKETS, bring
from .batches import as_problem, batch_result, body_of

_ROWS = "tickets"
_NUMBER = {"type": "integer", "minimum": 1}
_CHANGED: dict[str, Any] = {
    "title": {"type": "string", "minLength": 1, "maxLength": MAX_TITLE},
    "description": {"type": "string", "maxLength": MAX_DESCRIPTION},
    "status": {
        "oneOf": [{"type": "string"}, _NUMBER, {"type": "null"}],
        "description": "Its name or number. A new ticket without one gets the first.",
    },
    "visibility": {"type": "string", "enum": [each.value for each in Visibility]},
    "submitter": {
        "oneOf": [{"type": "string", "format": "email"}, _NUMBER, {"type": "null"}],
        "description": "The tester's number or e-mail address; null for nobody.",
    },
    "form_values": {
        "type": "object",
        "additionalProperties": True,
        "description": "Answers by the keys of the form's questions, as the type's"
        " `schema` has them; null takes one away, and those not given stay.",
    },
    "external_data": {
        "type": "object",
        "additionalProperties": True,
        "description": "Values by their names; null takes one away, and names that are"
        f" not given stay. At most {MAX_DATA:,} bytes of JSON for a ticket.",
    },
}
_TYPE = {"type": {**_NUMBER, "description": "The number of the feedback type."}}
_ID = {"id": {**_NUMBER, "description": "Which ticket to change; none makes a new one"}}
_EXAMPLE = {
    "title": "It breaks",
    "status": "New",
    "submitter": "ada@example.com",
    "form_values": {"severity": "Major"},
    "external_data": {"jira_key": "ABC-1"},
}
NEW_TICKET = {
    "application/json": {
        "type": "object",
        "required": ["type", "title"],
        "properties": {**_TYPE, **_CHANGED},
        "additionalProperties": False,
        "example": {"type": 1, **_EXAMPLE},
    }
}
CHANGED_TICKET = {
    "application/json": {
        "type": "object",
        "properties": _CHANGED,
        "additionalProperties": False,
        "example": {"status": "Closed", "external_data": {"jira_key": "ABC-2"}},
    }
}


@extend_schema_field(
    {
        "type": "object",
        "description": "A new ticket with `type` and `title`, or with `id` what is to"
        " change of one that is there. A row at fault is refused.",
        "properties": {**_ID, **_TYPE, **_CHANGED},
        "example": {"type": 1, **_EXAMPLE},
    }
)
class TicketRowField(serializers.Field):
    def to_internal_value(self, data: Any) -> Any:
        return data


class TicketBatchSerializer(AskedSerializer):
    tickets = serializers.ListField(
        child=TicketRowField(allow_null=True), min_length=1, max_length=MAX_TICKETS
    )
    all_or_nothing = Truth(
        default=False,
        help_text="With a row at fault none is written, and the response is 400.",
    )


def bring_one(request: Request, pk: int | None = None) -> int:
    """Make a ticket, or change the one of this number. Raises Problem."""
    row = one(body_of(request), pk)
    _bring(request, [row], all_or_nothing=True)
    return row.pk or 0


def bring_many(request: Request) -> dict[str, Any]:
    """What became of each row. Raises Problem."""
    asked = TicketBatchSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    given = asked.validated_data
    rows = several(given[_ROWS], _ROWS)
    _bring(request, rows, all_or_nothing=given["all_or_nothing"])
    return batch_result(rows)


def _bring(request: Request, rows: list[TicketRow], *, all_or_nothing: bool) -> None:
    try:
        bring(request.user, rows, all_or_nothing=all_or_nothing)
    except SubmissionRefused as refusal:
        raise as_problem(refusal) from refusal
