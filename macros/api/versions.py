"""What macros were like each time they were saved, and the way back."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback.rest.problems import Problem
from feedback.rest.viewsets import ReadOnlyViewSet
from feedback.selection.conditions import NumberFilter
from feedback.selection.filtersets import StrictFilterSet

from ..config import ConfigRefused, concealed, restore
from ..models import MacroVersion


class VersionSerializer(serializers.ModelSerializer):
    """One of a macro's versions."""

    macro = serializers.IntegerField(source="macro_id", read_only=True)
    saved_by = serializers.CharField(source="actor_name", read_only=True)

    class Meta:
        model = MacroVersion
        fields = ["id", "macro", "number", "saved_by", "note", "created_at"]
        read_only_fields = fields


class VersionDetailSerializer(VersionSerializer):
    document = serializers.SerializerMethodField(
        help_text="The macro as it was, with its steps; credentials as in the macro."
    )

    class Meta(VersionSerializer.Meta):
        fields = [*VersionSerializer.Meta.fields, "document"]
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_document(self, version: MacroVersion) -> Any:
        return concealed(version.macro, version.document)


class VersionFilterSet(StrictFilterSet):
    macro = NumberFilter(lookup="macro", help_text="Number of a macro.")
    number = NumberFilter(lookup="number", help_text="Which of the macro's versions.")


@extend_schema_view(
    list=extend_schema(summary="List versions of macros"),
    retrieve=extend_schema(summary="Read a version of a macro"),
)
class VersionViewSet(ReadOnlyViewSet):
    queryset = MacroVersion.objects.select_related("macro")
    filterset_class = VersionFilterSet
    action_permissions = {"restore": "macros.change_macro"}

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        is_short = self.action == "list"
        return VersionSerializer if is_short else VersionDetailSerializer

    def get_queryset(self) -> QuerySet:
        rows = super().get_queryset()
        return rows.defer("document") if self.is_list else rows

    @extend_schema(
        summary="Make a macro what it was",
        description="That is a new version, which the response shows. Answers 409 if it"
        " could not be saved like that today.",
        request=None,
        responses=VersionDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        version = self.get_object()
        try:
            made = restore(version, request.user)
        except ConfigRefused as refusal:
            raise Problem(409, "not_restored", str(refusal)) from refusal
        return Response(self.shown(made))
