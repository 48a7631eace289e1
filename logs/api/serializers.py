from __future__ import annotations

from typing import Any, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ..models import Attempt, Cut, Delivery, ErrorClass, Resend, delivery_id
from ..recording.explanations import explain
from ..retention import Limits, gone_attempts, gone_texts


class AttemptSerializer(serializers.ModelSerializer):
    """One try, as the log has it: secrets were masked before it was written."""

    explanation = serializers.SerializerMethodField(
        help_text="What happened, and what to do about it."
    )
    gone = serializers.SerializerMethodField(
        help_text="Why the request and the response are no longer kept, as a sentence;"
        " empty where they are."
    )
    response_cut = serializers.ChoiceField(
        choices=Cut.choices, read_only=True, allow_blank=True
    )
    error_class = serializers.ChoiceField(
        choices=ErrorClass.choices, read_only=True, allow_blank=True
    )

    class Meta:
        model = Attempt
        fields = [
            "number",
            "started_at",
            "connect_ms",
            "first_byte_ms",
            "total_ms",
            "method",
            "url",
            "request_headers",
            "request_body",
            "status",
            "response_headers",
            "response_body",
            "response_cut",
            "error_class",
            "outcome_unknown",
            "explanation",
            "gone",
        ]
        read_only_fields = fields

    def get_explanation(self, attempt: Attempt) -> str:
        return explain(attempt)

    def get_gone(self, attempt: Attempt) -> str:
        if not attempt.is_emptied:
            return ""
        community = attempt.delivery.run.community_id
        # One for all rows of a response.
        context = cast(dict[str, Any], self.context)
        known: dict[int, Limits] = context.setdefault("limits", {})
        if community not in known:
            known[community] = Limits.at(timezone.now(), community)
        return gone_texts(attempt, community, known[community])


class AttemptRowSerializer(serializers.ModelSerializer):
    """One try, without what was sent and what came back."""

    delivery = serializers.IntegerField(source="delivery_id", read_only=True)
    error_class = serializers.ChoiceField(
        choices=ErrorClass.choices, read_only=True, allow_blank=True
    )

    class Meta:
        model = Attempt
        fields = [
            "id",
            "delivery",
            "number",
            "started_at",
            "total_ms",
            "method",
            "url",
            "status",
            "error_class",
            "outcome_unknown",
        ]
        read_only_fields = fields


class AttemptDetailSerializer(AttemptSerializer, AttemptRowSerializer):
    class Meta(AttemptSerializer.Meta):
        fields = ["id", "delivery", *AttemptSerializer.Meta.fields]
        read_only_fields = fields


class DeliverySerializer(serializers.ModelSerializer):
    run = serializers.IntegerField(source="run_id", read_only=True)
    feedback = serializers.IntegerField(
        source="feedback_id",
        read_only=True,
        allow_null=True,
        help_text="Number of the ticket, also after it was deleted; null where it is"
        " about a tester.",
    )
    tester = serializers.IntegerField(
        source="tester_id",
        read_only=True,
        allow_null=True,
        help_text="Number of the tester, where it is not about a ticket.",
    )
    reference = serializers.CharField(
        source="subject_label",
        read_only=True,
        help_text="The ticket's reference, or the tester's e-mail.",
    )
    webhook_id = serializers.SerializerMethodField(
        help_text="What every try carries in its header `Webhook-Id`."
    )
    step = serializers.SerializerMethodField(help_text="Counted from 1.")
    last_error = serializers.ChoiceField(
        choices=ErrorClass.choices, read_only=True, allow_blank=True
    )
    resend = serializers.ChoiceField(
        choices=Resend.choices, read_only=True, allow_blank=True
    )
    destination = serializers.CharField(
        source="destination.origin",
        read_only=True,
        allow_null=True,
        help_text="Scheme, host and port it was last sent to.",
    )

    class Meta:
        model = Delivery
        fields = [
            "id",
            "run",
            "webhook_id",
            "feedback",
            "tester",
            "reference",
            "step",
            "state",
            "attempts",
            "last_status",
            "last_error",
            "destination",
            "next_attempt_at",
            "finished_at",
            "resend",
            "resent_at",
            "resent_by",
        ]
        read_only_fields = fields

    def get_webhook_id(self, delivery: Delivery) -> str:
        return delivery_id(delivery.run.key, delivery.pk)

    @extend_schema_field({"type": "integer", "minimum": 1})
    def get_step(self, delivery: Delivery) -> int:
        return delivery.step + 1


class DeliveryDetailSerializer(DeliverySerializer):
    attempt_log = AttemptSerializer(many=True, read_only=True)
    gone = serializers.SerializerMethodField(
        help_text="Which attempts are kept no longer, as a sentence; empty where all"
        " are there."
    )

    class Meta(DeliverySerializer.Meta):
        fields = [*DeliverySerializer.Meta.fields, "attempt_log", "gone"]
        read_only_fields = fields

    def get_gone(self, delivery: Delivery) -> str:
        numbers = [attempt.number for attempt in delivery.attempt_log.all()]
        return gone_attempts(delivery, min(numbers, default=None))
