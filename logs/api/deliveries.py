from __future__ import annotations

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view

from feedback.rest.viewsets import ReadOnlyViewSet

from ..models import Attempt, Delivery
from .filters import DeliveryFilterSet
from .serializers import DeliveryDetailSerializer, DeliverySerializer


@extend_schema_view(
    list=extend_schema(
        summary="List deliveries",
        description="Newest first: one for each ticket or tester and request of a run.",
    ),
    retrieve=extend_schema(
        summary="Read a delivery",
        description="With every attempt: the request and the response.",
    ),
)
class DeliveryViewSet(ReadOnlyViewSet):
    queryset = Delivery.objects.select_related("run", "destination")
    filterset_class = DeliveryFilterSet

    def get_queryset(self) -> QuerySet[Delivery]:
        rows = super().get_queryset()
        if self.is_list:
            return rows.defer("run__snapshot")
        attempts = Attempt.objects.visible_to(self.request.user)
        return rows.prefetch_related(Prefetch("attempt_log", attempts))

    def get_serializer_class(self) -> type[DeliverySerializer]:
        return DeliverySerializer if self.is_list else DeliveryDetailSerializer
