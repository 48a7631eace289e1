"""The figures of one macro and of one destination, on pages of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from feedback.console.charts import Chart
from logs.figures.deliveries import (
    Figures,
    Pair,
    Rows,
    Totals,
    busiest,
    figures,
    pairs,
    summed,
    visible_to,
)
from logs.figures.drawing import deliveries_chart, outcomes_bar
from logs.figures.failing import reasons_of
from logs.figures.periods import Period
from logs.models import Destination
from macros.models import Macro

Kind = type[Macro] | type[Destination]
# Rows of the tables of macros and destinations.
MAX_LISTED = 10


@dataclass(frozen=True, slots=True)
class Listed:
    """A macro or destination in a table, with its figures."""

    row: Macro | Destination
    totals: Totals

    @property
    def url(self) -> str:
        return reverse(f"admin:{self.row._meta.model_name}_figures", args=[self.row.pk])

    @property
    def where(self) -> str:
        """The project of a macro: several have one of the same name."""
        project = getattr(self.row, "project", None)
        return project.name if project else ""

    @property
    def bar(self) -> SafeString:
        return outcomes_bar(self.totals, str(self.row))


@dataclass(frozen=True, slots=True)
class Shown:
    """What the part of a page with the figures of deliveries shows."""

    figures: Figures
    chart: Chart
    pairs: list[Pair]
    tables: dict[str, list[Listed]]
    reason: str = ""

    @property
    def periods(self) -> list[Period]:
        return list(Period)


def shown_of(
    request: HttpRequest, rows: Rows, kinds: Sequence[Kind], now: datetime
) -> Shown:
    """The figures of some rows, and the busiest of each kind in them."""
    period = Period.named(request.GET.get("period"))
    result = figures(rows, period, now)
    split = pairs(rows, period, now)
    tables = {
        str(kind._meta.verbose_name_plural).capitalize(): _busiest(
            request.user, kind, split
        )
        for kind in kinds
    }
    return Shown(result, deliveries_chart(result), split, tables)


def _busiest(
    user: User | AnonymousUser, kind: Kind, split: Iterable[Pair]
) -> list[Listed]:
    """Those that are still there, and that the user may see."""
    column = str(kind._meta.model_name)
    sums = summed((getattr(pair, column), pair.totals) for pair in split)
    first = busiest(sums, MAX_LISTED)
    rows: Any = kind.objects.visible_to(user)
    if kind is Macro:
        rows = rows.select_related("project")
    there = rows.in_bulk([pk for pk, _ in first])
    return [Listed(there[pk], totals) for pk, totals in first if pk in there]


def _page(site: AdminSite, kind: Kind, others: Kind) -> Callable[..., HttpResponse]:
    column = str(kind._meta.model_name)
    label = kind._meta.label_lower.replace(".", "_")
    log = "run__macro" if kind is Macro else column

    def page(request: HttpRequest, pk: int) -> HttpResponse:
        row = kind.objects.visible_to(request.user).filter(pk=pk).first()
        if row is None:
            raise Http404(f"No {kind._meta.verbose_name} of this number.")
        rows = visible_to(request.user).filter(**{column: pk})
        shown = shown_of(request, rows, [others], timezone.now())
        newest = shown.figures.total.last_failed
        context = {
            **site.each_context(request),
            "title": f"Figures of {row}",
            "row": row,
            "opts": kind._meta,
            "list_url": reverse(f"admin:{label}_changelist"),
            "row_url": reverse(f"admin:{label}_change", args=[pk]),
            "log_url": f"{reverse('admin:logs_delivery_changelist')}?{log}={pk}",
            "shown": replace(shown, reason=reasons_of([newest]).get(newest, "")),
        }
        return TemplateResponse(request, "admin/figures/page.html", context)

    return page


def urls_of(site: AdminSite) -> list[URLPattern]:
    pages = {
        "macro": _page(site, Macro, Destination),
        "destination": _page(site, Destination, Macro),
    }
    return [
        path(f"figures/{name}/<row:pk>/", site.admin_view(page), name=f"{name}_figures")
        for name, page in pages.items()
    ]
