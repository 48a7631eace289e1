from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from drf_spectacular.utils import (
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from feedback.access.roles import RUN_MACRO
from feedback.models import Feedback
from feedback.rest.idempotency import fingerprint, key_of
from feedback.rest.problems import Problem
from logs.models import Cause, Run
from logs.rest import RunDetailSerializer

from .. import queue
from ..models import Macro
from ..models.usage import users_of
from ..runs import KeyReused, RunRefused, start_run
from .filters import MacroFilterSet
from .macro_actions import NEEDED, MacroActions
from .macro_serializers import MacroDetailSerializer, MacroDocumentSerializer
from .selection import Selection, selected
from .serializers import MacroSerializer, RunRequestSerializer

_WRITTEN = ("create", "partial_update", "validate", "validate_new")


@extend_schema_view(
    list=extend_schema(summary="List macros"),
    retrieve=extend_schema(summary="Read a macro with its steps"),
    create=extend_schema(
        summary="Add a macro with its steps", responses={201: MacroDetailSerializer}
    ),
    partial_update=extend_schema(
        summary="Change a macro",
        description="Members that are left out stay. `steps` are all of its steps.",
        responses=MacroDetailSerializer,
    ),
    destroy=extend_schema(
        summary="Delete a macro",
        description="Answers 409 while a trigger, schedule or listener runs it.",
    ),
)
class MacroViewSet(MacroActions):
    queryset = Macro.objects.select_related(
        "feedback_type__project__community", "project__community", "community"
    ).annotate(
        step_count=Count("steps", filter=Q(steps__is_active=True), distinct=True)
    )
    filterset_class = MacroFilterSet
    action_permissions = {"runs": RUN_MACRO, **NEEDED}

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        if self.action == "list":
            return MacroSerializer
        is_written = self.action in _WRITTEN
        return MacroDocumentSerializer if is_written else MacroDetailSerializer

    def why_kept(self, row: Macro) -> str:
        users = [label for _, label in users_of(row)]
        if users:
            return f"It is used, and would be missed: {', '.join(users)}."
        return super().why_kept(row)

    @extend_schema(
        summary="Perform the action",
        description="Starts a run on tickets of the macro's type, or for a user macro"
        " on testers, that are given by `ids` or by `filter`. If one of the ids can't"
        " be run on, nothing is started.",
        request=RunRequestSerializer,
        responses={
            201: OpenApiResponse(
                RunDetailSerializer, "The run; its address is in `Location`."
            )
        },
    )
    @action(detail=True, methods=["post"])
    def runs(self, request: Request, pk: str) -> Response:
        macro = self.get_object()
        key = key_of(request, macro.pk)
        asked = RunRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            run = self._start(macro, asked.validated_data, key)
        except KeyReused as refusal:
            raise Problem(422, "idempotency_key_reused", str(refusal)) from refusal
        except RunRefused as refusal:
            raise Problem(409, "run_refused", str(refusal)) from refusal
        context = {"has_worker": queue.has_worker}
        address = reverse("api:run-detail", args=[run.pk], request=request)
        body = RunDetailSerializer(run, context=context).data
        return Response(body, status.HTTP_201_CREATED, headers={"Location": address})

    def _start(self, macro: Macro, asked: dict[str, Any], key: str) -> Run:
        """The run of this request, or of the earlier one that this one repeats.

        A repeat does not look at the subjects, which may have changed or gone since.
        """
        same = fingerprint(asked) if key else ""
        user = self.request.user
        known = key and Run.objects.filter(key=key).exists()
        nothing: Selection = Feedback.objects.none(), ""
        subjects, words = nothing if known else selected(asked, macro, user)
        return start_run(
            macro,
            subjects,
            cause=Cause.API,
            actor=user,
            key=key,
            fingerprint=same,
            selection=words,
        )
