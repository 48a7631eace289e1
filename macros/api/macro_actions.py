"""What can be done with macros beside reading, writing and running them."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from feedback.access.actors import may
from feedback.access.roles import RUN_MACRO
from feedback.access.unlocking import locked_message
from feedback.rest.permissions import lacks
from feedback.rest.preferences import accepted
from feedback.rest.problems import Problem, in_body, invalid
from feedback.rest.viewsets import WritableViewSet
from logs import audit
from logs.models import Action, Run
from logs.rest import RunDetailSerializer

from .. import queue
from ..config import (
    ConfigRefused,
    Document,
    changed,
    clone_macro,
    export_macro,
    macro_document,
)
from ..models import Macro
from ..runs import RunRefused, start_test
from ..runs.control import pause_macro, resume_macro
from ..steps.previews import preview
from ..tags import TemplateError
from .asked import asked_of
from .macro_serializers import MacroDetailSerializer, MacroDocumentSerializer
from .trials import (
    MacroPreviewSerializer,
    SubjectSerializer,
    TestSerializer,
    ValidSerializer,
    refused,
    request_in,
    subject_in,
)

ADD, CHANGE = "macros.add_macro", "macros.change_macro"
# What each action needs on the macro.
NEEDED = {
    "preview": RUN_MACRO,
    "test": CHANGE,
    "validate": CHANGE,
    "validate_new": ADD,
    "duplicate": CHANGE,
    "export": CHANGE,
    "pause": CHANGE,
    "resume": CHANGE,
}


class MacroActions(WritableViewSet):
    @extend_schema(
        operation_id="macros_validate_new",
        summary="Check a new macro",
        description="Takes what `POST /macros/` takes and refuses what that refuses;"
        " saves nothing.",
        responses=ValidSerializer,
    )
    @action(detail=False, methods=["post"], url_path="validate")
    def validate_new(self, request: Request) -> Response:
        return Response(self._tried(self.get_serializer(data=request.data), {}))

    @extend_schema(
        summary="Check a change of a macro",
        description="Takes what `PATCH /macros/ID/` takes and refuses what that"
        " refuses; saves nothing.",
        request=MacroDocumentSerializer(partial=True),
        responses=ValidSerializer,
    )
    @action(detail=True, methods=["post"])
    def validate(self, request: Request, pk: str) -> Response:
        macro = self.get_object()
        asked = self.get_serializer(macro, data=request.data, partial=True)
        return Response(self._tried(asked, macro_document(macro)))

    def _tried(
        self, asked: serializers.BaseSerializer, before: Document
    ) -> dict[str, Any]:
        with transaction.atomic():
            macro: Macro = self.save(asked)
            # Without what people wrote, which may be a credential.
            steps = [step.audit_name() for step in macro.concrete_steps()]
            changes = changed(before, macro_document(macro)) if before else []
            transaction.set_rollback(True)
        return {"steps": steps, "changes": changes}

    @extend_schema(
        summary="See what a macro would do with one ticket or tester",
        request=SubjectSerializer,
        responses=MacroPreviewSerializer,
    )
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, pk: str) -> Response:
        macro = self.get_object()
        number = asked_of(SubjectSerializer, request)["subject"]
        subject = subject_in(number, macro, request.user)
        if macro.is_locked():
            raise refused(locked_message(macro.community))
        try:
            shown = preview(macro, type(subject)._default_manager.filter(pk=subject.pk))
        except TemplateError as error:
            raise refused(f"The macro can't be run: {error}") from error
        lines = [line for row in shown.dry_run for line in row.lines]
        body = {
            "steps": shown.steps,
            "requests": shown.requests,
            "changes": lines,
            "empty_tags": list(shown.empty),
            "problem": next(iter(shown.failing), ""),
            "is_guessed": shown.is_guessed,
        }
        return Response(MacroPreviewSerializer(body).data)

    @extend_schema(
        summary="Send a test",
        description="One web request for one ticket or tester, once: a run of its own."
        " Read its delivery to see what came of it.",
        request=TestSerializer,
        responses={201: RunDetailSerializer},
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        macro = self.get_object()
        if not may(request.user, RUN_MACRO, macro):
            raise lacks(request.user, RUN_MACRO)
        asked = asked_of(TestSerializer, request)
        subject = subject_in(asked["subject"], macro, request.user)
        step = request_in(asked["step"], macro)
        try:
            run = start_test(
                step,
                subject,
                actor=request.user,
                echo=asked["to"] == "echo",
                store=asked["store"],
            )
        except RunRefused as refusal:
            raise refused(str(refusal)) from refusal
        return run_response(run, request)

    @extend_schema(
        summary="Duplicate a macro",
        description="With the same steps and options, and no triggers or schedules.",
        request=None,
        responses={201: MacroDetailSerializer},
    )
    @action(detail=True, methods=["post"])
    def duplicate(self, request: Request, pk: str) -> Response:
        macro = self._copied()
        try:
            made = clone_macro(macro, request.user)
        except ConfigRefused as refusal:
            raise invalid(in_body([], each) for each in refusal.problems) from refusal
        url = reverse("api:macro-detail", args=[made.pk], request=request)
        return Response(self.shown(made), 201, headers={"Location": url})

    @extend_schema(
        summary="Export a macro",
        description="The document of its [file](config.md#the-file), with its triggers"
        " and schedules, and without values of secrets.",
        request=None,
        responses=OpenApiTypes.OBJECT,
    )
    @action(detail=True, methods=["post"])
    def export(self, request: Request, pk: str) -> Response:
        macro = self._copied()
        try:
            document = export_macro(macro)
        except ConfigRefused as refusal:
            raise Problem(409, "not_exported", str(refusal)) from refusal
        audit.record(Action.EXPORTED, macro, detail="The macro, as a file.")
        return Response(document)

    def _copied(self) -> Macro:
        """The macro, beside which the caller may add one."""
        macro: Macro = self.get_object()
        if not may(self.request.user, ADD, macro):
            raise lacks(self.request.user, ADD)
        return macro

    @extend_schema(
        summary="Hold all runs of a macro",
        request=None,
        responses=MacroDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        macro = self.get_object()
        pause_macro(macro, f"{request.user} paused it.")
        return Response(self.shown(macro))

    @extend_schema(
        summary="Let a paused macro run again",
        request=None,
        responses=MacroDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        macro = self.get_object()
        resume_macro(macro)
        return Response(self.shown(macro))


def run_response(run: Run, request: Request) -> Response:
    """201 with the run, or 202 where the caller does not wait for its end."""
    url = reverse("api:run-detail", args=[run.pk], request=request)
    body = RunDetailSerializer(run, context={"has_worker": queue.has_worker}).data
    return accepted(request, Response(body, 201), url)
