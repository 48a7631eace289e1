"""One macro, whole: as it is read, and as it is written."""

from __future__ import annotations

import re
from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from feedback.access.actors import may
from feedback.models import Community, FeedbackType, Project
from feedback.rest.idempotency import fingerprint

from ..config import (
    Document,
    Problems,
    change_macro,
    concealed,
    fill_macro,
    locked_macro,
    macro_document,
)
from ..config.macros import MAX_STEPS
from ..config.members import settings_of
from ..models import Macro, Step, step_kinds
from .asked import DocumentSerializer, owner_in
from .serializers import MacroSerializer

SETTINGS = [
    *("name", "description", "is_active", "once_per_subject", "asks_confirmation"),
    *("retry_ladder", "retry_connection", "retry_timeout", "retry_server_error"),
    *("retry_busy", "retry_unknown", "give_up_after"),
]
VIEW_STEP = "macros.view_step"
_ABOUT_STEPS = (
    "What it does, in order: each with its `kind` and settings, as in"
    " [files](config.md#the-file). Secrets stand as tags; what is typed in and looks"
    " like a credential has a tag, or dots, in its place. A step that is given back as"
    " it was read stays as it is stored."
)


def _type_of(field: models.Field[Any, Any]) -> dict[str, Any]:
    """A member as JSON Schema has it."""
    about: dict[str, Any] = {}
    if field.help_text:
        about["description"] = re.sub("</?code>", "`", str(field.help_text))
    for kind, name in _TYPES:
        if isinstance(field, kind):
            return {"type": name, **about}
    if isinstance(field, models.JSONField):
        return about
    if field.choices:
        about["enum"] = [value for value, _ in field.flatchoices]
    return {"type": "string", **about}


_TYPES: list[tuple[type[models.Field[Any, Any]], str]] = [
    (models.BooleanField, "boolean"),
    (models.IntegerField, "integer"),
    (models.FloatField, "number"),
]


def _step_schema(kind: type[Step]) -> dict[str, Any]:
    own = {name: _type_of(field) for name, field in settings_of(kind).items()}
    return {
        "type": "object",
        "title": kind.label(),
        "required": ["kind"],
        "properties": {"kind": {"type": "string", "enum": [kind.kind]}, **own},
        "additionalProperties": False,
    }


def steps_schema(*, may_be_null: bool = False) -> dict[str, Any]:
    kinds = [_step_schema(each) for each in step_kinds().values()]
    return {
        "type": ["array", "null"] if may_be_null else "array",
        "items": {"oneOf": kinds},
    }


@extend_schema_field(steps_schema(may_be_null=True))
class StepsSeen(serializers.SerializerMethodField):
    """The steps, for whoever may see templates."""


@extend_schema_field(steps_schema())
class StepsField(serializers.JSONField):
    """A list of steps."""


class MacroDetailSerializer(MacroSerializer):
    """A macro as it is saved."""

    steps = StepsSeen(
        help_text=f"{_ABOUT_STEPS} Null for whoever may not see templates."
    )

    class Meta(MacroSerializer.Meta):
        fields = [
            *MacroSerializer.Meta.fields,
            *(name for name in SETTINGS if name not in MacroSerializer.Meta.fields),
            "steps",
        ]
        read_only_fields = fields

    def get_steps(self, macro: Macro) -> Any:
        if not may(self.context["request"].user, VIEW_STEP, macro):
            return None
        return concealed(macro, macro_document(macro))["steps"]


class MacroDocumentSerializer(DocumentSerializer):
    """A macro with all its steps. What a new one leaves out has its default."""

    fixed = ("type", "project", "community")

    type = serializers.PrimaryKeyRelatedField(
        queryset=FeedbackType.objects.all(),
        required=False,
        allow_null=True,
        help_text="On whose tickets it runs. Give this, or `project` or `community`.",
    )
    project = serializers.PrimaryKeyRelatedField(
        queryset=Project.objects.all(),
        required=False,
        allow_null=True,
        help_text="It runs on those who submitted in it.",
    )
    community = serializers.PrimaryKeyRelatedField(
        queryset=Community.objects.all(),
        required=False,
        allow_null=True,
        help_text="It runs on its testers; a key has its own.",
    )
    steps = StepsField(required=False, help_text=_ABOUT_STEPS)

    class Meta:
        model = Macro
        fields = [*SETTINGS, "type", "project", "community", "steps"]
        validators: list[object] = []

    def write(self, body: Document, problems: Problems) -> Macro:
        if self.instance is not None:
            macro = locked_macro(self.instance)
            change_macro(macro, _as_stored(macro, body), problems, actor=self.actor)
            return macro
        macro = Macro.at(owner_in(body, self.actor, "macros.add_macro"))
        fill_macro(macro, body, "", problems, actor=self.actor, note="")
        return macro


def _as_stored(macro: Macro, body: Document) -> Document:
    """With the stored steps in place of those that are given as they were read."""
    given = body.get("steps")
    if not isinstance(given, list) or len(given) > MAX_STEPS:
        return body  # It is refused further on.
    stored = macro_document(macro)
    shown = concealed(macro, stored)["steps"]
    left = [
        (fingerprint(read), step)
        for read, step in zip(shown, stored["steps"], strict=True)
    ]
    steps = []
    for step in given:
        mark = fingerprint(step)
        same = next((pair for pair in left if pair[0] == mark), None)
        if same is not None:
            left.remove(same)
        steps.append(step if same is None else same[1])
    return {**body, "steps": steps}
