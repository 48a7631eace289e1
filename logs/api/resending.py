"""Deliveries that are sent again: first a count, then the deed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from feedback.access.keys import Actor
from feedback.rest.asked import AskedSerializer
from feedback.rest.problems import Problem
from feedback.selection.confirmed import SelectionChanged
from macros.runs.resend import ResendRefused, preview_resend, resend
from macros.runs.resend_sample import sample_of

from ..models import DeliveryState, Resend
from ..models.deliveries import DeliveryQuerySet

ALL = "all"
_ENDED = (DeliveryState.FAILED, DeliveryState.SKIPPED, DeliveryState.CANCELLED)


class OneResendSerializer(AskedSerializer):
    """How a delivery is sent again."""

    kind = serializers.ChoiceField(
        choices=Resend.choices,
        help_text="`same`: the bytes that were sent. `anew`: built from the ticket or"
        " tester as it is now.",
    )


class ResendSelectionSerializer(OneResendSerializer):
    """Which deliveries of a run are sent again, and how."""

    only = serializers.ChoiceField(
        choices=[*((each.value, each.label) for each in _ENDED), (ALL, "All")],
        default=DeliveryState.FAILED.value,
        help_text="Those in this state, or `all`, delivered ones too.",
    )


class ResendSerializer(ResendSelectionSerializer):
    confirmed = serializers.CharField(
        required=False,
        max_length=200,
        help_text="The `confirmed` of the count: 409 if anything else would be sent"
        " by now.",
    )


class ReasonSerializer(serializers.Serializer):
    reason = serializers.CharField()
    count = serializers.IntegerField()


@extend_schema_serializer(component_name="ResentRequest")
class SampleSerializer(serializers.Serializer):
    """The first of the requests, secrets masked."""

    method = serializers.CharField()
    url = serializers.CharField()
    headers = serializers.CharField()
    body = serializers.CharField()
    error = serializers.CharField(help_text="Why it can't be built, or empty.")


class ResendCountSerializer(serializers.Serializer):
    """What a resend would do; nothing is sent."""

    count = serializers.IntegerField(help_text="How many would be sent again.")
    delivered = serializers.IntegerField(
        help_text="How many of them were delivered before."
    )
    blockers = ReasonSerializer(many=True, help_text="Why others can't be.")
    first = SampleSerializer(allow_null=True)
    confirmed = serializers.CharField(help_text="To be sent with the resend.")


class ResentSerializer(serializers.Serializer):
    count = serializers.IntegerField(help_text="How many are sent again.")


def chosen_of(rows: DeliveryQuerySet, only: str) -> DeliveryQuerySet:
    return rows if only == ALL else rows.filter(state=only)


def count_of(rows: DeliveryQuerySet, kind: Resend, actor: Actor) -> dict[str, Any]:
    """Raises Problem."""
    try:
        counted = preview_resend(rows, kind, actor)
    except ResendRefused as refusal:
        raise _refused(refusal) from refusal
    sample = sample_of(rows, kind, actor) if counted.count else None
    return {
        "count": counted.count,
        "delivered": counted.delivered,
        "blockers": [
            {"reason": reason, "count": count}
            for reason, count in counted.blockers.items()
        ],
        "first": asdict(sample.request) if sample else None,
        "confirmed": counted.digest,
    }


def resent(
    rows: DeliveryQuerySet, kind: Resend, actor: Actor, confirmed: str | None = None
) -> dict[str, int]:
    """Raises Problem."""
    try:
        return {"count": resend(rows, kind, actor, confirmed=confirmed).count}
    except ResendRefused as refusal:
        raise _refused(refusal) from refusal
    except SelectionChanged as change:
        message = "Nothing was resent: other deliveries than were counted. Count again."
        raise Problem(409, "selection_changed", message) from change


def _refused(refusal: ResendRefused) -> Problem:
    return Problem(409, "resend_refused", str(refusal))
