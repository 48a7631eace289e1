"""What stands beside the lists of tickets and testers: values of their conditions.

None of these filters anything: they offer, and the list's FilterSet selects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.timezone import localdate

from ..forms import PREFIX
from ..models import FieldKind, FormField
from ..selection.external import EXTERNAL_PREFIX, PRESENCE_PREFIX, is_name

Choices = Sequence[tuple[str, str]]
Query = Mapping[str, str | None]
# A choice as the template shows it.
Shown = dict[str, object]
_UNCOUNTED = "All (too many to count: narrow the list by another filter)"
# Each of them is counted where counts are shown.
MAX_SAVED = 30
# In a list of more rows saved filters are counted on request, as all else is.
COUNTED_UNASKED = 10_000
TRUTH: Choices = [("true", "Yes"), ("false", "No")]


class OfferingList(Protocol):
    """What the list is asked for by what stands beside it."""

    add_facets: bool

    def get_query_string(self, new_params: Query = ..., /) -> str:
        """The list's address with these parameters; None takes one away."""

    def beside(self, *names: str) -> list[tuple[str, str]]:
        """All parameters but these, for a form that gives these anew."""

    def counted(
        self,
        request: HttpRequest,
        parameter: str,
        values: Iterable[str],
        limit: int | None = ...,
    ) -> dict[str, int] | None:
        """How many rows each of these values of a condition would leave.

        None where there are too many rows to count them while a person waits.
        """


class Offer(admin.ListFilter):
    """One condition beside the list."""

    def __init__(
        self,
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type,
        model_admin: admin.ModelAdmin,
        *,
        title: str,
        parameter: str,
    ) -> None:
        self.title = title
        self.parameter = parameter
        super().__init__(request, params, model, model_admin)
        self.request = request
        self.given = [each for each in request.GET.getlist(parameter) if each.strip()]

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset


class ChoiceOffer(Offer):
    """The values that a condition takes, as links."""

    def __init__(self, *args: Any, values: Choices, **options: Any) -> None:
        self.values = values
        super().__init__(*args, **options)

    def choices(self, changelist: OfferingList) -> Iterator[Shown]:  # type: ignore[override]
        counts = self.counts(changelist) if self.values else {}
        everything = "All" if counts is not None else _UNCOUNTED
        yield self._choice(changelist, everything, None, not self.given)
        for value, label in self.values:
            shown = f"{label} ({counts[value]})" if counts else label
            chosen = value in self.given or label in self.given
            yield self._choice(changelist, shown, value, chosen)
        offered = {word for pair in self.values for word in pair}
        for value in self.given:
            if value not in offered:
                yield self._choice(changelist, value, value, True)

    def counts(self, changelist: OfferingList) -> dict[str, int] | None:
        """Those of the values; none while nobody asks, None where there is too much."""
        if not changelist.add_facets:
            return {}
        values = [value for value, _ in self.values]
        return changelist.counted(self.request, self.parameter, values)

    def _choice(
        self, changelist: OfferingList, label: str, value: str | None, chosen: bool
    ) -> Shown:
        query = changelist.get_query_string({self.parameter: value})
        return {"selected": chosen, "query_string": query, "display": label}


class SavedOffer(ChoiceOffer):
    """The saved filters, and a way to save the list as it is narrowed now."""

    template = "admin/feedback/feedback/saved_filters.html"

    def __init__(self, *args: Any, kind: str, may_save: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kind = kind
        self.may_save = may_save
        self.query = self.request.GET.urlencode()
        self.token = get_token(self.request)

    def counts(self, changelist: OfferingList) -> dict[str, int] | None:
        """Without being asked for, where that takes no time."""
        if changelist.add_facets:
            return super().counts(changelist)
        values = [value for value, _ in self.values]
        name, limit = self.parameter, COUNTED_UNASKED
        return changelist.counted(self.request, name, values, limit) or {}


class TypedOffer(Offer):
    """A box to type in, for what has more values than a list can hold."""

    template = "admin/feedback/feedback/typed_filter.html"

    def __init__(self, *args: Any, hint: str = "", **options: Any) -> None:
        self.hint = hint
        super().__init__(*args, **options)

    def choices(self, changelist: OfferingList) -> Iterator[Shown]:  # type: ignore[override]
        yield {
            "selected": bool(self.given),
            "display": ", ".join(self.given),
            "parameter": self.parameter,
            "hint": self.hint,
            "links": list(self.links(changelist)),
            "others": changelist.beside(self.parameter),
        }

    def links(self, changelist: OfferingList) -> Iterator[tuple[str, str, bool]]:
        """Query, label, and whether it is chosen, of links beside the box."""
        yield from ()


class ExternalOffer(TypedOffer):
    """Whether there is a value under a name of external data, or which it is."""

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter, self.presence]

    @property
    def presence(self) -> str:
        return PRESENCE_PREFIX + self.parameter.removeprefix(EXTERNAL_PREFIX)

    def links(self, changelist: OfferingList) -> Iterator[tuple[str, str, bool]]:
        has = self.request.GET.get(self.presence)
        offered = [(None, "All"), ("true", "Has a value"), ("false", "Has none")]
        for value, label in offered:
            query: Query = {self.presence: value, self.parameter: None}
            chosen = has == value and not self.given
            yield changelist.get_query_string(query), label, chosen


class MomentOffer(Offer):
    """Since when, by a link; any other moments in the address are shown."""

    def __init__(self, *args: Any, before: str, **options: Any) -> None:
        self.before = before
        super().__init__(*args, **options)
        self.until = [each for each in self.request.GET.getlist(before) if each]

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter, self.before]

    def choices(self, changelist: OfferingList) -> Iterator[Shown]:  # type: ignore[override]
        today = localdate()
        offered = [
            ("Any date", None),
            ("Today", today),
            ("Past 7 days", today - timedelta(days=7)),
            ("This month", today.replace(day=1)),
            ("This year", today.replace(month=1, day=1)),
        ]
        is_offered = False
        for label, day in offered:
            since = None if day is None else day.isoformat()
            query: Query = {self.parameter: since, self.before: None}
            given = [] if since is None else [since]
            chosen = not self.until and self.given == given and not is_offered
            is_offered |= chosen
            yield {
                "selected": chosen,
                "query_string": changelist.get_query_string(query),
                "display": label,
            }
        if not is_offered:
            words = [f"from {each}" for each in self.given]
            words += [f"before {each}" for each in self.until]
            yield {
                "selected": True,
                "query_string": changelist.get_query_string(),
                "display": " ".join(words),
            }


# What `list_filter` holds: an offer, but for the request.
Offered = Callable[..., Offer]


def choices(parameter: str, values: Choices, title: str = "") -> Offered:
    title = title or parameter
    return partial(ChoiceOffer, parameter=parameter, title=title, values=values)


def rows(parameter: str, offered: QuerySet, title: str = "") -> Offered:
    """The rows by number: their names may be the same."""
    return choices(parameter, [(str(row.pk), str(row)) for row in offered], title)


def saved(
    offered: QuerySet, kind: str, *, may_save: bool, is_one_owner: bool
) -> Offered:
    """Saved filters by number; each says whose it is, unless all are of one owner."""
    owners = ("feedback_type__project", "project", "community")
    shown = offered.select_related(*owners).order_by("name", "pk")[:MAX_SAVED]
    values = [
        (str(row.pk), row.name if is_one_owner else f"{row.name} ({row.owner})")
        for row in shown
    ]
    return partial(
        SavedOffer,
        parameter="filter",
        title="saved filter",
        values=values,
        kind=kind,
        may_save=may_save,
    )


def typed(parameter: str, hint: str = "", title: str = "") -> Offered:
    title = title or parameter
    return partial(TypedOffer, parameter=parameter, title=title, hint=hint)


def moments(title: str) -> Offered:
    return partial(
        MomentOffer, title=title, parameter=f"{title}_after", before=f"{title}_before"
    )


def question(asked: FormField) -> Offered:
    """The answers to a choice or checkbox field."""
    values: Choices = [(choice, choice) for choice in asked.choice_list]
    if asked.kind == FieldKind.CHECKBOX:
        values = TRUTH
    return choices(PREFIX + asked.key, values, asked.label)


def external(names: Iterable[str]) -> list[Offered]:
    hint = "Exactly this value"
    return [
        partial(ExternalOffer, parameter=EXTERNAL_PREFIX + name, title=name, hint=hint)
        for name in names
        if is_name(name)
    ]
