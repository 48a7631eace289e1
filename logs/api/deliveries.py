from __future__ import annotations

from typing import cast

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from feedback.access.roles import RUN_MACRO
from feedback.rest.preferences import accepted
from feedback.rest.problems import Problem
from feedback.rest.viewsets import ReadOnlyViewSet

from ..models import Attempt, Delivery, Resend
from ..models.attempts import AttemptQuerySet
from .filters import AttemptFilterSet, DeliveryFilterSet
from .resending import OneResendSerializer, count_of, resent
from .serializers import (
    AttemptDetailSerializer,
    AttemptRowSerializer,
    DeliveryDetailSerializer,
    DeliverySerializer,
)


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
    action_permissions = {"resend": RUN_MACRO}
    prefers_async = ("resend",)

    def get_queryset(self) -> QuerySet[Delivery]:
        rows = super().get_queryset()
        if self.is_list:
            return rows.defer("run__snapshot")
        attempts = Attempt.objects.visible_to(self.request.user)
        return rows.prefetch_related(Prefetch("attempt_log", attempts.with_texts()))

    def get_serializer_class(self) -> type[DeliverySerializer]:
        return DeliverySerializer if self.is_list else DeliveryDetailSerializer

    @extend_schema(
        summary="Send a delivery again",
        description="Under its own delivery id. One that waits for a retry does not"
        " wait any longer. Answers 409, with the reason, where it can't be sent again.",
        request=OneResendSerializer,
        responses={200: DeliveryDetailSerializer},
    )
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, pk: str) -> Response:
        delivery = self.get_object()
        asked = OneResendSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        kind = Resend(asked.validated_data["kind"])
        only = Delivery.objects.filter(pk=delivery.pk)
        counted = count_of(only, kind, request.user)
        if not resent(only, kind, request.user)["count"]:
            reasons = [each["reason"] for each in counted["blockers"]]
            reason = next(iter(reasons), "another resend was faster")
            raise Problem(409, "not_resent", f"It was not sent again: {reason}.")
        url = reverse("api:delivery-detail", args=[pk], request=request)
        return accepted(request, Response(self.shown(delivery)), url)


@extend_schema_view(
    list=extend_schema(
        summary="List attempts",
        description="Newest first: every try of deliveries, without what was sent.",
    ),
    retrieve=extend_schema(
        summary="Read an attempt",
        description="The request and the response, secrets masked.",
    ),
)
class AttemptViewSet(ReadOnlyViewSet):
    queryset = Attempt.objects.all()
    filterset_class = AttemptFilterSet

    def get_queryset(self) -> QuerySet[Attempt]:
        rows = cast(AttemptQuerySet, super().get_queryset())
        return rows.with_texts("url") if self.is_list else rows.with_texts()

    def get_serializer_class(self) -> type[AttemptRowSerializer]:
        return AttemptRowSerializer if self.is_list else AttemptDetailSerializer
