"""What the log of calls is narrowed by, in ways that a million rows can bear."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from feedback.console.paging import MAX_LISTED
from feedback.texts import NUMBER

from ..models import CallState, InboundCall, InboundEvent, InboundOutcome, Listener

Choices = list[tuple[str, str]]
MAX_LISTENERS = 50


class ListenerFilter(admin.SimpleListFilter):
    title = "listener"
    parameter_name = "listener"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The user's own; one that another page leads to is among them."""
        rows = Listener.objects.visible_to(request.user)
        offered = {row.pk: row for row in rows.order_by("name")[:MAX_LISTENERS]}
        wanted = number_in(request.GET.get(self.parameter_name))
        if wanted is not None and wanted not in offered:
            offered |= {row.pk: row for row in rows.filter(pk=wanted)}
        return [(str(pk), row.name) for pk, row in offered.items()]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        pk = number_in(self.value())
        return queryset.none() if pk is None else queryset.filter(listener=pk)


class OutcomeFilter(admin.SimpleListFilter):
    """Calls of which an event came to this: those of the newest such events."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        waiting = (str(CallState.WAITING), str(CallState.WAITING.label))
        return [waiting, *((str(k), str(v)) for k, v in InboundOutcome.choices)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        outcome = self.value()
        if not outcome:
            return queryset
        if outcome == CallState.WAITING:
            return queryset.filter(state=CallState.WAITING)
        if outcome not in InboundOutcome.values:
            return queryset.none()
        events = InboundEvent.objects.visible_to(request.user)
        listener = number_in(request.GET.get(ListenerFilter.parameter_name))
        if listener is not None:
            events = events.filter(listener=listener)
        return calls_with(queryset, events.filter(outcome=outcome))


class RecordFilter(admin.SimpleListFilter):
    """The calls about one ticket or tester; offered where its own page leads here."""

    parameter_name = column = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        wanted = request.GET.get(self.parameter_name, "")
        return [(wanted, f"Number {wanted[:18]}")] if wanted else []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        pk = number_in(self.value())
        if pk is None:
            return queryset.none()
        events = InboundEvent.objects.visible_to(request.user)
        return calls_with(queryset, events.filter(**{self.column: pk}))


class TicketFilter(RecordFilter):
    title = "ticket"
    parameter_name = column = "feedback"


class TesterFilter(RecordFilter):
    title = "tester"
    parameter_name = column = "tester"


def calls_with(
    calls: QuerySet[InboundCall], events: QuerySet[InboundEvent]
) -> QuerySet[InboundCall]:
    newest = events.order_by("-pk").values("call")[:MAX_LISTED]
    return calls.filter(pk__in=newest)


def number_in(text: str | None) -> int | None:
    return int(text) if text and NUMBER.fullmatch(text) else None
