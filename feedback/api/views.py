from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.http import QueryDict
from drf_spectacular.utils import extend_schema, extend_schema_view

from ..models import Feedback, FeedbackType
from ..rest.viewsets import ReadOnlyViewSet
from ..selection.tickets import FeedbackFilterSet
from .attachments import TicketAttachments
from .serializers import FeedbackSerializer


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
)
class FeedbackViewSet(TicketAttachments, ReadOnlyViewSet):
    queryset = Feedback.objects.select_related(
        "feedback_type__project", "status", "submitter"
    )
    serializer_class = FeedbackSerializer
    filterset_class = FeedbackFilterSet

    def filterset(
        self, data: QueryDict, rows: QuerySet, beside: Iterable[str]
    ) -> FeedbackFilterSet:
        # Names of what the caller can't see are not hinted at.
        types = FeedbackType.objects.visible_to(
            self.request.user, self.view_permission()
        )
        return FeedbackFilterSet(data, rows, types=types, beside=beside)
