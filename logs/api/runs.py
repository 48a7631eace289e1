from __future__ import annotations

from collections.abc import Callable

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback.access.roles import RUN_MACRO
from feedback.rest.problems import Problem
from feedback.rest.viewsets import ReadOnlyViewSet
from macros import queue
from macros.runs.control import cancel_run, confirm_run, pause_run, resume_run

from ..models import Run, RunState
from ..rest import RunDetailSerializer, RunSerializer
from .filters import RunFilterSet

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
    action_permissions = dict.fromkeys(ORDERS, RUN_MACRO)

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
        return Response(self.get_serializer(run).data)
