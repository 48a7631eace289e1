"""What the webhook log is narrowed by, such that a log of millions stays quick.

Either a filter has an index (a run, a ticket, a macro through its runs), or it looks
through the newest deliveries only, and the page says so.
"""

from __future__ import annotations

import re
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from feedback.access.keys import Actor
from feedback.console.paging import MAX_LISTED
from feedback.console.parameters import CheckedList
from feedback.models import Feedback, Tester
from feedback.texts import NUMBER
from macros.models import Macro

from ..models import Cause, Delivery, Destination, ErrorClass, Run

# Deliveries that are looked through by what has no index.
MAX_LOOKED_THROUGH = 200_000
# Runs of a macro, the newest first, whose deliveries its log shows.
MAX_RUNS = 10_000
# Macros that are offered, and those that a search finds.
MAX_MACROS = 50
MACRO = "run__macro"
# Each leads to few rows by an index.
_INDEXED = frozenset({"run", "feedback", "tester", "destination", MACRO, "last_error"})
_INDEXED_STATES = frozenset({"failed", "skipped", "cancelled"})
_REFERENCE = re.compile(r"(.{1,20})-([0-9]{1,9})")

Choices = list[tuple[str, str]]


def newest(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Those among the last that were queued."""
    last = Delivery.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return rows.filter(pk__gt=last - MAX_LOOKED_THROUGH)


def select_newest_runs(macros: list[int]) -> tuple[Q, bool]:
    """Selects deliveries of the newest runs of macros, and whether these are not all.

    As many runs as fill a list: the deliveries of all would be sorted to find the
    newest of them.
    """
    rows = Run.objects.filter(macro__in=macros).order_by("-pk")
    oldest, deliveries, is_shortened = 0, 0, False
    runs = rows.values_list("pk", "total")[: MAX_RUNS + 1]
    for count, (pk, total) in enumerate(runs):
        if count == MAX_RUNS or deliveries >= MAX_LISTED:
            is_shortened = True
            break
        oldest = pk
        deliveries += total
    return Q(run__macro__in=macros, run__gte=oldest), is_shortened


class MacroFilter(admin.SimpleListFilter):
    title = "macro"
    parameter_name = MACRO
    is_shortened = False

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The macros of a user, by their names; the chosen one always."""
        visible = Macro.objects.visible_to(request.user).order_by("name", "pk")
        offered = [(str(row.pk), row.name) for row in visible[:MAX_MACROS]]
        chosen = request.GET.get(MACRO, "")
        if chosen and chosen not in dict(offered):
            rows = visible.filter(pk=chosen) if NUMBER.fullmatch(chosen) else ()
            offered += [(chosen, row.name) for row in rows] or [(chosen, "no macro")]
        return offered

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> QuerySet[Delivery]:
        chosen = self.value()
        if not chosen:
            return queryset
        if not NUMBER.fullmatch(chosen):
            return queryset.none()
        where, self.is_shortened = select_newest_runs([int(chosen)])
        return queryset.filter(where)


class CauseFilter(admin.SimpleListFilter):
    title = "cause"
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(value, str(label)) for value, label in Cause.choices]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> QuerySet[Delivery]:
        return queryset.filter(run__cause=self.value()) if self.value() else queryset


class ResponseFilter(admin.SimpleListFilter):
    """The classes of status codes, as HTTP has them."""

    title = "response"
    parameter_name = "response"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("2", "2xx: accepted"),
            ("3", "3xx: redirected"),
            ("4", "4xx: refused"),
            ("5", "5xx: an error there"),
            ("none", "No response"),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> QuerySet[Delivery]:
        match self.value():
            case None:
                return queryset
            case "none":
                return queryset.filter(last_status=None, attempts__gt=0)
            case ("2" | "3" | "4" | "5") as digit:
                first = int(digit) * 100
                return queryset.filter(last_status__range=(first, first + 99))
        return queryset.none()


class ErrorFilter(admin.SimpleListFilter):
    title = "error"
    parameter_name = "last_error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(value, str(label)) for value, label in ErrorClass.choices]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> QuerySet[Delivery]:
        return queryset.filter(last_error=self.value()) if self.value() else queryset


FILTERS: list[Any] = [
    "state",
    ResponseFilter,
    ErrorFilter,
    MacroFilter,
    CauseFilter,
    "finished_at",
]


class LogList(CheckedList):
    """The log, and a sentence where not all of it was looked through."""

    shortened = ""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet:
        rows: QuerySet = super().get_queryset(request, exclude_parameters)
        given = set(self.get_filters_params())
        has_index = bool(given & _INDEXED or self.query)
        has_index = has_index or request.GET.get("state__exact") in _INDEXED_STATES
        if given and not has_index:
            self.shortened = (
                f"These filters look through the newest {MAX_LOOKED_THROUGH:,}"
                " deliveries. To see older ones, choose a macro, or open the log of a"
                " ticket, a run or a destination."
            )
            return newest(rows)
        if any(getattr(each, "is_shortened", False) for each in self.filter_specs):
            self.shortened = (
                "The newest runs of this macro are listed. To see older deliveries,"
                " open their run or their ticket."
            )
        return rows


def rows_searched(
    rows: QuerySet[Delivery], term: str, user: Actor
) -> QuerySet[Delivery]:
    """The deliveries of the ticket, tester, macro or run that is meant.

    Where it is none of these, those that were for somebody of this name: a ticket that
    was deleted since.
    """
    text = " ".join(term.split())
    if not text:
        return rows
    where = Q()
    if match := _REFERENCE.fullmatch(text):
        prefix, number = match.groups()
        types = {"feedback_type__prefix__iexact": prefix, "number": number}
        where |= Q(feedback__in=_pks(Feedback.objects.visible_to(user).filter(**types)))
    if "@" in text:
        testers = Tester.objects.visible_to(user).filter(email__iexact=text)
        where |= Q(tester__in=_pks(testers))
    if NUMBER.fullmatch(text):
        where |= Q(run=int(text))
    macros = _pks(Macro.objects.visible_to(user).filter(name__icontains=text))
    if macros:
        where |= select_newest_runs(macros)[0]
    matches = rows.filter(where) if where else rows.none()
    if matches.order_by().exists():
        return matches
    return newest(rows).filter(subject_label__iexact=text)


def _pks(rows: QuerySet) -> list[int]:
    return list(rows.order_by().values_list("pk", flat=True)[:MAX_MACROS])


def whose_log(request: HttpRequest) -> str:
    """What the list is narrowed to by a link, as its title says; or nothing."""
    names: dict[str, tuple[Any, str]] = {
        "feedback": (Feedback, "of {0.reference}"),
        "tester": (Tester, "of {0}"),
        MACRO: (Macro, "of the macro {0.name}"),
        "run": (Run, "of run {0.pk}: {0.macro_name}"),
        "destination": (Destination, "of requests to {0.host}"),
    }
    for name, (model, words) in names.items():
        given = request.GET.get(name, "")
        if NUMBER.fullmatch(given):
            row = model.objects.visible_to(request.user).filter(pk=given).first()
            if row is not None:
                return words.format(row)
    return ""
