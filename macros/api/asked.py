"""Bodies that are read as the config files are: one reader, the same sentences."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Model
from rest_framework import serializers
from rest_framework.request import Request

from feedback.access.keys import Actor, KeyActor
from feedback.changes.signals import saved
from feedback.changes.stored import as_stored
from feedback.models import Community, FeedbackType, Project
from feedback.rest.asked import refuse_unknown
from feedback.rest.details import Fault
from feedback.rest.idempotency import fingerprint
from feedback.rest.problems import in_body, invalid
from feedback.texts import is_pk

from ..config import ConfigRefused, Document, Problems

Owner = FeedbackType | Project | Community

_OWNERS: Mapping[str, type[Any]] = {
    "type": FeedbackType,
    "project": Project,
    "community": Community,
}
_PIECES = re.compile(r"[^.\[\]]+")


def asked_of(
    serializer: type[serializers.Serializer], request: Request
) -> dict[str, Any]:
    asked = serializer(data=request.data)
    asked.is_valid(raise_exception=True)
    data: dict[str, Any] = asked.validated_data
    return data


class DocumentSerializer(serializers.ModelSerializer):
    """A body that `write` makes a row of; the fields say what it may hold.

    What is given as it was read stays as it is stored, so that a row can be sent back
    as a whole.
    """

    # Members that a row has from the first and keeps.
    fixed: ClassVar[Collection[str]] = ()

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """`save` reads the body, under the locks of what it changes."""
        return data

    def save(self, **kwargs: Any) -> Any:
        """The row that was written. Raises Problem, PermissionDenied."""
        body = {**self.initial_data}
        if self.instance is not None:
            shown = self.context["view"].representation(self.instance)
            body = {n: v for n, v in body.items() if not _is_same(shown, n, v)}
        writable = [name for name, each in self.fields.items() if not each.read_only]
        refuse_unknown(body, writable, self.fixed if self.instance else ())
        if self.instance is not None and not body:
            return self.instance
        problems = Problems()
        try:
            with transaction.atomic():
                self.instance = self.write(body, problems)
                problems.refuse()
        except ConfigRefused:
            raise invalid(faults_in(problems, body)) from None
        return self.instance

    def write(self, body: Document, problems: Problems) -> Model:
        """Raises ConfigRefused, PermissionDenied."""
        raise NotImplementedError

    @property
    def actor(self) -> Any:
        return self.context["request"].user


def switch(row: Any, is_on: bool) -> None:
    """On or off, whatever else is wrong with the row."""
    before = as_stored(row)
    row.is_active = is_on
    row.save(update_fields=["is_active"])
    saved.send(type(row), before=before, after=row, parts=[], note="")


def _is_same(shown: Mapping[str, object], name: str, value: object) -> bool:
    return name in shown and fingerprint(shown[name]) == fingerprint(value)


def faults_in(
    problems: Problems,
    body: object,
    names: Mapping[str, str] = {"feedback_type": "type"},
) -> Iterator[Fault]:
    for path, sentence in problems.faults:
        steps = list(_steps(path, body))
        if steps and steps[0] in names:
            steps[0] = names[str(steps[0])]
        yield in_body(steps, sentence)


def _steps(path: str, body: object) -> Iterator[object]:
    """`steps[0].url` in pieces; a member's own name may have dots and brackets."""
    while path:
        known: dict[str, object] = body if isinstance(body, dict) else {}
        fitting = (name for name in known if name and _begins(path, name))
        name = max(fitting, key=len, default="")
        if not name:
            match = _PIECES.search(path)
            if match is None:
                return
            yield match[0]
            path = path[match.end() :].lstrip("].")
            is_place = isinstance(body, list) and match[0].isdecimal()
            body = _at(body, int(match[0])) if is_place else None
            continue
        yield name
        path = path[len(name) :].lstrip(".")
        body = known[name]


def _begins(path: str, name: str) -> bool:
    return path.startswith(name) and path[len(name) : len(name) + 1] in ("", ".", "[")


def _at(rows: Any, index: int) -> object:
    return rows[index] if index < len(rows) else None


def owner_in(body: Document, actor: Actor, permission: str) -> Owner:
    """Whom a new row belongs to; what says so is taken out of the body.

    What the actor can't see does not exist for it. Raises Problem.
    """
    given = {name: body.pop(name) for name in _OWNERS if name in body}
    given = {name: number for name, number in given.items() if number is not None}
    if not given and isinstance(actor, KeyActor):
        return actor.key.project or actor.key.community
    if len(given) != 1:
        problem = "Say whose it is: give one of type, project, community."
        raise invalid(in_body(path, problem) for path in [[n] for n in given] or [[]])
    [(name, number)] = given.items()
    if type(number) is not int:
        raise invalid([in_body([name], "Give its number.")])
    row = row_seen(_OWNERS[name], number, actor, "", permission)
    if row is None:
        noun = _OWNERS[name]._meta.verbose_name
        raise invalid([in_body([name], f"There is no {noun} {number}.")])
    owner: Owner = row
    return owner


def row_seen(model: type[Any], number: object, actor: Actor, *permissions: str) -> Any:
    """The row of this number on which the actor has one of the permissions, or None."""
    if not is_pk(number):
        return None
    rows = model._default_manager.filter(pk=number)
    seen = (rows.visible_to(actor, each).first() for each in permissions)
    return next((row for row in seen if row is not None), None)
