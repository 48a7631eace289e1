"""Macros from presets: what each preset asks for, and a macro from the answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from feedback.access.keys import Actor
from feedback.models import FeedbackType
from feedback.names import Hints, did_you_mean
from feedback.rest.asked import AskedSerializer
from feedback.rest.details import Fault
from feedback.rest.problems import in_body, invalid
from feedback.rest.serializers import Choice, RowNumber, Text
from feedback.rest.viewsets import ScopedViewSet

from ..authoring.new_macros import (
    GivenSecret,
    MacroRefused,
    NewMacro,
    asked_by,
    create_macro,
    new_secrets,
)
from ..authoring.presets import Preset, all_presets, check_setting, fill
from ..models import Macro
from ..models.secrets import MAX_VALUE, MIN_VALUE
from .asked import Owner, asked_of, owner_in
from .macro_serializers import MacroDetailSerializer
from .trials import refused

ADD = "macros.add_macro"
_OWNERS = ("type", "project", "community")


class PresetSettingSerializer(serializers.Serializer):
    """A question of a preset."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField()
    example = serializers.CharField()
    kind = serializers.ChoiceField(
        choices=["text", "url", "choice"],
        help_text="`url`: the address of a site, without a path.",
    )
    default = serializers.CharField(help_text="What holds where none is given.")
    choices = serializers.ListField(child=serializers.CharField())


class PresetSecretSerializer(serializers.Serializer):
    """A credential that a preset needs."""

    key = serializers.CharField()
    name = serializers.CharField(help_text="The name that it gets without another.")
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField()
    kind = serializers.ChoiceField(
        choices=["text", "url"], help_text="`url`: a whole address that is secret."
    )


class PresetSerializer(serializers.Serializer):
    """Web requests to a well-known system, and what has to be known for them."""

    id = serializers.CharField()
    title = serializers.CharField()
    vendor = serializers.CharField()
    group = serializers.CharField()
    subject_kind = serializers.ChoiceField(
        choices=["ticket", "tester"], help_text="What its macro runs on."
    )
    summary = serializers.CharField()
    documentation = serializers.CharField(help_text="The vendor's own page.")
    settings = PresetSettingSerializer(many=True)
    secrets = PresetSecretSerializer(many=True)
    returned = serializers.ListField(
        child=serializers.CharField(),
        help_text="The external data that is kept of responses.",
    )


class PresetsSerializer(serializers.Serializer):
    presets = PresetSerializer(many=True)


class GivenSecretSerializer(AskedSerializer):
    """Without a value, the secret that is there under the name."""

    name = Text(required=False, max_length=100)
    value = Text(
        required=False,
        min_length=MIN_VALUE,
        max_length=MAX_VALUE,
        trim_whitespace=False,
        help_text="Makes a secret. Goes in and never comes out.",
    )


class FromPresetSerializer(AskedSerializer):
    """Whose macro it is, and answers to what the preset asks."""

    preset = Text(help_text="The `id` of a preset.")
    name = Text(
        required=False, max_length=100, help_text="The title of the preset if left out."
    )
    type = RowNumber(required=False, help_text="On whose tickets it runs.")
    project = RowNumber(required=False, help_text="On whose testers it runs.")
    community = RowNumber(
        required=False, help_text="On whose testers it runs; a key has its own."
    )
    settings = serializers.DictField(
        child=Text(allow_blank=True), required=False, help_text="By their keys."
    )
    secrets = serializers.DictField(
        child=GivenSecretSerializer(), required=False, help_text="By their keys."
    )
    keep_in = Choice(
        choices=["project", "community"],
        default="project",
        help_text="Where new secrets are kept.",
    )


class MacroPresets(ScopedViewSet):
    @extend_schema(
        summary="List presets",
        description="With what each asks for, in the order of the admin's menu.",
        responses=PresetsSerializer,
    )
    @action(detail=False, methods=["get"])
    def presets(self, request: Request) -> Response:
        rows = {"presets": list(all_presets().values())}
        return Response(PresetsSerializer(rows).data)

    @extend_schema(
        summary="Add a macro from a preset",
        description="With its web requests and new secrets, or nothing of it. Nothing"
        " is sent.",
        request=FromPresetSerializer,
        responses={201: MacroDetailSerializer},
    )
    @action(detail=False, methods=["post"], url_path="from-preset")
    def from_preset(self, request: Request) -> Response:
        asked = asked_of(FromPresetSerializer, request)
        macro = _made(asked, request.user)
        url = reverse("api:macro-detail", args=[macro.pk], request=request)
        return Response(self.shown(macro), 201, headers={"Location": url})


def _made(asked: dict[str, Any], actor: Actor) -> Macro:
    """Raises Problem."""
    preset = _preset(asked["preset"])
    owner = _owner(preset, asked, actor)
    settings = _settings(preset, asked.get("settings", {}))
    given = _given(preset, asked.get("secrets", {}))
    names = {each.asked.key.removeprefix("secret_"): each.name for each in given}
    try:
        requests = fill(preset, settings, names)
    except ValueError as error:
        raise invalid([in_body(["settings"], str(error))]) from None
    try:
        new = NewMacro(
            owner,
            asked.get("name", preset.title),
            preset.summary,
            requests,
            new_secrets(given, owner, settings),
            for_community=asked["keep_in"] == "community",
        )
        return create_macro(new, actor)
    except MacroRefused as refusal:
        if sentences := refusal.problems.get("owner"):
            raise refused(" ".join(sentences)) from None
        raise invalid(_faults(refusal.problems)) from None


def _preset(name: str) -> Preset:
    known = all_presets()
    if name not in known:
        problem = f"There is no preset {name[:60]!a}.{did_you_mean(name, known)}"
        raise invalid([in_body(["preset"], problem)])
    return known[name]


def _owner(preset: Preset, asked: dict[str, Any], actor: Actor) -> Owner:
    body = {name: asked[name] for name in _OWNERS if name in asked}
    [*given] = body
    owner = owner_in(body, actor, ADD)
    is_for_tickets = preset.subject_kind == "ticket"
    if isinstance(owner, FeedbackType) is is_for_tickets:
        return owner
    problem = "It runs on testers: give a project or a community."
    if is_for_tickets:
        problem = "It runs on tickets: give the type whose tickets these are."
    raise invalid([in_body(given, problem)])


def _settings(preset: Preset, given: Mapping[str, str]) -> dict[str, str]:
    by_key = {each.key: each for each in preset.settings}
    faults = list(_unknown("settings", given, by_key))
    settings = {}
    for key, setting in by_key.items():
        try:
            settings[key] = check_setting(setting, given.get(key, setting.default))
        except ValueError as error:
            faults.append(in_body(["settings", key], str(error)))
    if faults:
        raise invalid(faults)
    return settings


def _given(preset: Preset, given: Mapping[str, dict[str, str]]) -> list[GivenSecret]:
    known = {each.key: each for each in preset.secrets}
    if faults := list(_unknown("secrets", given, known)):
        raise invalid(faults)
    rows = []
    for asked in asked_by(preset):
        row = given.get(asked.key.removeprefix("secret_"), {})
        rows.append(
            GivenSecret(asked, row.get("name", asked.name), row.get("value", ""))
        )
    return rows


def _unknown(
    member: str, given: Mapping[str, object], known: Mapping[str, object]
) -> Iterator[Fault]:
    hints = Hints()
    for name in given:
        if name not in known:
            hint = hints.near(name, known)
            yield in_body([member, name], f"The preset does not ask for this.{hint}")


def _faults(problems: Mapping[str, Any]) -> Iterator[Fault]:
    """`secret_token_value` is `#/secrets/token/value`."""
    for name, sentences in problems.items():
        path = [name] if name else []
        if name.startswith("secret_"):
            key, _, part = name.removeprefix("secret_").rpartition("_")
            path = ["secrets", key, part]
        yield from (in_body(path, each) for each in sentences)
