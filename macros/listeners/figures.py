"""How listeners are doing, in numbers that take no time in a big table."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Max, QuerySet, Sum
from django.template.defaultfilters import pluralize

from ..models import (
    InboundCall,
    InboundEvent,
    InboundOutcome,
    InboundRefusal,
    Listener,
    Refusal,
)

# So many of the newest events of all listeners are counted, and no more.
COUNTED = 50_000
LOOKED_BACK = timedelta(days=1)
MAX_TROUBLES = 5
BAD = (InboundOutcome.FAILED, InboundOutcome.UNREADABLE)


@dataclass(frozen=True, slots=True)
class Figures:
    """Events by listener and outcome since a moment; `is_whole` if none is left out."""

    counts: dict[int, Counter[str]] = field(default_factory=dict)
    is_whole: bool = True

    def of(self, listener: int) -> list[tuple[InboundOutcome, int]]:
        """In the order of the outcomes."""
        counted = self.counts.get(listener, Counter())
        return [(each, counted[each]) for each in InboundOutcome if counted[each]]


@dataclass(frozen=True, slots=True)
class ListenerTrouble:
    listener: Listener
    sentence: str


def figures_since(since: datetime, listeners: Collection[int]) -> Figures:
    newest: int = InboundEvent.objects.aggregate(newest=Max("pk"))["newest"] or 0
    window = InboundEvent.objects.filter(pk__gt=newest - COUNTED)
    rows = window.filter(listener__in=listeners, created_at__gte=since).order_by()
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for listener, outcome, count in rows.values_list("listener", "outcome").annotate(
        count=Count("pk")
    ):
        counts[listener][outcome] = count
    if newest <= COUNTED:
        return Figures(dict(counts))
    oldest = window.order_by("pk").values_list("created_at", flat=True).first()
    return Figures(dict(counts), oldest is None or oldest < since)


def last_calls(listeners: Collection[int]) -> dict[int, datetime]:
    """When each was called last; each listener's newest row is one look-up."""
    calls = InboundCall.objects.filter(listener__in=listeners).order_by()
    newest = calls.values("listener").annotate(newest=Max("pk")).values("newest")
    rows = InboundCall.objects.filter(pk__in=newest)
    return dict(rows.values_list("listener", "received_at"))


def troubles_of(listeners: QuerySet[Listener], now: datetime) -> list[ListenerTrouble]:
    """Those with failures, unreadable or refused calls lately, the worst first."""
    since = now - LOOKED_BACK
    rows = {row.pk: row for row in listeners.filter(is_active=True)}
    figures = figures_since(since, rows.keys())
    refused = refusals_since(since, rows.keys())
    troubles: list[tuple[int, ListenerTrouble]] = []
    for pk, row in rows.items():
        counted = figures.counts.get(pk, Counter())
        parts = _sentences(counted, refused.get(pk, Counter()))
        if parts:
            bad = sum(counted[each] for each in BAD)
            sentence = f"In the last 24 hours {', '.join(parts)}."
            troubles.append((bad, ListenerTrouble(row, sentence)))
    troubles.sort(key=lambda each: -each[0])
    return [trouble for _, trouble in troubles[:MAX_TROUBLES]]


def refusals_since(
    since: datetime, listeners: Collection[int]
) -> dict[int, Counter[str]]:
    rows = InboundRefusal.objects.filter(listener__in=listeners, last_at__gte=since)
    counted = rows.order_by().values_list("listener", "reason")
    refused: dict[int, Counter[str]] = defaultdict(Counter)
    for listener, reason, count in counted.annotate(calls=Sum("count")):
        refused[listener][reason] = count
    return refused


def _sentences(events: Counter[str], refused: Counter[str]) -> list[str]:
    sentences = []
    if count := events[InboundOutcome.FAILED]:
        sentences.append(f"{count:,} event{pluralize(count)} failed")
    if count := events[InboundOutcome.UNREADABLE]:
        sentences.append(f"{count:,} call{pluralize(count)} could not be read")
    if count := sum(refused.values()):
        reason = Refusal(refused.most_common(1)[0][0]).label
        most = "" if len(refused) == 1 else "most of them: "
        sentences.append(
            f"{count:,} call{pluralize(count)} {pluralize(count, 'was,were')} refused"
            f" ({most}{reason[0].lower()}{reason[1:]})"
        )
    return sentences
