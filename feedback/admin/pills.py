"""Views of a list, one click each: everything, what is open, the saved filters."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.middleware.csrf import get_token

from .filters import ChoiceOffer, Choices, Offered, OfferingList, Shown

# Each of them is counted where counts are shown.
MAX_SAVED = 30
# As many stand beside each other; the others fold away behind them.
MAX_PILLS = 6
# In a list of more rows saved filters are counted on request, as all else is.
COUNTED_UNASKED = 10_000


class PillsOffer(ChoiceOffer):
    """The saved filters, and a way to save the list as it is narrowed now.

    A pill is a whole view: it takes back whatever else narrows the list. So its count
    is what its link opens.
    """

    template = "admin/feedback/feedback/saved_filters.html"
    is_pills = True

    def __init__(
        self, *args: Any, kind: str, may_save: bool, has_open: bool, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.kind = kind
        self.may_save = may_save
        self.has_open = has_open
        self.query = self.request.GET.urlencode()
        self.token = get_token(self.request)

    def choices(self, changelist: OfferingList) -> Iterator[Shown]:  # type: ignore[override]
        narrowing = changelist.narrowing(self.request)
        cleared = dict.fromkeys(narrowing)
        pills = [self._pill(changelist, "All", cleared, not narrowing)]
        if self.has_open:
            is_open = self.request.GET.getlist("open") == ["true"]
            query = {**cleared, "open": "true"}
            chosen = is_open and narrowing == ["open"]
            pills.append(self._pill(changelist, "Open", query, chosen))
        counts = self.counts(changelist) or {}
        for value, label in self.values:
            query = {**cleared, self.parameter: value}
            chosen = value in self.given or label in self.given
            pills.append(
                self._pill(changelist, label, query, chosen, counts.get(value))
            )
        # One that is chosen is seen.
        late = [each for each in pills[MAX_PILLS:] if each["selected"]]
        yield from [*late, *(each for each in pills if each not in late)]

    def counts(self, changelist: OfferingList) -> Mapping[str, int] | None:
        """Without being asked for, where that takes no time."""
        narrowing = changelist.narrowing(self.request)
        if not self.values or any("__" in name for name in narrowing):
            return None  # The dates that are chosen narrow what would be counted.
        alone = copy.copy(self.request)
        kept = QueryDict(mutable=True)
        for name, values in self.request.GET.lists():
            if name not in narrowing:
                kept.setlist(name, values)
        alone.GET = kept  # type: ignore[assignment]
        values = [value for value, _ in self.values]
        limit = None if changelist.add_facets else COUNTED_UNASKED
        return changelist.counted(alone, self.parameter, values, limit)

    def _pill(
        self,
        changelist: OfferingList,
        label: str,
        query: dict[str, Any],
        chosen: bool,
        count: int | None = None,
    ) -> Shown:
        url = changelist.get_query_string(query)
        return {
            "selected": chosen,
            "query_string": url,
            "display": label,
            "count": count,
        }


def pills(
    saved: QuerySet, kind: str, *, may_save: bool, is_one_owner: bool, has_open: bool
) -> Offered:
    """Saved filters by number; each says whose it is, unless all are of one owner."""
    owners = ("feedback_type__project", "project", "community")
    shown = saved.select_related(*owners).order_by("name", "pk")[:MAX_SAVED]
    values: Choices = [
        (str(row.pk), row.name if is_one_owner else f"{row.name} ({row.owner})")
        for row in shown
    ]
    return partial(
        PillsOffer,
        parameter="filter",
        title="saved filter",
        values=values,
        kind=kind,
        may_save=may_save,
        has_open=has_open,
    )
