"""Runs of a macro: what one would do, and starting it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback.models import Feedback
from feedback.rest.idempotency import fingerprint, key_of
from feedback.rest.problems import Problem
from feedback.rest.viewsets import ScopedViewSet
from logs.models import Cause, Run
from logs.rest import RunDetailSerializer

from ..models import Macro
from ..runs import KeyReused, RunRefused, start_run
from .dry_runs import DryRunSerializer, dry_run
from .macro_actions import run_response
from .selection import Selection, selected
from .serializers import RunStartSerializer


class MacroRuns(ScopedViewSet):
    """What `runs` and `dry_run` are of, a macro's viewset is."""

    prefers_async = ("runs", "test")

    @extend_schema(
        summary="Perform the action",
        description="Starts a run on tickets of the macro's type, or for a user macro"
        " on testers, that are given by `ids` or by `filter`. If one of the ids can't"
        " be run on, nothing is started. Workers send afterwards: with `Prefer:"
        " respond-async` the response says so by 202.",
        request=RunStartSerializer,
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
        asked = RunStartSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            run = self._start(macro, asked.validated_data, key)
        except KeyReused as refusal:
            raise Problem(422, "idempotency_key_reused", str(refusal)) from refusal
        except RunRefused as refusal:
            raise Problem(409, "run_refused", str(refusal)) from refusal
        return run_response(run, request)

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

    @extend_schema(
        summary="See what a run would do",
        description="Takes what `POST /macros/ID/runs/` takes. Counts, renders the"
        " first of the selection, and says what stands in the way; nothing is written"
        " or sent.",
        request=RunStartSerializer,
        responses={200: DryRunSerializer},
    )
    @action(detail=True, methods=["post"], url_path="dry-run")
    def dry_run(self, request: Request, pk: str) -> Response:
        macro = self.get_object()
        asked = RunStartSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        selection = selected(asked.validated_data, macro, request.user)
        return Response(DryRunSerializer(dry_run(macro, selection)).data)
