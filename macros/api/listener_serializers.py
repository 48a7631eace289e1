"""Listeners in JSON, with the members that they have in files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from rest_framework import serializers

from feedback.access.actors import may
from feedback.access.unlocking import locked_message
from feedback.models import (
    ApiKey,
    Community,
    FeedbackType,
    Filter,
    Project,
    SubjectKind,
)
from feedback.rest.serializers import (
    FeedbackTypeSerializer,
    ProjectSerializer,
    RowNumber,
)

from ..config import Document, Problems, save_listener
from ..config.members import read_members, read_rows, settings_of
from ..config.problems import member
from ..listeners.addresses import listener_url
from ..listeners.choices import api_keys_for, filters_for, macros_for
from ..models import Listener, ListenerAction, ListenerCheck, Macro, Secret
from ..tags import normalise
from .documents import DocumentSerializer, owner_in, row_seen, switch

Part = TypeVar("Part", ListenerCheck, ListenerAction)
CHANGE, ADD = "macros.change_listener", "macros.add_listener"
SETTINGS = [
    *("name", "description", "is_active", "method", "payload_format", "allowed_ips"),
    *("record_by", "record_external", "record_at", "filter", "events_at", "name_at"),
    *("names", "id_at", "repeat_seconds", "ignored_at", "ignored", "time_at"),
    *("response_status", "response_type", "response_body", "challenge_at"),
]
_MAX_KEY = 2**63 - 1


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

    def get_checks(self, listener: Listener) -> list[dict[str, Any]] | None:
        if not self._may("macros.view_listenercheck", listener):
            return None
        rows = listener.checks.select_related("secret")
        return [CheckSerializer(each).data for each in rows]

    def get_actions(self, listener: Listener) -> list[dict[str, Any]] | None:
        if not self._may("macros.view_listeneraction", listener):
            return None
        return [ActionSerializer(each).data for each in listener.actions.all()]

    def _may(self, permission: str, listener: Listener) -> bool:
        return may(self.context["request"].user, permission, listener)


class ListenerDocumentSerializer(DocumentSerializer):
    """A listener with its parts. What a new one leaves out has its default."""

    fixed = ("type", "project", "community", "subject_kind")

    type = serializers.PrimaryKeyRelatedField(
        queryset=FeedbackType.objects.all(),
        required=False,
        allow_null=True,
        help_text="It finds its tickets. Give this, or `project` or `community`.",
    )
    project = serializers.PrimaryKeyRelatedField(
        queryset=Project.objects.all(),
        required=False,
        allow_null=True,
        help_text="It finds its tickets, or the testers who submitted in it.",
    )
    community = serializers.PrimaryKeyRelatedField(
        queryset=Community.objects.all(),
        required=False,
        allow_null=True,
        help_text="It finds its tickets or testers; a key has its own.",
    )
    filter = RowNumber(source="filter_id", required=False, allow_null=True)
    checks = CheckSerializer(many=True, required=False)
    actions = ActionSerializer(many=True, required=False)

    class Meta:
        model = Listener
        fields = [
            *SETTINGS,
            *("subject_kind", "type", "project", "community", "checks", "actions"),
        ]
        validators: list[object] = []

    def write(self, body: Document, problems: Problems) -> Listener:
        row = self._row(body)
        if self.instance is not None and {*body} == {"is_active"}:
            return self._switched(row, body, problems)
        fields, parts = settings_of(Listener), ("filter", "checks", "actions")
        values = read_members(body, "", problems, fields=fields, parts=parts)
        for name, value in values.items():
            setattr(row, name, value)
        if "filter" in body:
            row.filter = self._filter(body["filter"], row, problems)
        checks = list(ListenerCheck.objects.filter(listener=row.pk))
        actions = list(ListenerAction.objects.filter(listener=row.pk))
        if "checks" in body:
            checks = list(self._checks(row, checks, body, problems))
        if "actions" in body:
            actions = list(self._actions(row, actions, body, problems))
        self._refuse_if_locked(row, problems)
        problems.refuse()
        try:
            save_listener(row, checks, actions, self.actor)
        except ValidationError as error:
            problems.add_invalid("", error)
        return row

    def _row(self, body: Document) -> Listener:
        if self.instance is not None:
            rows = Listener.objects.select_for_update(no_key=True, of=("self",))
            return rows.get(pk=self.instance.pk)
        owner = owner_in(body, self.actor, ADD)
        names = {FeedbackType: "feedback_type", Project: "project"}
        made = Listener(**{names.get(type(owner), "community"): owner})
        made.find_owners()
        if isinstance(owner, Community):
            made.subject_kind = SubjectKind.TESTER
        return made

    def _switched(self, row: Listener, body: Document, problems: Problems) -> Listener:
        """On or off, whatever else is wrong with it."""
        fields = settings_of(Listener)
        values = read_members(body, "", problems, fields=fields)
        is_on = bool(values.get("is_active"))
        if is_on:
            self._refuse_if_locked(row, problems)
        problems.refuse()
        switch(row, is_on)
        return row

    def _refuse_if_locked(self, row: Listener, problems: Problems) -> None:
        if not row.community.is_unlocked():
            problems.add("", locked_message(row.community, "Listeners"))

    def _filter(
        self, number: object, row: Listener, problems: Problems
    ) -> Filter | None:
        if number is None:
            return None
        seen = row_seen(Filter, number, self.actor, "", CHANGE if row.pk else ADD)
        own = Filter.objects.filter(pk=seen.pk) if seen else Filter.objects.none()
        chosen = filters_for(row, own).filter(pk=seen.pk).first() if seen else None
        if chosen is None:
            problem = f"There is no filter {str(number)[:60]} that fits it."
            problems.add("filter", problem)
        return chosen

    def _checks(
        self,
        row: Listener,
        stored: list[ListenerCheck],
        body: Document,
        problems: Problems,
    ) -> Iterator[ListenerCheck]:
        kept = {each.api_key_id for each in stored}
        keys = api_keys_for(row, self.actor, None)
        keys |= ApiKey.objects.filter(pk__in=[pk for pk in kept if pk])
        for where, data, check in _parts(ListenerCheck, "checks", body, problems):
            check.api_key = _named(keys, data, "api_key", where, problems)
            check.secret = _secret(row, data, where, problems)
            yield check

    def _actions(
        self,
        row: Listener,
        stored: list[ListenerAction],
        body: Document,
        problems: Problems,
    ) -> Iterator[ListenerAction]:
        kept = [each.macro_id for each in stored if each.macro_id]
        macros = macros_for(row, self.actor, CHANGE if row.pk else ADD)
        macros |= Macro.objects.filter(pk__in=kept).select_related(
            "feedback_type__project", "project", "community"
        )
        for where, data, action in _parts(ListenerAction, "actions", body, problems):
            action.macro = _named(macros, data, "macro", where, problems)
            yield action


def _parts(
    model: type[Part], name: str, body: Document, problems: Problems
) -> Iterator[tuple[str, Document, Part]]:
    """Each with its path and with what the body says of it."""
    fields = settings_of(model)
    names = ("secret", "api_key") if model is ListenerCheck else ("macro",)
    for where, data in read_rows(body, name, "", problems):
        values = read_members(data, where, problems, fields=fields, parts=names)
        if isinstance(data, dict):
            yield where, data, model(**values)


def _named(
    rows: QuerySet[Any], data: Document, name: str, path: str, problems: Problems
) -> Any:
    """The row whose number a part gives, or None."""
    number = data.get(name)
    if number is None:
        return None
    is_number = type(number) is int and 0 < number <= _MAX_KEY
    row: Model | None = rows.filter(pk=number).first() if is_number else None
    if row is None:
        noun = rows.model._meta.verbose_name
        problem = f"There is no {noun} {str(number)[:60]} that fits it."
        problems.add(member(path, name), problem)
    return row


def _secret(
    row: Listener, data: Document, path: str, problems: Problems
) -> Secret | None:
    """The project's own wins over the community's."""
    name = data.get("secret")
    if name is None:
        return None
    usable = Secret.objects.usable_in(row.community_id, row.project_id)
    named = usable.filter(key=normalise(name)) if isinstance(name, str) else ()
    rows = sorted(named, key=lambda each: each.project_id is None)
    if not rows:
        problem = f"There is no secret '{str(name)[:60]}'."
        problems.add(member(path, "secret"), problem)
    return rows[0] if rows else None
