"""Calls with many rows, of which each is written or refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from rest_framework import serializers
from rest_framework.request import Request

from ..rest.problems import Problem, in_body, invalid
from ..sources.faults import Faults, SubmissionRefused
from ..sources.outcomes import RowOutcome
from ..sources.ticket_rows import TicketRow


class Row(Protocol):
    index: int
    faults: Faults
    outcome: RowOutcome

    @property
    def pk(self) -> int | None: ...


class FaultSerializer(serializers.Serializer):
    pointer = serializers.CharField(help_text="A place in the body.")
    detail = serializers.CharField()


class RowResultSerializer(serializers.Serializer):
    index = serializers.IntegerField(help_text="Which of the rows; the first is 0.")
    outcome = serializers.ChoiceField(choices=[each.value for each in RowOutcome])
    id = serializers.IntegerField(
        allow_null=True, help_text="The number of the ticket or tester."
    )
    reference = serializers.CharField(
        required=False, help_text="The ticket's; empty where the row was refused."
    )
    errors = FaultSerializer(many=True)  # type: ignore[assignment]


class BatchResultSerializer(serializers.Serializer):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = RowResultSerializer(many=True, help_text="One for each row, in order.")


def batch_result(rows: Sequence[Row]) -> dict[str, Any]:
    counts = Counter(row.outcome for row in rows)
    return {
        **{outcome.value: counts[outcome] for outcome in RowOutcome},
        "results": [_result(row) for row in rows],
    }


def _result(row: Row) -> dict[str, Any]:
    result = {"index": row.index, "outcome": row.outcome.value, "id": row.pk}
    if isinstance(row, TicketRow):
        result["reference"] = row.reference
    faults = [in_body(each.path, each.sentence) for each in row.faults]
    return {**result, "errors": faults}


def body_of(request: Request) -> Mapping[str, object]:
    """Our parsers give an object of JSON, and refuse all else."""
    return cast(Mapping[str, object], request.data)


def as_problem(refusal: SubmissionRefused) -> Problem:
    return invalid(in_body(each.path, each.sentence) for each in refusal.faults)
