"""The list of tickets, as it is filtered, given out as a file."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from logs import audit
from logs.models import Action

from ..transfer.exports import MAX_ROWS, MAX_WORKBOOK_ROWS, Export
from .open_type import chosen_type

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def export_view(page: Any, request: HttpRequest, form: str) -> HttpResponseBase:
    """The list as it is filtered."""
    if form not in ("csv", "xlsx"):
        raise Http404("There are two formats: csv and xlsx.")
    if not page.has_view_permission(request):
        raise PermissionDenied
    rows: QuerySet = page.get_changelist_instance(request).queryset
    _check_length(rows, form)
    feedback_type = chosen_type(request)
    words = page.selection_in_words(request) or "all tickets"
    detail = f"{form.upper()} of the list: {words}"
    audit.record(Action.EXPORTED, feedback_type, detail=detail)
    return _file(Export(rows, feedback_type), form)


def _check_length(rows: QuerySet, form: str) -> None:
    """Raises BadRequest."""
    most = MAX_ROWS if form == "csv" else MAX_WORKBOOK_ROWS
    if rows.order_by()[: most + 1].count() > most:
        raise BadRequest(
            f"These are more than {most:,} tickets, and one {form.upper()} file takes"
            " no more. Narrow the list by a filter, such as a date, and export it in"
            " parts."
        )


def _file(export: Export, form: str) -> HttpResponseBase:
    name = f"tickets-{timezone.now():%Y%m%d-%H%M%S}.{form}"
    if form == "xlsx":
        return FileResponse(
            export.workbook(), as_attachment=True, filename=name, content_type=_WORKBOOK
        )
    response = StreamingHttpResponse(
        export.csv(), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
