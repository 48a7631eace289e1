"""The search in the header: tickets, testers, macros and runs that a person may see.

Each kind is searched as its own list is, by the admin that shows the list, so that a
search finds the same here and there. Nothing is counted, and of each kind only the
first few are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import capfirst

from feedback.console.scoping import ScopedAdmin
from feedback.models import Feedback, Tester
from feedback.selection.conditions import search_words
from feedback.texts import NUMBER
from logs.models import Run
from macros.models import Macro

# Matches that are shown of one kind; its list has the rest.
SHOWN = 8
KINDS: dict[type[Model], str] = {
    Feedback: "inbox",
    Tester: "users",
    Macro: "zap",
    Run: "play",
}


@dataclass(frozen=True, slots=True)
class Group:
    """The matches of one kind, and where its list shows all of it."""

    name: str
    icon: str
    rows: list[Model]
    has_more: bool
    list_url: str


def search_page(site: Any, request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    context = {
        **site.each_context(request),
        "title": "Search",
        "searched_for": text,
        "groups": [],
        "problem": "",
    }
    try:
        words = search_words(text)
    except ValidationError as error:
        context["problem"] = " ".join(error.messages)
    else:
        context["groups"] = list(_results(site, request, text)) if words else []
    return TemplateResponse(request, "admin/search.html", context)


def _results(site: Any, request: HttpRequest, text: str) -> Iterable[Group]:
    for model, icon in KINDS.items():
        model_admin: ScopedAdmin[Any] = site.get_model_admin(model)
        if not model_admin.has_view_permission(request):
            continue
        rows = list(islice(_rows(model_admin, request, text), SHOWN + 1))
        if rows:
            opts = model._meta
            url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
            query = urlencode({model_admin.search_parameter: text})
            yield Group(
                capfirst(str(opts.verbose_name_plural)),
                icon,
                rows[:SHOWN],
                len(rows) > SHOWN,
                f"{url}?{query}",
            )


def _rows(
    model_admin: ScopedAdmin[Any], request: HttpRequest, text: str
) -> Iterable[Model]:
    """First the row that the text names, then what has all its words, newest first."""
    rows = _with_names(model_admin.get_queryset(request))
    named = _named(rows, text)
    yield from named
    known = {row.pk for row in named}
    matching = model_admin.matching(request, rows, text)
    for row in matching.order_by("-pk")[: SHOWN + 1]:
        if row.pk not in known:
            yield row


def _with_names(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With what a result says beside the name of its row."""
    if rows.model is Feedback:
        return rows.select_related("feedback_type__project", "status", "submitter")
    if rows.model is Tester:
        return rows.select_related("community")
    if rows.model is Macro:
        return rows.select_related("feedback_type__project", "project", "community")
    return rows


def _named(rows: QuerySet[Any], text: str) -> list[Any]:
    """The tickets of this reference, or the run of this number."""
    if rows.model is Feedback:
        return list(rows.filter(reference=text.upper()).order_by("-pk")[: SHOWN + 1])
    number = text.lower().removeprefix("run").strip()
    if rows.model is Run and NUMBER.fullmatch(number):
        return list(rows.filter(pk=int(number)))
    return []
