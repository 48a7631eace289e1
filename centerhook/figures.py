"""The figures of one macro and of one destination, on pages of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin import AdminSite
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from feedback.console.charts import Chart
from logs.figures.deliveries import (
    Figures,
    Rows,
    Totals,
    figures,
    totals_by,
    visible_to,
)
from logs.figures.drawing import deliveries_chart, outcomes_bar
from logs.figures.failing import reasons_of
from logs.figures.periods import Period
from logs.models import Destination
from macros.models import Macro

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
    tables: Mapping[str, list[Listed]]
    reason: str = ""

    @property
    def periods(self) -> list[Period]:
        return list(Period)


def shown_of(
    request: HttpRequest, rows: Rows, tables: Mapping[str, type[Model]], now: datetime
) -> Shown:
    """The figures of some rows, and the busiest of each kind in them."""
    period = Period.named(request.GET.get("period"))
    result = figures(rows, period, now)
    newest = result.total.last_failed
    return Shown(
        result,
        deliveries_chart(result),
        {
            title: _busiest(request.user, model, rows, period, now)
            for title, model in tables.items()
        },
        reasons_of([newest]).get(newest, ""),
    )


def _busiest(
    user: User | AnonymousUser,
    model: type[Model],
    rows: Rows,
    period: Period,
    now: datetime,
) -> list[Listed]:
    """Those that are still there, and that the user may see."""
    column = str(model._meta.model_name)
    busiest = totals_by(column, rows, period, now, MAX_LISTED)
    visible = model._default_manager.visible_to(user)  # type: ignore[attr-defined]
    if model is Macro:
        visible = visible.select_related("project")
    there = visible.in_bulk([pk for pk, _ in busiest])
    return [Listed(there[pk], totals) for pk, totals in busiest if pk in there]


def _page(
    site: AdminSite, model: type[Model], tables: Mapping[str, type[Model]]
) -> Callable[..., HttpResponse]:
    column = str(model._meta.model_name)
    label = model._meta.label_lower.replace(".", "_")
    log = "run__macro" if model is Macro else column

    def page(request: HttpRequest, pk: int) -> HttpResponse:
        visible = model._default_manager.visible_to(request.user)  # type: ignore[attr-defined]
        row = visible.filter(pk=pk).first()
        if row is None:
            raise Http404(f"No {model._meta.verbose_name} of this number.")
        rows = visible_to(request.user).filter(**{column: pk})
        context = {
            **site.each_context(request),
            "title": f"Figures of {row}",
            "row": row,
            "opts": model._meta,
            "list_url": reverse(f"admin:{label}_changelist"),
            "row_url": reverse(f"admin:{label}_change", args=[pk]),
            "log_url": f"{reverse('admin:logs_delivery_changelist')}?{log}={pk}",
            "shown": shown_of(request, rows, tables, timezone.now()),
        }
        return TemplateResponse(request, "admin/figures/page.html", context)

    return page


def urls_of(site: AdminSite) -> list[URLPattern]:
    pages = {
        "macro": _page(site, Macro, {"Destinations": Destination}),
        "destination": _page(site, Destination, {"Macros": Macro}),
    }
    return [
        path(f"figures/{name}/<int:pk>/", site.admin_view(page), name=f"{name}_figures")
        for name, page in pages.items()
    ]
