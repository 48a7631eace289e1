"""External sources: made, changed, switched and deleted. `sources` takes the calls."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from logs import audit
from logs.models import Action

from ..models import ExternalSource, FeedbackType, Status, Tester
from ..models.sources import new_source_key
from ..rest.serializers import StrictSerializer, VisibleRow
from ..rest.viewsets import WritableViewSet
from ..selection.conditions import ChoiceFilter, NumberFilter, TextFilter
from ..selection.filtersets import StrictFilterSet

_ADD, _CHANGE = "feedback.add_externalsource", "feedback.change_externalsource"
NEW_KEY = "It has a new key. The URL before has stopped."


class SourceSerializer(StrictSerializer):
    """An external source: a URL to which other programs send tickets of one type."""

    type = VisibleRow(
        source="feedback_type",
        queryset=FeedbackType.objects.filter(
            deleting_since=None,
            project__deleting_since=None,
            project__community__deleting_since=None,
        ),
        permissions=(_ADD,),
        help_text="The number of the feedback type.",
    )
    default_status = VisibleRow(
        queryset=Status.objects.all(),
        permissions=("", _CHANGE),
        required=False,
        allow_null=True,
        help_text="One of the type's; null if every call is to name the status.",
    )
    default_submitter = VisibleRow(
        queryset=Tester.objects.filter(erased_at=None),
        permissions=("", _CHANGE),
        required=False,
        allow_null=True,
        help_text="A tester's number; null if every call is to name the submitter.",
    )
    url = serializers.SerializerMethodField(
        help_text="Where programs send to. They need an API key as well."
    )

    fixed = {"type": "A source stays with its type: make another one."}

    class Meta:
        model = ExternalSource
        fields = [
            "id",
            "type",
            "name",
            "description",
            "is_active",
            "default_status",
            "default_submitter",
            "makes_testers",
            "url",
            "created_at",
            "modified_at",
        ]
        read_only_fields = ["created_at", "modified_at"]
        validators: list[object] = []

    def get_url(self, source: ExternalSource) -> str:
        return f"{settings.BASE_URL}{reverse('source', args=[source.key])}"


class SourceFilterSet(StrictFilterSet):
    type = NumberFilter(lookup="feedback_type", help_text="Number of a feedback type.")
    project = NumberFilter(
        lookup="feedback_type__project", help_text="Number of a project."
    )
    name = TextFilter(lookup="name__iexact", help_text="The whole name.")
    is_active = ChoiceFilter(
        lookup="is_active",
        meanings={"true": True, "false": False},
        help_text="Whether it is on.",
    )


@extend_schema_view(
    list=extend_schema(summary="List external sources"),
    retrieve=extend_schema(summary="Read an external source"),
    create=extend_schema(summary="Make an external source"),
    partial_update=extend_schema(
        summary="Change an external source, or switch it on or off"
    ),
    destroy=extend_schema(summary="Delete an external source"),
)
class SourceViewSet(WritableViewSet):
    queryset = ExternalSource.objects.all()
    serializer_class = SourceSerializer
    filterset_class = SourceFilterSet
    action_permissions = {"new_url": _CHANGE}

    @extend_schema(
        summary="Give an external source another URL",
        description="The one before stops at once.",
        request=None,
        responses={200: SourceSerializer},
    )
    @action(detail=True, methods=["post"], url_path="new-url")
    def new_url(self, request: Request, pk: str) -> Response:
        row: Any = self.get_object()
        with transaction.atomic():
            ExternalSource.objects.filter(pk=row.pk).update(key=new_source_key())
            audit.record(Action.CHANGED, row, detail=NEW_KEY)
        return Response(self.shown(row))
