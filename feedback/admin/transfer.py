"""Pages that bring tickets in from a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from logs import audit
from logs.models import Action
from macros import queue
from macros.models import Trigger

from ..access.actors import may
from ..access.keys import Actor
from ..access.roles import ADD_TESTER
from ..models import FeedbackType, ImportState, TicketImport
from ..models.imports import AT_WORK
from ..texts import NUMBER
from ..transfer import imports, intake, uploads
from ..transfer.cells import safe_cell
from ..transfer.errors import FileUnreadable
from ..transfer.imports import AT_ONCE
from .exporting import export_view

IMPORT = "feedback.add_ticketimport"
# What a page shows of a file: its first rows, and what is wrong with the first ones.
SHOWN_ROWS = 10
SHOWN_FAULTS = 100
_TEMPLATES = "admin/feedback/feedback"


class FileForm(forms.Form):
    file = forms.FileField(
        label="CSV or XLSX file",
        help_text="The first row names the columns. At most 50,000 rows.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx,.txt,.tsv"}),
    )
    makes_testers = forms.BooleanField(
        label="Add unknown submitters as testers",
        required=False,
        help_text="If this is off, a row whose submitter the community does not know is"
        " refused.",
    )

    def __init__(self, *args: Any, may_make_testers: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_make_testers:
            del self.fields["makes_testers"]


def urls(page: Any) -> list[URLPattern]:
    """Below the list of tickets; `page` is its admin."""

    def view(serve: Any) -> Any:
        def served(request: HttpRequest, **given: Any) -> HttpResponseBase:
            response: HttpResponseBase = serve(page, request, **given)
            return response

        return page.admin_site.admin_view(served)

    name = "feedback_feedback"
    return [
        path("import/", view(import_view), name=f"{name}_import"),
        path("import/<row:pk>/", view(imported_view), name=f"{name}_imported"),
        path("import/<row:pk>/refused/", view(refused_view), name=f"{name}_refused"),
        path("export/<str:form>/", view(export_view), name=f"{name}_export"),
    ]


def import_view(page: Any, request: HttpRequest) -> HttpResponseBase:
    if not request.user.has_perm(IMPORT):
        raise PermissionDenied
    types = FeedbackType.objects.visible_to(request.user, IMPORT)
    types = types.filter(deleting_since=None).select_related("project__community")
    given = request.GET.get("type", "")
    number = int(given) if NUMBER.fullmatch(given) else 0
    chosen = types.filter(pk=number).first()
    context = {**page.admin_site.each_context(request), "opts": page.opts}
    if chosen is None:
        context |= {"title": "Tickets of which type?", "types": types}
        return TemplateResponse(request, f"{_TEMPLATES}/import_type.html", context)
    form = _form_for(request, chosen)
    if request.method == "POST" and form.is_valid():
        made = _begun(request, form, chosen)
        if made is not None:
            url = reverse("admin:feedback_feedback_imported", args=[made.pk])
            return HttpResponseRedirect(url)
    context |= {
        "title": f"Import tickets: {chosen.name}",
        "form": form,
        "type": chosen,
        "questions": chosen.form_fields.all(),
        "latest": chosen.imports.defer("upload")[:10],
    }
    return TemplateResponse(request, f"{_TEMPLATES}/import.html", context)


def _form_for(request: HttpRequest, chosen: FeedbackType) -> FileForm:
    community = chosen.project.community
    return FileForm(
        request.POST or None,
        request.FILES or None,
        may_make_testers=may(request.user, ADD_TESTER, community),
    )


def _begun(
    request: HttpRequest, form: FileForm, chosen: FeedbackType
) -> TicketImport | None:
    file = form.cleaned_data["file"]
    try:
        made = uploads.begin(
            chosen,
            file,
            file.name,
            request.user,
            makes_testers=form.cleaned_data.get("makes_testers", False),
        )
    except FileUnreadable as problem:
        form.add_error("file", str(problem))
        return None
    if made.state in AT_WORK:
        queue.notify_import(made.pk)
    return made


def imported_view(page: Any, request: HttpRequest, pk: int) -> HttpResponseBase:
    row = _row(request, pk)
    if request.method == "POST":
        return _acted(page, request, row)
    parts = row.parts.order_by("start")
    sample = parts.first()
    faults = _faults(parts)
    shown = [fault for _, fault in zip(range(SHOWN_FAULTS), faults, strict=False)]
    context = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "title": f"Import of {row.file_name}",
        "row": row,
        "is_at_work": row.state in AT_WORK,
        "sample": sample.rows[:SHOWN_ROWS] if sample else [],
        "faults": shown,
        "bar": _bar(row),
        "starting": _starting(row, request.user),
        "accepted": row.created + row.updated,
        "left": row.rows - row.position,
        "has_worker": row.state not in AT_WORK or queue.has_worker(),
    }
    return TemplateResponse(request, f"{_TEMPLATES}/imported.html", context)


def _acted(page: Any, request: HttpRequest, row: TicketImport) -> HttpResponse:
    if not may(request.user, IMPORT, row.feedback_type):
        raise PermissionDenied
    if "start" in request.POST and imports.start(row):
        detail = f"Import {row.pk} of {row.rows:,} rows into it has begun."
        audit.record(Action.CHANGED, row.feedback_type, detail=detail)
        if row.rows <= AT_ONCE:
            imports.finish(row)
        else:
            queue.notify_import(row.pk)
    elif "abort" in request.POST and imports.abort(row):
        row.refresh_from_db()
        messages.info(
            request,
            f"Stopped after {row.position:,} of {row.rows:,} rows. What was imported"
            " stays; no row is half done.",
        )
    return HttpResponseRedirect(request.path)


def refused_view(page: Any, request: HttpRequest, pk: int) -> HttpResponseBase:
    """The rows at fault as a file, to mend and import again."""
    row = _row(request, pk)

    def lines() -> Iterator[str]:
        writer = csv.writer(_Echo())
        header = [*row.header, "what is wrong (delete this column)"]
        yield "\ufeff" + writer.writerow(safe_cell(each) for each in header)
        for part in row.parts.order_by("start"):
            sentences: dict[int, list[str]] = {}
            for number, name, sentence in part.faults:
                if name:
                    sentences.setdefault(number, []).append(f"{name}: {sentence}")
            for number, cells in part.rows:
                if number in sentences:
                    filled = [*cells, *[""] * (len(row.header) - len(cells))]
                    cells = [*filled, " ".join(sentences[number])]
                    yield writer.writerow(safe_cell(each) for each in cells)

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="refused-{row.pk}.csv"'
    return response


def _row(request: HttpRequest, pk: int) -> TicketImport:
    rows = TicketImport.objects.visible_to(request.user)
    row = (
        rows.select_related("feedback_type__project")
        .defer("upload")
        .filter(pk=pk)
        .first()
    )
    if row is None:
        raise Http404("There is no import of this number. It is kept for seven days.")
    return row


def _faults(parts: QuerySet) -> Iterator[list[object]]:
    for faults in parts.values_list("faults", flat=True).iterator(chunk_size=20):
        yield from (fault for fault in faults if fault[1])


@dataclass(frozen=True)
class Starting:
    """A trigger that would start; None where its name is not for this person."""

    trigger: Trigger | None
    rows: int
    asks_first: bool


def _starting(row: TicketImport, user: Actor) -> list[Starting]:
    """What a checked import would start, the most first."""
    if row.state != ImportState.CHECKED or not row.forecast:
        return []
    shown = Trigger.objects.visible_to(user).filter(pk__in=row.forecast)
    known = {str(each.pk): each for each in shown.select_related("macro")}
    starting = []
    for key, rows in sorted(row.forecast.items(), key=lambda pair: -pair[1]):
        trigger = known.get(key)
        asks = trigger is not None and min(rows, intake.PART) > trigger.limit
        starting.append(Starting(trigger, rows, asks))
    return starting


def _bar(row: TicketImport) -> list[tuple[str, int, str]]:
    is_check = row.state in (ImportState.CHECKING, ImportState.CHECKED)
    return [
        ("good", row.created, "new" if is_check else "made"),
        ("info", row.updated, "to be changed" if is_check else "changed"),
        ("idle", row.unchanged, "unchanged"),
        ("bad", row.refused, "refused"),
        ("waiting", row.rows - row.position, "left"),
    ]


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text
