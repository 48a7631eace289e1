"""Files of tickets through the API."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ..access.keys import KeyActor
from ..access.roles import ADD_ATTACHMENT, VIEW_ATTACHMENT
from ..attachments.adding import FileRefused, add, check
from ..attachments.giving import response_with
from ..models import Attachment
from ..rest.parsing import MultiPartParser
from ..rest.problems import in_body, invalid
from ..rest.viewsets import Deleting, ScopedViewSet
from ..sources.members import Files
from .serializers import AttachmentSerializer

_UPLOAD = {
    "multipart/form-data": {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "string", "format": "binary"},
                "description": "One file or several, under any name.",
            }
        },
    }
}


class TicketAttachments(ScopedViewSet):
    """The files of one ticket."""

    action_permissions = {"attachments": VIEW_ATTACHMENT, "attach": ADD_ATTACHMENT}

    @extend_schema(
        summary="List a ticket's attachments",
        responses={200: AttachmentSerializer(many=True)},
    )
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def attachments(self, request: Request, pk: str) -> Response:
        rows = self.get_object().attachments.all()
        return Response(AttachmentSerializer(rows, many=True).data)

    @extend_schema(
        summary="Add attachments to a ticket",
        description="All files of the form are added, or none. What a file is, its"
        " content says. What is not taken is refused with a sentence.",
        request=_UPLOAD,
        responses={201: AttachmentSerializer(many=True)},
    )
    @attachments.mapping.post
    def attach(self, request: Request, pk: str) -> Response:
        ticket = self.get_object()
        files = _files(request.data)
        person = None if isinstance(request.user, KeyActor) else request.user
        try:
            made = add(ticket, check(files, ticket), author=person)
        except FileRefused as refusal:
            raise invalid([in_body(["file"], str(refusal))]) from refusal
        return Response(AttachmentSerializer(made, many=True).data, 201)

    def get_parsers(self) -> list[Any]:
        if self.action_map and self.action_map.get("post") == "attach":
            return [MultiPartParser()]
        return super().get_parsers()


@extend_schema_view(
    retrieve=extend_schema(summary="Read what is known of a file"),
    destroy=extend_schema(summary="Delete a file"),
)
class AttachmentViewSet(mixins.RetrieveModelMixin, Deleting, ScopedViewSet):
    queryset = Attachment.objects.all()
    serializer_class = AttachmentSerializer

    @extend_schema(
        summary="Download a file",
        description="Never shown by a browser: it is always saved.",
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (200, "*/*"): OpenApiTypes.BINARY,
        },
    )
    @action(detail=True, methods=["get"])
    def download(self, request: Request, pk: str) -> FileResponse:
        return response_with(self.get_object())


def _files(data: Any) -> list[UploadedFile]:
    texts = [name for name, value in data.items() if not isinstance(value, Files)]
    if texts:
        problem = "Only files are taken here."
        raise invalid(in_body([name], problem) for name in texts)
    files = [each for value in data.values() for each in value]
    if not files:
        message = "Send one file or several, as multipart/form-data."
        raise invalid([in_body(["file"], message)])
    return files
