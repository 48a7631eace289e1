"""Feedback types: read with their form, made and changed with all their parts."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ..models import FeedbackType
from ..rest.viewsets import WritableViewSet
from ..selection.conditions import NumberFilter, TextFilter
from ..selection.filtersets import StrictFilterSet
from ..sources.describing import ticket_schema
from .owners import why_missed
from .type_serializers import WholeTypeSerializer


class TypeFilterSet(StrictFilterSet):
    project = NumberFilter(lookup="project", help_text="Number of a project.")
    name = TextFilter(lookup="name__iexact", help_text="The whole name.")
    prefix = TextFilter(lookup="prefix", help_text="Of its tickets, such as BUG.")


@extend_schema_view(
    list=extend_schema(summary="List feedback types"),
    retrieve=extend_schema(summary="Read a feedback type"),
    create=extend_schema(summary="Make a feedback type with its statuses and form"),
    partial_update=extend_schema(
        summary="Change a feedback type",
        description="`statuses` and `questions` are whole lists: what is not in them is"
        " removed. Each is known by its `id`, or by its name or key. Answers 409 for"
        " what tickets or macros need.",
    ),
    destroy=extend_schema(
        summary="Delete a feedback type",
        description="With all its tickets. Needs `If-Match`. 202 where they are many:"
        " they go in the background then. Answers 409 while a filter speaks of it.",
        responses={202: None, 204: None},
    ),
)
class FeedbackTypeViewSet(WritableViewSet):
    queryset = FeedbackType.objects.prefetch_related("statuses", "form_fields")
    serializer_class = WholeTypeSerializer
    filterset_class = TypeFilterSet
    prefers_async = ("destroy",)
    must_match = True
    refuses = {"destroy": [428]}

    def why_kept(self, row: FeedbackType) -> str:
        return why_missed(row) or super().why_kept(row)

    @extend_schema(
        summary="Read a type's form as JSON Schema",
        description="What `POST /feedback/` takes for this type.",
        responses={200: OpenApiTypes.OBJECT},
    )
    @action(detail=True, methods=["get"], url_path="schema", url_name="schema")
    def form_schema(self, request: Request, pk: str) -> Response:
        of: Any = self.get_object()
        return Response(ticket_schema(of))
