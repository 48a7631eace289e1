"""What happened to one object, for whoever may see it: with values before and after.

The audit log is for those who manage a community. This page shows of it what is about
an object that its reader sees anyway, without addresses and parts of keys. What became
of the rows below it, such as the steps of a macro, has its values for those who may
change the object: others may not read these rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timezone import localtime

from feedback.texts import NUMBER

from ..models import AuditEntry

# Entries on one page; a link leads to older ones.
MAX_LISTED = 50
OLDER = "before"
# Between the name of a row below and that of its field.
_PART = ": "
_WITHHELD = "changed"
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:")


@dataclass(frozen=True, slots=True)
class Event:
    """One entry, as far as its reader may know it."""

    at: datetime
    who: str
    action: str
    detail: str
    changes: list[tuple[str, Any, Any]]
    run: int | None


def changes_in_words(
    entry: AuditEntry, *, whole: bool = True
) -> list[tuple[str, Any, Any]]:
    """Name, before and after of each field; without values of parts if not `whole`."""
    rows = []
    for name, (before, after) in sorted(entry.changes.items()):
        if not whole and _PART in name:
            before, after = "", _WITHHELD
        label = capfirst(name.replace("_", " "))
        rows.append((label, _shown(before), _shown(after)))
    return rows


def _shown(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if _MOMENT.match(text) and (moment := _parsed(text)):
        return date_format(localtime(moment), "j M Y, H:i:s")
    return text


def _parsed(text: str) -> datetime | None:
    """A moment with its zone; nothing else."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def _event(entry: AuditEntry, whole: bool) -> Event:
    name = entry.actor_name
    return Event(
        at=entry.moment,
        who=f"API key {name}" if entry.api_key else name or "Unknown",
        action=entry.get_action_display(),
        detail=entry.detail,
        changes=changes_in_words(entry, whole=whole),
        run=entry.run_id,
    )


def history_page(site: Any, request: HttpRequest, label: str, pk: int) -> HttpResponse:
    """Raises Http404 for what the user does not see, as the object's own page does."""
    model_admin, row = _object(site, request, label, pk)
    whole = model_admin.has_change_permission(request, row)
    whole = whole or request.user.has_perm("logs.view_auditentry")
    entries = AuditEntry.objects.filter(object_type=label, object_id=pk)
    older = request.GET.get(OLDER, "")
    if NUMBER.fullmatch(older):
        entries = entries.filter(pk__lt=older)
    some = list(entries.order_by("-pk")[: MAX_LISTED + 1])
    opts = row._meta
    page = f"admin:{opts.app_label}_{opts.model_name}"
    context = {
        **site.each_context(request),
        "title": f"History of {row}",
        "opts": opts,
        "row": row,
        "events": [_event(each, whole) for each in some[:MAX_LISTED]],
        "older": some[MAX_LISTED - 1].pk if len(some) > MAX_LISTED else None,
        "row_url": reverse(f"{page}_change", args=[pk]),
        "list_url": reverse(f"{page}_changelist"),
        "list_name": capfirst(opts.verbose_name_plural),
    }
    return TemplateResponse(request, "admin/logs/auditentry/history.html", context)


def _object(site: Any, request: HttpRequest, label: str, pk: int) -> tuple[Any, Model]:
    for model, model_admin in site._registry.items():
        if model._meta.label_lower == label:
            row = model_admin.get_object(request, str(pk))
            if row is None:
                break
            if not model_admin.has_view_or_change_permission(request, row):
                raise PermissionDenied
            return model_admin, row
    raise Http404("Nothing of this number.")
