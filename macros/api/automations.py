"""What starts runs without a person: triggers and schedules."""

from __future__ import annotations

import uuid
from itertools import islice

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback.access.roles import RUN_MACRO
from feedback.rest.idempotency import key_of
from feedback.rest.viewsets import WritableViewSet
from feedback.selection.conditions import ChoiceFilter, NumberFilter, TextFilter
from feedback.selection.filtersets import StrictFilterSet
from logs.rest import RunDetailSerializer

from ..models import DecisionOutcome, Event, Rate, Schedule, Trigger
from ..schedules.calendar import moments, problems_of
from ..schedules.starting import run_now
from ..schedules.words import remark, sentence
from ..triggers import try_on
from ..triggers.listing import result_of
from .asked import asked_of
from .automation_serializers import ScheduleSerializer, TriggerSerializer
from .macro_actions import run_response
from .trials import SubjectSerializer, refused, subject_in

SHOWN = 5
_STARTS = (DecisionOutcome.STARTED, DecisionOutcome.UNCONFIRMED)


class AutomationFilterSet(StrictFilterSet):
    macro = NumberFilter(lookup="macro", help_text="Number of a macro.")
    type = NumberFilter(
        lookup="macro__feedback_type", help_text="Number of a feedback type."
    )
    project = NumberFilter(lookup="project", help_text="Number of a project.")
    name = TextFilter(lookup="name", help_text="The whole name.")
    is_active = ChoiceFilter(
        lookup="is_active",
        meanings={"true": True, "false": False},
        help_text="Whether it is switched on.",
    )


class TriggerFilterSet(AutomationFilterSet):
    event = ChoiceFilter(
        lookup="event",
        meanings={each: each for each in Event.values},
        help_text="What it waits for.",
    )


class ScheduleFilterSet(AutomationFilterSet):
    rate = ChoiceFilter(
        lookup="rate",
        meanings={each: each for each in Rate.values},
        help_text="How often it runs.",
    )


class TrialSerializer(serializers.Serializer):
    """What a trigger decides on one ticket or tester; nothing is started."""

    starts = serializers.BooleanField(help_text="Whether it would start a run.")
    outcome = serializers.ChoiceField(choices=DecisionOutcome.choices)
    detail = serializers.CharField(help_text="Why, in words.")


class MomentsSerializer(serializers.Serializer):
    """When a schedule runs."""

    words = serializers.CharField()
    remark = serializers.CharField(help_text="What to know about it, or empty.")
    time_zone = serializers.CharField()
    moments = serializers.ListField(
        child=serializers.DateTimeField(), help_text=f"The next {SHOWN}."
    )


@extend_schema_view(
    list=extend_schema(summary="List triggers"),
    retrieve=extend_schema(summary="Read a trigger"),
    create=extend_schema(summary="Add a trigger"),
    partial_update=extend_schema(
        summary="Change a trigger, or switch it on or off by `is_active`"
    ),
    destroy=extend_schema(summary="Delete a trigger"),
)
class TriggerViewSet(WritableViewSet):
    queryset = Trigger.objects.all()
    serializer_class = TriggerSerializer
    filterset_class = TriggerFilterSet

    @extend_schema(
        summary="See what a trigger would do with one ticket or tester",
        description="As if its event happened to it now. Nothing is started.",
        request=SubjectSerializer,
        responses=TrialSerializer,
    )
    @action(detail=True, methods=["post"], url_path="try", url_name="try")
    def try_out(self, request: Request, pk: str) -> Response:
        trigger = self.get_object()
        number = asked_of(SubjectSerializer, request)["subject"]
        subject = subject_in(number, trigger.macro, request.user)
        decision = try_on(trigger, subject.pk)
        if decision is None:
            raise refused("The macro does not run on it.")
        starts = decision.outcome in _STARTS
        body = {
            "starts": starts,
            "outcome": decision.outcome,
            "detail": result_of(decision),
        }
        return Response(TrialSerializer(body).data)


@extend_schema_view(
    list=extend_schema(summary="List schedules"),
    retrieve=extend_schema(summary="Read a schedule"),
    create=extend_schema(summary="Add a schedule"),
    partial_update=extend_schema(
        summary="Change a schedule, or switch it on or off by `is_active`"
    ),
    destroy=extend_schema(summary="Delete a schedule"),
)
class ScheduleViewSet(WritableViewSet):
    queryset = Schedule.objects.all()
    serializer_class = ScheduleSerializer
    filterset_class = ScheduleFilterSet
    action_permissions = {"runs": RUN_MACRO}
    prefers_async = ("runs",)

    @extend_schema(summary="See when a schedule runs next", responses=MomentsSerializer)
    @action(detail=True, methods=["get"])
    def moments(self, request: Request, pk: str) -> Response:
        schedule: Schedule = self.get_object()
        timetable = schedule.timetable
        is_sound = not problems_of(timetable)
        after = moments(timetable, timezone.now()) if is_sound else iter(())
        body = {
            "words": sentence(timetable),
            "remark": remark(timetable) if is_sound else "",
            "time_zone": schedule.time_zone,
            "moments": list(islice(after, SHOWN)),
        }
        return Response(MomentsSerializer(body).data)

    @extend_schema(
        summary="Run a schedule now",
        description="On what it would run on at its next moment, which stays.",
        request=None,
        responses={201: RunDetailSerializer},
    )
    @action(detail=True, methods=["post"])
    def runs(self, request: Request, pk: str) -> Response:
        schedule = self.get_object()
        key = key_of(request, "schedule", schedule.pk) or uuid.uuid4().hex
        occurrence = run_now(schedule, request.user, key)
        if occurrence.run is None:
            raise refused(occurrence.detail)
        return run_response(occurrence.run, request)
