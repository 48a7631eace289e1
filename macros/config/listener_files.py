"""Listeners in files: under their type, or beside the types.

A key is in no file: a copy that had it would take another's calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from feedback.models import FeedbackType, Project

from ..models import ActionKind, Listener, ListenerAction, ListenerCheck
from .filters import FilterImport, filter_members
from .imported import NOTE, Import
from .listeners import save_listener
from .members import read_members, read_rows, settings_of
from .named_secrets import secret_names
from .problems import ConfigRefused, member
from .references import MacroNames, key_named, macro_members, secret_named
from .writing import Document, plain, settings_in

Part = TypeVar("Part", ListenerCheck, ListenerAction)
_PARTS = ("filter", "filter_of", "checks", "actions")
_NAMED: Mapping[type[Model], tuple[str, ...]] = {
    ListenerCheck: ("secret", "api_key"),
    ListenerAction: ("macro", "macro_of"),
}


def listener_document(row: Listener) -> Document:
    """Raises ConfigRefused where it has lost a part."""
    document = settings_in(row) | filter_members(row.filter)
    document["checks"] = [_check(each) for each in row.checks.all()]
    document["actions"] = [_action(each, row) for each in row.actions.all()]
    return plain(document)


def _check(row: ListenerCheck) -> Document:
    document = settings_in(row)
    if row.secret is not None:
        document["secret"] = row.secret.key
    if row.api_key is not None:
        document["api_key"] = row.api_key.name
    return document


def _action(row: ListenerAction, of: Listener) -> Document:
    if row.macro is not None:
        return settings_in(row) | macro_members(row.macro, of.feedback_type)
    if row.kind == ActionKind.RUN:
        problem = (
            f"The listener {of} has lost the macro that it runs. Mend or delete it,"
            " then export again."
        )
        raise ConfigRefused([problem])
    return settings_in(row)


class ListenerImport:
    """Makes the listeners of a file.

    One that is new has an address of its own, and is off until a person switches it on;
    one that is replaced keeps its addresses, and stays on or off as it is.
    """

    def __init__(
        self, importing: Import, filters: FilterImport, macros: MacroNames
    ) -> None:
        self.importing, self.filters, self.macros = importing, filters, macros
        self.problems = importing.problems

    def add(self, owner: FeedbackType | Project, row: Any, path: str) -> None:
        problems, before = self.problems, len(self.problems.messages)
        made = _new(owner)
        fields = settings_of(Listener)
        values = read_members(row, path, problems, fields=fields, parts=_PARTS)
        for name, field in fields.items():
            setattr(made, name, values.get(name, field.get_default()))
        made.is_active = False
        rivals = Listener.objects.filter(
            community=made.community,
            project=made.project,
            feedback_type=made.feedback_type,
        )
        if not self.importing.settle(made, rivals, path):
            return
        try:
            made.clean_fields()  # First: what it works on says which filter fits.
        except ValidationError as error:
            problems.add_invalid(path, error)
            return
        made.filter = self.filters.chosen_by(
            row, path, made.feedback_type, made.subject_kind
        )
        checks = list(self._checks(row, path))
        actions = list(self._actions(made, row, path))
        if len(problems.messages) == before:
            self._keep(made, checks, actions, row, path)

    def _checks(self, row: Any, path: str) -> Iterator[ListenerCheck]:
        project, problems = self.importing.project, self.problems
        actor = self.importing.actor
        for where, data, check in self._parts(ListenerCheck, "checks", row, path):
            name, at = data.get("secret"), member(where, "secret")
            check.secret = secret_named(project, name, actor, at, problems)
            name, at = data.get("api_key"), member(where, "api_key")
            check.api_key = key_named(project, name, actor, at, problems)
            yield check

    def _actions(self, of: Listener, row: Any, path: str) -> Iterator[ListenerAction]:
        for where, data, action in self._parts(ListenerAction, "actions", row, path):
            action.macro = self.macros.read(
                data, of.feedback_type, where, self.problems
            )
            if action.kind == ActionKind.RUN and "macro" not in data:
                self.problems.add(member(where, "macro"), "This action needs it.")
            yield action

    def _parts(
        self, model: type[Part], name: str, row: Any, path: str
    ) -> Iterator[tuple[str, Document, Part]]:
        """Each with its path and with what the file says of it."""
        fields, named = settings_of(model), _NAMED[model]
        for where, data in read_rows(row, name, path, self.problems):
            values = read_members(
                data, where, self.problems, fields=fields, parts=named
            )
            if isinstance(data, dict):
                yield where, data, model(**values)

    def _keep(
        self,
        made: Listener,
        checks: list[ListenerCheck],
        actions: list[ListenerAction],
        row: Document,
        path: str,
    ) -> None:
        is_new, done = made.pk is None, self.importing.made
        try:
            save_listener(made, checks, actions, self.importing.actor, note=NOTE)
        except ValidationError as error:
            self.problems.add_invalid(path, error)
            return
        (done.listeners if is_new else done.replaced).append(made)
        sentence = f"Listener {made} {'is new' if is_new else 'is replaced'}"
        sentence += "." if made.is_active else ", and off."
        if is_new:
            sentence += " It gets an address of its own."
        if names := secret_names({"listeners": [row]}):
            sentence += f" Secrets it uses: {', '.join(names)}."
        done.sentences.append(sentence)


def _new(owner: FeedbackType | Project) -> Listener:
    if isinstance(owner, FeedbackType):
        made = Listener(feedback_type=owner)
    else:
        made = Listener(project=owner)
    made.find_owners()
    return made
