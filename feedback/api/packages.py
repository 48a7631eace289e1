"""Data packages: made, changed and refreshed by programs, which read them elsewhere."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from ..models import DataPackage, Filter, PackageRows, Snapshot
from ..packages import snapshots
from ..packages.addresses import url_of
from ..packages.tables import columns_for
from ..rest.owned import OwnedSerializer
from ..rest.preferences import accepted
from ..rest.problems import Problem
from ..rest.serializers import Choice, VisibleRow, Whole
from ..rest.viewsets import WritableViewSet
from ..selection.conditions import ChoiceFilter, NumberFilter, TextFilter
from ..selection.filtersets import StrictFilterSet

CHANGE = "feedback.change_datapackage"
_STAYS = "This stays as it is: make another package."


class PackageColumns(serializers.JSONField):
    """Names, or objects with a name and a type; what is wrong is named by the model."""


class SnapshotSerializer(serializers.ModelSerializer):
    class Meta:
        model = Snapshot
        fields = ["state", "problem", "rows", "size", "created_at", "read_at"]


class PackageSerializer(OwnedSerializer):
    """A data package; `urls` say where its rows are."""

    rows = Choice(source="what", choices=PackageRows.choices, required=False)
    filter = VisibleRow(queryset=Filter.objects.all(), required=False, allow_null=True)
    columns = PackageColumns(
        help_text='In order: `["id", {"name": "external_score", "type": "number"}]`.'
        " Without a type it gets the one that it has in CenterHook."
    )
    refresh_every = Whole(
        required=False,
        help_text="In minutes: 15, 60, 360 or 1440; 0 for live data.",
    )
    urls = serializers.SerializerMethodField(help_text="Of the rows, by format.")
    schema_url = serializers.SerializerMethodField()
    last_file = serializers.SerializerMethodField(
        help_text="The last file that was asked for; null for live data."
    )

    fixed = dict.fromkeys(("rows", "type", "project", "community"), _STAYS)

    class Meta:
        model = DataPackage
        fields = [
            *("id", "name", "key", "description", "is_active", "rows"),
            *("type", "project", "community", "filter", "columns"),
            *("refresh_every", "format", "guards_formulas"),
            *("urls", "schema_url", "last_file", "created_at", "modified_at"),
        ]
        read_only_fields = ["created_at", "modified_at"]
        # The model's own checks name the owner, which may come from the key.
        validators: list[object] = []

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_urls(self, package: DataPackage) -> dict[str, str]:
        return {form: url_of(package, form) for form in package.formats}

    def get_schema_url(self, package: DataPackage) -> str:
        return url_of(package)

    @extend_schema_field(SnapshotSerializer(allow_null=True))
    def get_last_file(self, package: DataPackage) -> Any:
        last = next(iter(package.snapshots.all()), None)
        return (
            None if package.is_live or last is None else SnapshotSerializer(last).data
        )

    def store(self, row: DataPackage) -> None:
        super().store(row)
        snapshots.keep_up(row)


class PackageFilterSet(StrictFilterSet):
    type = NumberFilter(lookup="feedback_type", help_text="Number of a feedback type.")
    project = NumberFilter(lookup="project", help_text="Number of a project.")
    rows = ChoiceFilter(
        lookup="what",
        meanings={each: each for each in PackageRows.values},
        help_text="What it has rows for.",
    )
    key = TextFilter(lookup="key", help_text="The whole key.")


@extend_schema_view(
    list=extend_schema(summary="List data packages"),
    retrieve=extend_schema(summary="Read a data package: its columns and its URLs"),
    create=extend_schema(summary="Make a data package"),
    partial_update=extend_schema(summary="Change a data package"),
    destroy=extend_schema(summary="Delete a data package with its stored files"),
)
class PackageViewSet(WritableViewSet):
    queryset = DataPackage.objects.select_related(
        "feedback_type__project__community",
        "project__community",
        "community",
        "filter__feedback_type__project",
    ).prefetch_related("snapshots")
    serializer_class = PackageSerializer
    filterset_class = PackageFilterSet
    action_permissions = {"refresh": CHANGE}
    prefers_async = ("refresh",)

    @extend_schema(
        summary="Have a stored package made now",
        description="A worker makes it; `last_file` says how far it is. Answers 409 for"
        " live data.",
        request=None,
        responses={202: PackageSerializer},
    )
    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, pk: str) -> Response:
        package = self.get_object()
        if package.is_live:
            problem = "Live data is read from the database at each call."
            raise Problem(409, "package_is_live", problem)
        snapshots.begin(package)
        url = reverse("api:datapackage-detail", args=[pk], request=request)
        return accepted(request, Response(self.shown(package), 202), url)

    @extend_schema(
        summary="List the columns that a data package could have",
        description="External data has a column for each name: `external_<name>`.",
        request=None,
        responses=OpenApiTypes.OBJECT,
    )
    @action(detail=True, methods=["get"], url_path="columns")
    def possible_columns(self, request: Request, pk: str) -> Response:
        every = columns_for(self.get_object()).columns
        rows = [
            {**each.kept, "label": each.label, "group": each.group} for each in every
        ]
        return Response({"columns": rows})
