"""A listener with its parts, as a program writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from rest_framework import serializers

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
    RowNumber,
)
from feedback.texts import is_pk

from ..config import Document, Problems, save_listener
from ..config.members import read_members, read_rows, settings_of
from ..config.problems import member
from ..listeners.choices import api_keys_for, filters_for, macros_for
from ..models import Listener, ListenerAction, ListenerCheck, Macro, Secret
from ..tags import normalise
from .asked import DocumentSerializer, owner_in, row_seen, switch
from .listener_serializers import (
    ADD,
    CHANGE,
    SETTINGS,
    ActionSerializer,
    CheckSerializer,
)

Part = TypeVar("Part", ListenerCheck, ListenerAction)


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
    row: Model | None = rows.filter(pk=number).first() if is_pk(number) else None
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
