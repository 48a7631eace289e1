"""How deliveries ended and how fast responses came, over a period."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Max, Q, QuerySet, Sum

from ..models import BUCKETS, DeliveryCount
from .latency import percentile
from .periods import Period

Rows = QuerySet[DeliveryCount]
_SUMS = {name: Sum(name) for name in (*DeliveryCount.OUTCOMES, *BUCKETS)}


def visible_to(user: User | AnonymousUser) -> Rows:
    """The figures of runs that somebody may see."""
    return DeliveryCount.objects.visible_to(user, "logs.view_run").order_by()


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of some rows."""

    counts: Counter[str]
    last_failed: int = 0

    def __getattr__(self, name: str) -> int:
        if name not in _SUMS:
            raise AttributeError(name)
        return self.counts[name]

    @property
    def good(self) -> int:
        return self.delivered - self.problems

    @property
    def ended(self) -> int:
        return self.delivered + self.failed + self.skipped + self.cancelled

    @property
    def success_rate(self) -> str:
        """`99.2 %` of those that were tried to their end; empty where none was.

        It says 100 only where nothing failed, and 0 only where all did.
        """
        tried = self.delivered + self.failed
        if not tried:
            return ""
        tenths = 1000 * self.delivered // tried
        if self.delivered:
            tenths = max(tenths, 1)
        return f"{tenths / 10:g} %"

    @property
    def p50(self) -> str:
        return percentile(self.counts, 50)

    @property
    def p95(self) -> str:
        return percentile(self.counts, 95)


@dataclass(frozen=True, slots=True)
class Figures:
    """A period's parts in their order, and all of it."""

    period: Period
    parts: list[tuple[datetime, Totals]]
    total: Totals


def figures(rows: Rows, period: Period, now: datetime) -> Figures:
    """One query, whose result is as long as the period has hours."""
    starts = period.starts(now)
    parts = [Counter[str]() for _ in starts]
    last_failed = 0
    grouped: Any = rows.filter(moment__gte=starts[0]).values("moment")
    for row in grouped.annotate(**_SUMS, last=Max("last_failed")):
        at = bisect_right(starts, row["moment"]) - 1
        parts[at].update({name: row[name] for name in _SUMS})
        last_failed = max(last_failed, row["last"])
    total = sum(parts, Counter())
    named = [(start, Totals(part)) for start, part in zip(starts, parts, strict=True)]
    return Figures(period, named, Totals(total, last_failed))


@dataclass(frozen=True, slots=True)
class Pair:
    """What a macro did at a destination in a period, and lately: in 24 hours."""

    macro: int
    destination: int
    totals: Totals
    lately: Totals


def pairs(rows: Rows, period: Period, now: datetime) -> list[Pair]:
    """One query, from which both macros and destinations are summed up."""
    lately = Q(moment__gte=Period.DAY.starts(now)[0])
    grouped: Any = rows.filter(moment__gte=period.starts(now)[0])
    # Those of the whole period last: they take the names of the columns.
    grouped = grouped.values("macro", "destination").annotate(
        last=Max("last_failed"),
        good_lately=Sum("delivered", filter=lately, default=0),
        bad_lately=Sum("failed", filter=lately, default=0),
        last_lately=Max("last_failed", filter=lately, default=0),
        **_SUMS,
    )
    return [
        Pair(
            row["macro"],
            row["destination"],
            Totals(Counter({name: row[name] for name in _SUMS}), row["last"]),
            Totals(
                Counter(delivered=row["good_lately"], failed=row["bad_lately"]),
                row["last_lately"],
            ),
        )
        for row in grouped
    ]


def summed(by: Iterable[tuple[int, Totals]]) -> dict[int, Totals]:
    """The totals of each number; none is not one."""
    sums: dict[int, Totals] = {}
    for pk, totals in by:
        if pk:
            before = sums.get(pk, Totals(Counter()))
            last = max(before.last_failed, totals.last_failed)
            sums[pk] = Totals(before.counts + totals.counts, last)
    return sums


def busiest(sums: Mapping[int, Totals], most: int) -> list[tuple[int, Totals]]:
    def order(each: tuple[int, Totals]) -> tuple[int, int]:
        return -(each[1].delivered + each[1].failed), each[0]

    return sorted(sums.items(), key=order)[:most]
