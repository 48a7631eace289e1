"""Listeners in JSON, with the members that they have in files."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from feedback.access.actors import may
from feedback.rest.serializers import (
    FeedbackTypeSerializer,
    ProjectSerializer,
    RowNumber,
)

from ..listeners.addresses import listener_url
from ..models import Listener, ListenerAction, ListenerCheck

CHANGE, ADD = "macros.change_listener", "macros.add_listener"
SETTINGS = [
    *("name", "description", "is_active", "method", "payload_format", "allowed_ips"),
    *("record_by", "record_external", "record_at", "filter", "events_at", "name_at"),
    *("names", "id_at", "repeat_seconds", "ignored_at", "ignored", "time_at"),
    *("response_status", "response_type", "response_body", "challenge_at"),
]


class CheckSerializer(serializers.ModelSerializer):
    """A way to show who calls."""

    secret = serializers.CharField(
        source="secret.name",
        required=False,
        allow_null=True,
        help_text="The name of the secret that the sender signs with.",
    )
    api_key = RowNumber(
        source="api_key_id",
        required=False,
        allow_null=True,
        help_text="Number of the one API key that may call; null for any with the"
        " scope listener.",
    )

    class Meta:
        model = ListenerCheck
        fields = [
            *("scheme", "secret", "api_key", "header", "algorithm", "encoding"),
            "prefix",
        ]

    def to_representation(self, instance: ListenerCheck) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return {**shown, "secret": instance.secret and instance.secret.name}


class ActionSerializer(serializers.ModelSerializer):
    """One of the things that a listener does."""

    macro = RowNumber(
        source="macro_id",
        required=False,
        allow_null=True,
        help_text="Number of the macro to run.",
    )

    class Meta:
        model = ListenerAction
        fields = ["kind", "macro", "name", "value", "value_map"]


class ListenerSerializer(serializers.ModelSerializer):
    """A listener in a list."""

    type = FeedbackTypeSerializer(
        source="feedback_type",
        read_only=True,
        allow_null=True,
        help_text="Whose tickets it works on; null where it is of more than one type.",
    )
    project = ProjectSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Listener
        fields = [
            *("id", "name", "description", "subject_kind", "type", "project"),
            *("is_active", "created_at", "modified_at"),
        ]
        read_only_fields = fields


class ListenerDetailSerializer(ListenerSerializer):
    """A listener as it is saved."""

    filter = serializers.IntegerField(
        source="filter_id", read_only=True, allow_null=True
    )
    address = serializers.SerializerMethodField(
        help_text="The URL to call, for whoever may change the listener; else null."
    )
    checks = serializers.SerializerMethodField(
        help_text="Who may call, for whoever may see it; else null."
    )
    actions = serializers.SerializerMethodField(
        help_text="What it does, in order, for whoever may see it; else null."
    )

    class Meta(ListenerSerializer.Meta):
        fields = [
            *ListenerSerializer.Meta.fields,
            *(each for each in SETTINGS if each not in ListenerSerializer.Meta.fields),
            *("address", "checks", "actions"),
        ]
        read_only_fields = fields

    def get_address(self, listener: Listener) -> str | None:
        return listener_url(listener) if self._may(CHANGE, listener) else None

    @extend_schema_field(CheckSerializer(many=True, allow_null=True))
    def get_checks(self, listener: Listener) -> list[dict[str, Any]] | None:
        if not self._may("macros.view_listenercheck", listener):
            return None
        rows = listener.checks.select_related("secret")
        return [CheckSerializer(each).data for each in rows]

    @extend_schema_field(ActionSerializer(many=True, allow_null=True))
    def get_actions(self, listener: Listener) -> list[dict[str, Any]] | None:
        if not self._may("macros.view_listeneraction", listener):
            return None
        return [ActionSerializer(each).data for each in listener.actions.all()]

    def _may(self, permission: str, listener: Listener) -> bool:
        return may(self.context["request"].user, permission, listener)
