"""Members with their roles, and API keys: read by programs, written by people only.

Who may do what is decided in the admin, by a person: a program that could give itself
more would have no scope at all.
"""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from ..models import ApiKey, Grant, KeyScope, Member
from ..rest.viewsets import ReadOnlyViewSet
from ..selection.conditions import ChoiceFilter, NumberFilter, TextFilter
from ..selection.filtersets import StrictFilterSet

_TRUTH = {"true": True, "false": False}


class RoleSerializer(serializers.ModelSerializer):
    """A role; without a project it is in the whole community."""

    class Meta:
        model = Grant
        fields = ["role", "project"]
        read_only_fields = fields


class MemberSerializer(serializers.ModelSerializer):
    """Somebody who works in a community."""

    username = serializers.CharField(source="user.username", read_only=True)
    name = serializers.CharField(source="user.get_full_name", read_only=True)
    email = serializers.CharField(source="user.email", read_only=True)
    roles = RoleSerializer(source="grants", many=True, read_only=True)

    class Meta:
        model = Member
        fields = [
            "id",
            "community",
            "username",
            "name",
            "email",
            "roles",
            "created_at",
        ]
        read_only_fields = fields


class MemberFilterSet(StrictFilterSet):
    community = NumberFilter(lookup="community", help_text="Number of a community.")
    username = TextFilter(lookup="user__username", help_text="The whole user name.")


@extend_schema_view(
    list=extend_schema(
        summary="List members and their roles",
        description="Roles are given and taken in the admin only.",
    ),
    retrieve=extend_schema(summary="Read a member and their roles"),
)
class MemberViewSet(ReadOnlyViewSet):
    queryset = Member.objects.select_related("user").prefetch_related("grants")
    serializer_class = MemberSerializer
    filterset_class = MemberFilterSet


class ApiKeySerializer(serializers.ModelSerializer):
    """An API key without its token, which nobody can read again."""

    scopes = serializers.SerializerMethodField(help_text="What it may do.")
    state = serializers.CharField(read_only=True, help_text="valid, off or expired.")
    allowed_ips = serializers.SerializerMethodField(
        help_text="The only addresses it may be used from; empty for all."
    )

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "community",
            "project",
            "name",
            "description",
            "prefix",
            "scopes",
            "state",
            "expires_at",
            "allowed_ips",
            "last_used_at",
            "last_used_address",
            "use_count",
            "created_at",
        ]
        read_only_fields = fields

    def get_scopes(self, key: ApiKey) -> list[str]:
        return [scope.value for scope in KeyScope if key.has_scope(scope)]

    def get_allowed_ips(self, key: ApiKey) -> list[str]:
        return key.allowed_ips.split()


class ApiKeyFilterSet(StrictFilterSet):
    community = NumberFilter(lookup="community", help_text="Number of a community.")
    project = NumberFilter(lookup="project", help_text="Number of a project.")
    is_enabled = ChoiceFilter(
        lookup="is_enabled", meanings=_TRUTH, help_text="Whether it is switched on."
    )


@extend_schema_view(
    list=extend_schema(
        summary="List API keys",
        description="Keys are made, replaced and switched off in the admin only.",
    ),
    retrieve=extend_schema(summary="Read what is known of an API key"),
)
class ApiKeyViewSet(ReadOnlyViewSet):
    queryset = ApiKey.objects.all()
    serializer_class = ApiKeySerializer
    filterset_class = ApiKeyFilterSet
