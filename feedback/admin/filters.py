"""What stands above the lists of tickets and testers: values of their conditions.

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
from django.utils.timezone import localdate

from ..forms import PREFIX
from ..models import FieldKind, FormField
from ..selection.external import EXTERNAL_PREFIX, PRESENCE_PREFIX, is_name

Choices = Sequence[tuple[str, str]]
Query = Mapping[str, str | None]
# A choice as the template shows it.
Shown = dict[str, object]
_UNCOUNTED = "All (too many to count: narrow the list by another filter)"
TRUTH: Choices = [("true", "Yes"), ("false", "No")]


class OfferingList(Protocol):
    """What the list is asked for by what stands beside it."""

    add_facets: bool

    def get_query_string(self, new_params: Query = ..., /) -> str:
        """The list's address with these parameters; None takes one away."""

    def narrowing(self, request: HttpRequest) -> list[str]:
        """The parameters that narrow the list, beside what it is a list of."""

    def beside(self, *names: str) -> list[tuple[str, str]]:
        """All parameters but these, for a form that gives these anew."""

    def counted(
        self,
        request: HttpRequest,
        parameter: str,
        values: Sequence[str],
        limit: int | None = ...,
    ) -> Mapping[str, int] | None:
        """How many rows each of these values of a condition would leave.

        None where that takes longer than people wait, or there are more than `limit`.
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

    def words(self) -> list[str]:
        """What is chosen, as its chip says it."""
        return self.given

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

    def words(self) -> list[str]:
        labels = dict(self.values)
        return [labels.get(each, each) for each in self.given]

    def counts(self, changelist: OfferingList) -> Mapping[str, int] | None:
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


class TypedOffer(Offer):
    """A box to type in, for what has more values than a list can hold."""

    template = "admin/feedback/feedback/typed_filter.html"

    def __init__(
        self, *args: Any, hint: str = "", words: str = "", **options: Any
    ) -> None:
        self.hint = hint
        self.given_in_words = words
        super().__init__(*args, **options)

    def words(self) -> list[str]:
        return [self.given_in_words] if self.given_in_words else super().words()

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

    _offered: Sequence[tuple[str | None, str]] = (
        ("true", "Has a value"),
        ("false", "Has none"),
    )

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter, self.presence]

    def words(self) -> list[str]:
        offered = dict(self._offered)
        has = [offered.get(self.request.GET.get(self.presence), "")]
        return [*filter(None, has), *self.given]

    @property
    def presence(self) -> str:
        return PRESENCE_PREFIX + self.parameter.removeprefix(EXTERNAL_PREFIX)

    def links(self, changelist: OfferingList) -> Iterator[tuple[str, str, bool]]:
        has = self.request.GET.get(self.presence)
        for value, label in ((None, "All"), *self._offered):
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

    def words(self) -> list[str]:
        """A period that is offered by its name, others from and to."""
        if not self.until:
            for label, since in self._periods():
                if since and self.given == [since]:
                    return [label]
        words = [f"from {each}" for each in self.given]
        return [" ".join([*words, *(f"before {each}" for each in self.until)])]

    def choices(self, changelist: OfferingList) -> Iterator[Shown]:  # type: ignore[override]
        is_offered = False
        for label, since in self._periods():
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
            yield {
                "selected": True,
                "query_string": changelist.get_query_string(),
                "display": " ".join(self.words()),
            }

    def _periods(self) -> list[tuple[str, str | None]]:
        """Those that are offered, each with its first day."""
        today = localdate()
        return [
            ("Any date", None),
            ("Today", today.isoformat()),
            ("Past 7 days", (today - timedelta(days=7)).isoformat()),
            ("This month", today.replace(day=1).isoformat()),
            ("This year", today.replace(month=1, day=1).isoformat()),
        ]


# What `list_filter` holds: an offer, but for the request.
Offered = Callable[..., Offer]


def choices(parameter: str, values: Choices, title: str = "") -> Offered:
    title = title or parameter
    return partial(ChoiceOffer, parameter=parameter, title=title, values=values)


def rows(parameter: str, offered: QuerySet, title: str = "") -> Offered:
    """The rows by number: their names may be the same."""
    return choices(parameter, [(str(row.pk), str(row)) for row in offered], title)


def typed(parameter: str, hint: str = "", title: str = "", words: str = "") -> Offered:
    options = {"title": title or parameter, "hint": hint, "words": words}
    return partial(TypedOffer, parameter=parameter, **options)


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
