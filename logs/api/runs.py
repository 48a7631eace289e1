from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from feedback.access.roles import RUN_MACRO
from feedback.rest.preferences import accepted
from feedback.rest.problems import Problem
from feedback.rest.viewsets import ReadOnlyViewSet
from macros import queue
from macros.runs.control import cancel_run, confirm_run, pause_run, resume_run

from ..models import Delivery, Resend, Run, RunState
from ..models.deliveries import DeliveryQuerySet
from ..rest import RunDetailSerializer, RunSerializer
from .filters import RunFilterSet
from .resending import (
    ResendCountSerializer,
    ResendSelectionSerializer,
    ResendSerializer,
    ResentSerializer,
    chosen_of,
    count_of,
    resent,
)

# What can be done with a run, and the states in which that has been done already.
ORDERS: dict[str, tuple[Callable[[Run], bool], frozenset[str]]] = {
    "cancel": (cancel_run, frozenset({RunState.CANCELLING, RunState.CANCELLED})),
    "confirm": (confirm_run, frozenset({RunState.ACTIVE})),
    "pause": (pause_run, frozenset({RunState.PAUSED})),
    "resume": (resume_run, frozenset({RunState.ACTIVE})),
}


@extend_schema_view(
    list=extend_schema(summary="List runs", description="Newest first."),
    retrieve=extend_schema(
        summary="Read a run",
        description="Its state, counts and progress. Ask again until `is_settled`.",
    ),
)
class RunViewSet(ReadOnlyViewSet):
    queryset = Run.objects.defer("snapshot")
    filterset_class = RunFilterSet
    ordering_columns = {"created_at": "created_at", "finished_at": "finished_at"}
    action_permissions = dict.fromkeys([*ORDERS, "resend", "resend_count"], RUN_MACRO)
    prefers_async = ("resend",)

    def get_serializer_class(self) -> type[RunSerializer]:
        return RunSerializer if self.is_list else RunDetailSerializer

    def get_serializer_context(self) -> dict[str, object]:
        return {**super().get_serializer_context(), "has_worker": queue.has_worker}

    @extend_schema(
        summary="Cancel a run",
        description="Nothing more of it is sent; what is on the wire is still noted.",
        request=None,
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        return self._order("cancel")

    @extend_schema(
        summary="Confirm a run",
        description="Lets a run go that needs confirmation. To drop it, cancel it.",
        request=None,
    )
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        return self._order("confirm")

    @extend_schema(summary="Pause a run", request=None)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        return self._order("pause")

    @extend_schema(summary="Resume a paused run", request=None)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        return self._order("resume")

    def _order(self, order: str) -> Response:
        run = self.get_object()
        act, done_in = ORDERS[order]
        changed = act(run)
        run.refresh_from_db()
        if not changed and run.state not in done_in:
            state = run.get_state_display().lower()
            detail = f"Nothing was changed: the run is {state}."
            raise Problem(409, "run_state", detail)
        return Response(self.shown(run))

    @extend_schema(
        summary="Count what a resend would send",
        description="And why others can't be sent again, with the first request as it"
        " would go out. Nothing is sent.",
        request=ResendSelectionSerializer,
        responses={200: ResendCountSerializer},
    )
    @action(detail=True, methods=["post"], url_path="resend/count")
    def resend_count(self, request: Request, pk: str) -> Response:
        rows, asked = self._asked(ResendSelectionSerializer)
        counted = count_of(rows, Resend(asked["kind"]), request.user)
        return Response(ResendCountSerializer(counted).data)

    @extend_schema(
        summary="Send deliveries of a run again",
        description="Each under its own delivery id. What is being sent is left alone;"
        " a retry that waits goes at once.",
        request=ResendSerializer,
        responses={200: ResentSerializer},
    )
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, pk: str) -> Response:
        rows, asked = self._asked(ResendSerializer)
        kind, confirmed = Resend(asked["kind"]), asked.get("confirmed")
        done = resent(rows, kind, request.user, confirmed)
        url = reverse("api:run-detail", args=[pk], request=request)
        return accepted(request, Response(done), url)

    def _asked(
        self, serializer: type[ResendSelectionSerializer]
    ) -> tuple[DeliveryQuerySet, dict[str, Any]]:
        run = self.get_object()
        asked = serializer(data=self.request.data)
        asked.is_valid(raise_exception=True)
        given: dict[str, Any] = asked.validated_data
        return chosen_of(Delivery.objects.filter(run=run), given["only"]), given
