from __future__ import annotations

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from logs import audit
from logs.models import Action
from logs.privacy import ErasureUnfinished, erase_tester, export_tester

from ..models import Tester
from ..rest.problems import Problem, in_body, invalid
from ..rest.viewsets import ScopedViewSet
from ..roles import ERASE_TESTER, EXPORT_TESTER


class ErasureSerializer(serializers.Serializer):
    email = serializers.CharField(help_text="The tester's e-mail, to be sure.")
    remove_texts = serializers.BooleanField(
        default=False, help_text="Remove all that their tickets and comments say."
    )


class TesterViewSet(ScopedViewSet):
    """What a person may ask for: all that is stored of them, or to be erased."""

    queryset = Tester.objects.all()
    serializer_class = ErasureSerializer
    action_permissions = {"export": EXPORT_TESTER, "erase": ERASE_TESTER}

    @extend_schema(
        summary="Export all that is stored of a tester",
        responses={200: OpenApiTypes.OBJECT},
    )
    @action(detail=True, methods=["get"])
    def export(self, request: Request, pk: str) -> StreamingHttpResponse:
        tester = self.get_object()
        audit.record(Action.EXPORTED, tester)
        return StreamingHttpResponse(
            export_tester(tester), content_type="application/json"
        )

    @extend_schema(
        summary="Erase a tester for good",
        description="For people in a session: no API key may do it. Answers 409 while"
        " requests with the tester's data are on the wire: call it again then.",
        responses={204: None},
    )
    @action(detail=True, methods=["post"])
    def erase(self, request: Request, pk: str) -> Response:
        tester = self.get_object()
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if asked.validated_data["email"] != tester.email:
            told = "This is not the tester's e-mail, so nothing was erased."
            raise invalid([in_body(["email"], told)])
        remove = asked.validated_data["remove_texts"]
        try:
            erase_tester(tester, request.user, remove_texts=remove)
        except ErasureUnfinished as why:
            raise Problem(409, "erasure_unfinished", str(why)) from why
        return Response(status=204)
