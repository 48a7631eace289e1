"""What came in: calls as they were stored, what became of their events, replay."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from feedback.access.roles import RUN_MACRO
from feedback.rest.asked import AskedSerializer
from feedback.rest.permissions import lacks
from feedback.rest.preferences import accepted
from feedback.rest.problems import in_body, invalid
from feedback.rest.serializers import RowNumber
from feedback.rest.viewsets import ReadOnlyViewSet
from feedback.selection.conditions import ChoiceFilter, NumberFilter
from feedback.selection.filtersets import StrictFilterSet
from logs.models import Run

from ..listeners.replay import MAX_REPLAYED, replay
from ..models import CallState, InboundCall, InboundEvent, InboundOutcome
from .asked import asked_of

# Characters of a body in a response.
MAX_BODY = 50_000
_REPLAY = (
    "Each is stored again and worked on once more, in its listener's present form."
)


class CallSerializer(serializers.ModelSerializer):
    """A call from outside; its events are at `/events/`."""

    listener = serializers.IntegerField(source="listener_id", read_only=True)
    replay_of = serializers.IntegerField(
        source="replay_of_id", read_only=True, allow_null=True
    )

    class Meta:
        model = InboundCall
        fields = [
            *("id", "listener", "received_at", "address", "method", "content_type"),
            *("checked_by", "replay_of", "replayed_by", "state"),
        ]
        read_only_fields = fields


class CallDetailSerializer(CallSerializer):
    """A call with what it said; credentials are taken out."""

    headers = serializers.SerializerMethodField(help_text="By their names.")
    body = serializers.SerializerMethodField(
        help_text=f"As text, the first {MAX_BODY:,} characters."
    )
    body_size = serializers.SerializerMethodField(help_text="In bytes.")

    class Meta(CallSerializer.Meta):
        fields = [*CallSerializer.Meta.fields, "headers", "query", "body", "body_size"]
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_headers(self, call: InboundCall) -> Any:
        return call.headers or {}

    def get_body(self, call: InboundCall) -> str:
        raw = bytes(call.body[: 4 * MAX_BODY])
        return raw.decode("utf-8", "replace")[:MAX_BODY]

    def get_body_size(self, call: InboundCall) -> int:
        return len(call.body)


class EventSerializer(serializers.ModelSerializer):
    """One event of a call, and what became of it."""

    call = serializers.IntegerField(source="call_id", read_only=True)
    listener = serializers.IntegerField(source="listener_id", read_only=True)
    feedback = serializers.IntegerField(
        source="feedback_id", read_only=True, allow_null=True
    )
    tester = serializers.IntegerField(
        source="tester_id", read_only=True, allow_null=True
    )
    repeat_of = serializers.IntegerField(
        source="repeat_of_id", read_only=True, allow_null=True
    )
    changes = serializers.SerializerMethodField(help_text="What it changed, in words.")
    runs = serializers.SerializerMethodField(help_text="Numbers of runs it started.")

    class Meta:
        model = InboundEvent
        fields = [
            *("id", "call", "listener", "position", "name", "outcome", "detail"),
            *("changes", "runs", "feedback", "tester", "repeat_of", "happened_at"),
            "created_at",
        ]
        read_only_fields = fields

    def get_changes(self, event: InboundEvent) -> list[str]:
        return event.changes.splitlines()

    def get_runs(self, event: InboundEvent) -> list[int]:
        return [run.pk for run in event.runs.all()]


class CallFilterSet(StrictFilterSet):
    listener = NumberFilter(lookup="listener", help_text="Number of a listener.")
    state = ChoiceFilter(
        lookup="state",
        meanings={each: each for each in CallState.values},
        help_text="Whether it was worked on.",
    )
    replay_of = NumberFilter(lookup="replay_of", help_text="Number of a call.")


class EventFilterSet(StrictFilterSet):
    listener = NumberFilter(lookup="listener", help_text="Number of a listener.")
    call = NumberFilter(lookup="call", help_text="Number of a call.")
    outcome = ChoiceFilter(
        lookup="outcome",
        meanings={each: each for each in InboundOutcome.values},
        help_text="What became of it.",
    )
    feedback = NumberFilter(lookup="feedback", help_text="Number of a ticket.")
    tester = NumberFilter(lookup="tester", help_text="Number of a tester.")


class ReplaySerializer(AskedSerializer):
    ids = serializers.ListField(
        child=RowNumber(), min_length=1, max_length=MAX_REPLAYED
    )


class ReplayedSerializer(serializers.Serializer):
    replayed = serializers.IntegerField(help_text="How many calls.")


@extend_schema_view(
    list=extend_schema(summary="List calls from outside"),
    retrieve=extend_schema(summary="Read a call"),
)
class CallViewSet(ReadOnlyViewSet):
    queryset = InboundCall.objects.all()
    filterset_class = CallFilterSet
    action_permissions = {"replay": RUN_MACRO, "replay_many": RUN_MACRO}
    prefers_async = ("replay",)

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return CallSerializer if self.action == "list" else CallDetailSerializer

    def get_queryset(self) -> QuerySet:
        rows = super().get_queryset()
        return rows.defer("headers", "query", "body") if self.is_list else rows

    @extend_schema(
        summary="Replay a call",
        description=_REPLAY,
        request=None,
        responses=ReplayedSerializer,
    )
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        call = self.get_object()
        calls = InboundCall.objects.filter(pk=call.pk)
        done = {"replayed": replay(calls, actor=request.user)}
        rows = reverse("api:call-list", request=request)
        first = call.replay_of_id or call.pk
        return accepted(request, Response(done), f"{rows}?replay_of={first}")

    @extend_schema(
        operation_id="calls_replay_many",
        summary="Replay several calls",
        description=f"{_REPLAY} All of them or none.",
        request=ReplaySerializer,
        responses=ReplayedSerializer,
    )
    @action(detail=False, methods=["post"], url_path="replay")
    def replay_many(self, request: Request) -> Response:
        ids = asked_of(ReplaySerializer, request)["ids"]
        calls = InboundCall.objects.filter(pk__in=set(ids))
        seen = calls.visible_to(request.user).values_list("pk", flat=True)
        allowed = calls.visible_to(request.user, RUN_MACRO).values_list("pk", flat=True)
        known, usable = set(seen), set(allowed)
        missing = [n for n, pk in enumerate(ids) if pk not in known | usable]
        if missing:
            raise invalid(
                in_body(["ids", n], f"There is no inbound call {ids[n]}.")
                for n in missing
            )
        if usable != set(ids):
            raise lacks(request.user, RUN_MACRO)
        return Response({"replayed": replay(calls, actor=request.user)})


@extend_schema_view(
    list=extend_schema(summary="List events of calls from outside"),
    retrieve=extend_schema(summary="Read an event"),
)
class EventViewSet(ReadOnlyViewSet):
    queryset = InboundEvent.objects.prefetch_related(
        Prefetch("runs", Run.objects.only("pk", "event"))
    )
    serializer_class = EventSerializer
    filterset_class = EventFilterSet
