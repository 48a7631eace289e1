"""Where requests go: how each destination stands, its limits and its TLS."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback.rest.serializers import StrictSerializer
from feedback.rest.viewsets import Changing, ReadOnlyViewSet
from feedback.selection.conditions import ChoiceFilter, NumberFilter, TextFilter
from feedback.selection.filtersets import StrictFilterSet
from macros.auth.authentication import tls_problems

from .. import audit
from ..models import Action, BreakerState, Destination
from ..recording.waiting import ended_by_hand, explain_trouble, resume

CHANGE = "logs.change_destination"
_TLS = ("ca_certificates", "client_certificate", "client_key_secret")
_LIMITS = ("rate", "concurrency", "is_paused", "allows_inside")


class DestinationSerializer(StrictSerializer):
    """A destination: its health can only be read."""

    trouble = serializers.SerializerMethodField(
        help_text="Why nothing is sent to it for now; empty if it takes requests."
    )

    class Meta:
        model = Destination
        fields = [
            "id",
            "origin",
            "community",
            *_LIMITS,
            *_TLS,
            "breaker",
            "held_until",
            "probe_at",
            "consecutive_failures",
            "last_success_at",
            "last_failure_at",
            "created_at",
            "trouble",
        ]
        read_only_fields = [
            "origin",
            "community",
            "breaker",
            "held_until",
            "probe_at",
            "consecutive_failures",
            "last_success_at",
            "last_failure_at",
            "created_at",
        ]

    def get_trouble(self, destination: Destination) -> str:
        now = timezone.now()
        if not destination.takes_nothing(now):
            return ""
        return explain_trouble(destination, now)

    def validate_allows_inside(self, is_allowed: bool) -> bool:
        before = self.instance.allows_inside if self.instance else False
        if is_allowed != before and not getattr(self.actor, "is_superuser", False):
            raise serializers.ValidationError("Only a superuser can change this.")
        return is_allowed

    def store(self, row: Any) -> None:
        material = {name: getattr(row, name) for name in _TLS}
        problems = dict(tls_problems(row.community_id, **material))
        if problems:
            raise ValidationError(problems)
        if "rate" in self.validated_data:
            row.rate_from = ""
        super().store(row)


class DestinationFilterSet(StrictFilterSet):
    origin = TextFilter(
        lookup="origin", help_text="Scheme, host and port: https://example.com:443"
    )
    community = NumberFilter(lookup="community", help_text="Number of a community.")
    breaker = ChoiceFilter(
        lookup="breaker", meanings={each: each for each in BreakerState.values}
    )
    is_paused = ChoiceFilter(
        lookup="is_paused", meanings={"true": True, "false": False}
    )


@extend_schema_view(
    list=extend_schema(summary="List destinations"),
    retrieve=extend_schema(summary="Read a destination"),
    partial_update=extend_schema(
        summary="Change a destination's limits, pause or TLS",
        description="`allows_inside` is for superusers.",
    ),
)
class DestinationViewSet(Changing, ReadOnlyViewSet):
    """They are made when something is first sent to them, and never by hand."""

    queryset = Destination.objects.all()
    serializer_class = DestinationSerializer
    filterset_class = DestinationFilterSet
    action_permissions = {"resume": CHANGE}

    @extend_schema(
        summary="Wait no longer for a destination",
        description="Closes its circuit breaker and ends a wait that it asked for; what"
        " was put off goes at once.",
        request=None,
    )
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        destination = self.get_object()
        now = timezone.now()
        with transaction.atomic():
            detail = ended_by_hand(destination, now)
            resume(destination, now)
            audit.record(Action.RESUMED, destination, detail=detail)
        return Response(self.shown(destination))
