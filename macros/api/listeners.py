"""Listeners: what lets another system call."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback.models import SubjectKind
from feedback.rest.asked import AskedSerializer
from feedback.rest.viewsets import WritableViewSet
from feedback.selection.conditions import ChoiceFilter, NumberFilter, TextFilter
from feedback.selection.filtersets import StrictFilterSet
from logs import audit
from logs.models import Action

from ..models import Listener
from .asked import asked_of
from .listener_documents import ListenerDocumentSerializer
from .listener_serializers import (
    CHANGE,
    ListenerDetailSerializer,
    ListenerSerializer,
)

# For how long an address that was replaced may go on, in hours.
MAX_OVERLAP = 30 * 24


class ListenerFilterSet(StrictFilterSet):
    type = NumberFilter(lookup="feedback_type", help_text="Number of a feedback type.")
    project = NumberFilter(lookup="project", help_text="Number of a project.")
    subject_kind = ChoiceFilter(
        lookup="subject_kind",
        meanings={each: each for each in SubjectKind.values},
        help_text="What it works on.",
    )
    name = TextFilter(lookup="name", help_text="The whole name.")
    is_active = ChoiceFilter(
        lookup="is_active",
        meanings={"true": True, "false": False},
        help_text="Whether it is switched on.",
    )


class RenewSerializer(AskedSerializer):
    hours = serializers.IntegerField(
        min_value=0,
        max_value=MAX_OVERLAP,
        default=24,
        help_text="For how long the present address goes on; 0: not at all.",
    )


@extend_schema_view(
    list=extend_schema(summary="List listeners"),
    retrieve=extend_schema(summary="Read a listener with its parts"),
    create=extend_schema(
        summary="Add a listener",
        description="The response holds its `address`, for the system that is to call.",
        responses={201: ListenerDetailSerializer},
    ),
    partial_update=extend_schema(
        summary="Change a listener, or switch it on or off by `is_active`",
        description="Members that are left out stay. `checks` and `actions` are all of"
        " them.",
        responses=ListenerDetailSerializer,
    ),
    destroy=extend_schema(
        summary="Delete a listener with its calls",
        description="202 where they are many: they go in the background then.",
        responses={202: None, 204: None},
    ),
)
class ListenerViewSet(WritableViewSet):
    queryset = Listener.objects.select_related(
        "feedback_type__project__community", "project__community", "community"
    )
    filterset_class = ListenerFilterSet
    prefers_async = ("destroy",)
    action_permissions = {"renew": CHANGE}

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        if self.action == "list":
            return ListenerSerializer
        is_written = self.action in ("create", "partial_update")
        return ListenerDocumentSerializer if is_written else ListenerDetailSerializer

    @extend_schema(
        summary="Give a listener another address",
        request=RenewSerializer,
        responses=ListenerDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def renew(self, request: Request, pk: str) -> Response:
        listener = self.get_object()
        hours = asked_of(RenewSerializer, request)["hours"]
        detail = f"It got a new address. The one before works on for {hours} hours."
        with transaction.atomic():
            Listener.objects.select_for_update(of=("self",)).get(pk=listener.pk)
            listener.renew_key(timezone.now() + timedelta(hours=hours))
            audit.record(Action.CHANGED, listener, actor=request.user, detail=detail)
        return Response(self.shown(listener))
