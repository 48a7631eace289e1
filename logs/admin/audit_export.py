"""Entries of the audit log as a file, row by row."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator

from django.apps import apps
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import capfirst

from feedback.access.actors import is_above_roles
from feedback.access.keys import Actor
from feedback.models import Community
from feedback.transfer.cells import safe_cell

from .. import audit
from ..models import Action, AuditEntry

# Rows fetched at a time.
_CHUNK = 2000


def type_name(label: str) -> str:
    """How people call a model."""
    try:
        return str(capfirst(apps.get_model(label)._meta.verbose_name))
    except (LookupError, ValueError):
        return label


def export(
    user: Actor, rows: QuerySet[AuditEntry], form: str, filtered: str
) -> StreamingHttpResponse:
    """Stream the rows as `csv` or `ndjson`; that it was done is an entry too."""
    if form not in _FORMS:
        raise Http404("There are two formats: csv and ndjson.")
    content_type, lines = _FORMS[form]
    first_own = _tell(user, f"{form.upper()} of the audit log: {filtered}")
    # Not the entries that tell of this, and none that comes while it is read.
    seen = rows.filter(pk__lt=first_own).order_by("pk")
    response = StreamingHttpResponse(
        lines(seen.iterator(chunk_size=_CHUNK)), content_type=content_type
    )
    name = f"audit-{timezone.now():%Y%m%d-%H%M%S}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@transaction.atomic
def _tell(user: Actor, detail: str) -> int:
    """Record it in each community whose entries may be in it.

    Returns the key of the first entry.
    """
    if is_above_roles(user):
        return audit.record(Action.EXPORTED, None, detail=detail).pk
    communities = Community.objects.visible_to(user, "logs.view_auditentry")
    return min(
        audit.record(Action.EXPORTED, community, detail=detail).pk
        for community in communities
    )


def _values(entry: AuditEntry) -> dict[str, object]:
    return {
        "id": entry.pk,
        "moment": entry.moment.isoformat(),
        "who": entry.actor_name,
        "api_key": entry.api_key,
        "address": entry.address,
        "action": entry.action,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
        "object": entry.object_name,
        "community": entry.community_name,
        "project": entry.project_name,
        "run": entry.run_id,
        "changes": entry.changes,
        "detail": entry.detail,
    }


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _csv(entries: Iterable[AuditEntry]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(_values(AuditEntry()))
    for entry in entries:
        values = _values(entry)
        values["changes"] = "\n".join(
            f"{name}: {before} -> {after}"
            for name, (before, after) in sorted(entry.changes.items())
        )
        yield writer.writerow([safe_cell(value) for value in values.values()])


def _ndjson(entries: Iterable[AuditEntry]) -> Iterator[str]:
    for entry in entries:
        yield json.dumps(_values(entry), ensure_ascii=False) + "\n"


_FORMS: dict[str, tuple[str, Callable[[Iterable[AuditEntry]], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", _csv),
    "ndjson": ("application/x-ndjson; charset=utf-8", _ndjson),
}
