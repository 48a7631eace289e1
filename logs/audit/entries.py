"""The one write path of the audit log: who did what, when and from where.

An entry is written in the transaction of what it tells about, and is gone with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Model

from feedback.access.actors import Tenancy
from feedback.access.addresses import client_address
from feedback.access.keys import Actor, KeyActor
from feedback.access.privacy import NOTHING_PERSONAL
from feedback.access.requests import present, process_name

from ..models import Action, AuditEntry, Run
from .differences import Changes, name_of, shortened

Columns = dict[str, Any]
T = TypeVar("T")

_MAX_DETAIL = 500
_MAX_ACTOR = 150
# Rows in one statement.
_CHUNK = 500


def record(
    action: Action,
    row: Model | None,
    *,
    actor: Actor | str | None = None,
    changes: Changes | None = None,
    detail: str = "",
    run: Run | None = None,
) -> AuditEntry:
    """Write one entry about a row as it is stored; a deletion before it happens.

    `actor` is a user, an API key's actor or a name; if not given, whoever the request
    is from.
    """
    values = _actor(actor)
    if row is not None:
        values |= _object(row) | _owners([row]).get(row.pk, {})
    if run is not None:
        values["run"] = run
    entry = AuditEntry(action=action, changes=changes or {}, **values)
    entry.detail = shortened(detail, _MAX_DETAIL)
    entry.save()
    return entry


def record_deletions(rows: Iterable[Model]) -> None:
    """An entry for each row, all of one model, before they are deleted."""
    who = _actor(None)
    for chunk in _batches(rows):
        owners = _owners(chunk)
        AuditEntry.objects.write(
            AuditEntry(
                action=Action.DELETED, **who, **_object(row), **owners.get(row.pk, {})
            )
            for row in chunk
        )


def record_together(
    model: type[Model],
    changes: Mapping[int, Changes],
    new: Collection[int] = (),
) -> None:
    """An entry for each row that was changed, or is new, by the rows' keys."""
    who = _actor(None)
    hidden = getattr(model, "privacy", NOTHING_PERSONAL).texts
    for chunk in _batches(changes):
        rows = list(model._base_manager.filter(pk__any_of=chunk).defer(*hidden))
        owners = _owners(rows)
        AuditEntry.objects.write(
            AuditEntry(
                action=Action.CREATED if row.pk in new else Action.CHANGED,
                changes=changes[row.pk],
                **who,
                **_object(row),
                **owners.get(row.pk, {}),
            )
            for row in rows
        )


def _batches(rows: Iterable[T]) -> Iterator[list[T]]:
    left = iter(rows)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk


def _actor(actor: Actor | str | None) -> Columns:
    request = present()
    values: Columns = {"address": client_address(request) if request else ""}
    if actor is None and request is not None:
        actor = getattr(request, "user", None)
    if isinstance(actor, KeyActor):
        values |= {"actor_name": actor.key.name, "api_key": actor.key.prefix}
    elif isinstance(actor, AbstractBaseUser):
        values |= {"actor_id": actor.pk, "actor_name": actor.get_username()}
    elif isinstance(actor, str):
        values["actor_name"] = actor
    elif request is None:
        values["actor_name"] = process_name()
    values["actor_name"] = shortened(values.get("actor_name", ""), _MAX_ACTOR)
    return values


def _object(row: Model) -> Columns:
    values: Columns = {
        "object_type": row._meta.label_lower,
        "object_id": row.pk,
        "object_name": name_of(row),
    }
    return values | ({"run": row} if isinstance(row, Run) else {})


def _owners(rows: Sequence[Model]) -> dict[int, Columns]:
    """Community and project of rows of one model, by the rows' keys."""
    model = type(rows[0])
    tenancy: Tenancy | None = getattr(model, "tenancy", None)
    if tenancy is None:
        return {}
    columns = _columns("community", tenancy.community)
    if tenancy.project and not tenancy.is_many:
        columns |= _columns("project", tenancy.project)
    paths = list(dict.fromkeys(["pk", *columns.values()]))
    rows_of_model = model._base_manager.filter(pk__in=[row.pk for row in rows])
    owners = {}
    for values in rows_of_model.values_list(*paths):
        by_path = dict(zip(paths, values, strict=True))
        owners[by_path["pk"]] = {
            column: by_path[path]
            for column, path in columns.items()
            if by_path[path] is not None
        }
    return owners


def _columns(name: str, path: str) -> dict[str, str]:
    """The entry's columns, and the look-ups from the row to their values."""
    its_name = "name" if path == "pk" else f"{path}__name"
    return {f"{name}_id": path, f"{name}_name": its_name}
