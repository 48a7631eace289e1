"""Tickets: found, read, made, changed and deleted, one or many in a call."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.http import QueryDict
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from ..access.roles import ADD_TICKET
from ..models import Feedback, FeedbackType
from ..rest.parsing import ExactJSONParser
from ..rest.viewsets import WritableViewSet
from ..selection.tickets import FeedbackFilterSet
from ..sources.tickets import MAX_TICKETS
from .attachments import TicketAttachments
from .batches import BatchResultSerializer
from .serializers import FeedbackSerializer
from .ticket_writing import (
    CHANGED_TICKET,
    NEW_TICKET,
    TicketBatchSerializer,
    bring_many,
    bring_one,
)


@extend_schema_view(
    list=extend_schema(
        summary="Find tickets",
        description="Newest first. All conditions given must hold. Beside those listed:"
        " `field_<key>=` for an answer to a question of the form, such as"
        " `field_severity=Critical`, and `external_<name>=` for external data, and"
        " `has_external_<name>=` for whether there is any. A parameter that is not"
        " known, or is empty, is refused.",
    ),
    retrieve=extend_schema(summary="Read a ticket"),
    destroy=extend_schema(summary="Delete a ticket with its comments and files"),
)
class FeedbackViewSet(TicketAttachments, WritableViewSet):
    queryset = Feedback.objects.select_related(
        "feedback_type__project", "status", "submitter"
    ).defer(
        "external_provenance",
        "submitter__external_data",
        "submitter__external_provenance",
    )
    serializer_class = FeedbackSerializer
    filterset_class = FeedbackFilterSet
    parser_classes = [ExactJSONParser]
    ordering_columns = {"created_at": "created_at", "modified_at": "modified_at"}
    action_permissions = {
        **TicketAttachments.action_permissions,
        "batch": ADD_TICKET,
    }

    def filterset(
        self, data: QueryDict, rows: QuerySet, beside: Iterable[str]
    ) -> FeedbackFilterSet:
        # Names of what the caller can't see are not hinted at.
        types = FeedbackType.objects.visible_to(
            self.request.user, self.view_permission()
        )
        return FeedbackFilterSet(data, rows, types=types, beside=beside)

    @extend_schema(
        summary="Make a ticket",
        description="The form's required questions must be answered. Triggers run as"
        " for a ticket from anywhere else.",
        request=NEW_TICKET,
        responses={201: FeedbackSerializer},
    )
    def create(self, request: Request) -> Response:
        row = self.queryset.get(pk=bring_one(request))
        url = reverse("api:feedback-detail", args=[row.pk], request=request)
        return Response(self.shown(row), 201, headers={"Location": url})

    @extend_schema(summary="Change a ticket", request=CHANGED_TICKET)
    def partial_update(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        bring_one(request, row.pk)
        return Response(self.shown(row))

    @extend_schema(
        summary="Make and change tickets, many at once",
        description=f"Up to {MAX_TICKETS:,} rows: one with an `id` changes that ticket,"
        " and one without makes a ticket. A row at fault is refused and named, and the"
        " others are written. All are one change, so a trigger starts one run for"
        " them.",
        request=TicketBatchSerializer,
        responses={200: BatchResultSerializer},
    )
    @action(detail=False, methods=["post"])
    def batch(self, request: Request) -> Response:
        return Response(bring_many(request))
