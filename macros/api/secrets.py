"""Secrets: set and changed by programs, and never read back."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from feedback.access.keys import KeyActor
from feedback.models import Community, Project
from feedback.rest.serializers import StrictSerializer, VisibleRow
from feedback.rest.viewsets import WritableViewSet
from feedback.selection.conditions import NumberFilter, TextFilter
from feedback.selection.filtersets import StrictFilterSet

from ..config import save_secret
from ..models import Secret
from ..models.secrets import MAX_VALUE, MIN_VALUE
from ..models.usage import users_of

_ADD = "macros.add_secret"


class HostsField(serializers.ListField):
    """A list in JSON, lines of text in the database."""

    child = serializers.CharField(max_length=300)

    def to_internal_value(self, data: Any) -> Any:
        return "\n".join(super().to_internal_value(data))

    def to_representation(self, data: Any) -> list[str]:
        return str(data).split()


class SecretSerializer(StrictSerializer):
    """A secret without its value."""

    value = serializers.CharField(
        write_only=True,
        min_length=MIN_VALUE,
        max_length=MAX_VALUE,
        trim_whitespace=False,
        help_text="Goes in and never comes out.",
    )
    hosts = HostsField(
        required=False,
        max_length=100,
        help_text="The only hosts it may be sent to. Leave it empty for every host.",
    )
    # A program may add secrets in a project without seeing anything else of it.
    community = VisibleRow(
        queryset=Community.objects.all(),
        permissions=("", _ADD),
        required=False,
        help_text="Needed of people who give no project; a key has its own.",
    )
    project = VisibleRow(
        queryset=Project.objects.all(),
        permissions=("", _ADD),
        required=False,
        allow_null=True,
    )

    fixed = dict.fromkeys(
        ("name", "community", "project"),
        "This stays as it is: macros would not find it any more.",
    )

    class Meta:
        model = Secret
        fields = [
            "id",
            "name",
            "value",
            "community",
            "project",
            "hosts",
            "description",
            "created_at",
            "modified_at",
        ]
        read_only_fields = ["created_at", "modified_at"]
        # The model's own check names the owner, which may come from the key.
        validators: list[object] = []

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        secret = self.instance or Secret()
        value = attrs.pop("value", "")
        for name, each in self._with_owner(attrs).items():
            setattr(secret, name, each)
        return {"secret": secret, "value": value}

    def _with_owner(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance:
            return attrs
        actor = self.context["request"].user
        if attrs.get("project"):
            attrs.setdefault("community", attrs["project"].community)
        elif isinstance(actor, KeyActor):
            attrs.setdefault("community", actor.key.community)
        if "community" not in attrs:
            problem = "Say to which community it belongs, or to which project."
            raise serializers.ValidationError({"community": problem})
        return attrs

    def save(self, **kwargs: Any) -> Secret:
        secret: Secret = self.validated_data["secret"]
        actor = self.context["request"].user
        save_secret(secret, self.validated_data["value"], actor)
        self.instance = secret
        return secret


class SecretDetailSerializer(SecretSerializer):
    used_by = serializers.SerializerMethodField(help_text="What fails without it.")

    class Meta(SecretSerializer.Meta):
        fields = [*SecretSerializer.Meta.fields, "used_by"]

    def get_used_by(self, secret: Secret) -> list[str]:
        return [name for _, name in users_of(secret)]


class SecretFilterSet(StrictFilterSet):
    project = NumberFilter(lookup="project", help_text="Number of a project.")
    name = TextFilter(lookup="name", help_text="The whole name.")


@extend_schema_view(
    list=extend_schema(summary="List secrets"),
    retrieve=extend_schema(summary="Read what is known of a secret"),
    create=extend_schema(summary="Add a secret"),
    partial_update=extend_schema(
        summary="Change a secret: its value, hosts or description"
    ),
    destroy=extend_schema(
        summary="Delete a secret", description="Answers 409 while anything uses it."
    ),
)
class SecretViewSet(WritableViewSet):
    queryset = Secret.objects.select_related("community", "project")
    filterset_class = SecretFilterSet

    def get_serializer_class(self) -> type[SecretSerializer]:
        # What uses a secret is searched for one by one.
        return SecretSerializer if self.is_list else SecretDetailSerializer

    def why_kept(self, row: Secret) -> str:
        users = [name for _, name in users_of(row)]
        used = f"It is used, and would be missed: {', '.join(users)}."
        return used if users else super().why_kept(row)
