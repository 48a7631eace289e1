"""Where one person's values may stand, and what these are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import BinaryField, F, Model, QuerySet

from feedback.access.privacy import Privacy
from feedback.models import Tester

from ..models import Attempt, Transcript
from .traces import Traces

# What is emptied. The country is not looked for in texts: its two letters are a word
# in too many languages.
PROFILE = Tester.PROFILE
_WORDS = tuple(name for name in PROFILE if name not in ("email", "phone", "country"))
# The key and some columns of one row.
Row = dict[str, Any]
# Rows in memory at once; a response may have 64 KB, the body of a call a megabyte.
_CHUNK = 100
_FEW = 10


@dataclass(frozen=True, slots=True)
class DataLocation:
    """Rows of a model that may hold a person's values, and the columns with texts.

    `is_far` says that their community is known only by way of several tables. Then the
    whole table is read in the order of its key, and each row with a match is looked up:
    a join for every few rows would take a hundred times as long.
    """

    model: type[Model]
    rows: QuerySet[Any]
    fields: Sequence[str]
    is_scrubbed_whole: bool
    is_far: bool = False

    @property
    def kind(self) -> str:
        return str(self.model._meta.verbose_name)

    @property
    def size(self) -> int:
        """How many rows are read at once."""
        columns = map(self.model._meta.get_field, self.fields)
        has_bytes = any(isinstance(column, BinaryField) for column in columns)
        return _FEW if has_bytes else _CHUNK


def _searched() -> list[tuple[type[Model], Privacy]]:
    """The models in whose rows a person's values may stand.

    Those whose rows are scrubbed whole come last: they are the many.
    """
    stated = [(model, getattr(model, "privacy", None)) for model in apps.get_models()]
    searched = [(model, each) for model, each in stated if each and each.texts]
    return sorted(searched, key=lambda pair: pair[1].is_scrubbed_whole)


def own_locations(tester: Tester) -> list[DataLocation]:
    """What is about the tester, beside the profile and what is scrubbed anyway."""
    return [
        DataLocation(model, rows.filter(**{path: tester.pk}), privacy.texts, False)
        for model, privacy in _searched()
        if model is not Tester and not privacy.is_scrubbed_whole
        for rows in [model._default_manager.all()]
        for path in privacy.about
    ]


def whole_locations(tester: Tester) -> list[DataLocation]:
    """Rows about the tester that are scrubbed whole, beside the tries of deliveries."""
    return [
        DataLocation(model, rows.filter(pk__in=own.values("pk")), privacy.texts, True)
        for model, privacy in _searched()
        if privacy.is_scrubbed_whole
        for path in privacy.about
        for rows in [model._default_manager.all()]
        for own in [rows.filter(**{path: tester.pk}).order_by()]
        if model not in (Attempt, Transcript)
    ]


def other_locations(tester: Tester) -> list[DataLocation]:
    """The rest of the community: only what is the person's alone is looked for."""
    locations = []
    for model, privacy in _searched():
        community: str = model.tenancy.community  # type: ignore[attr-defined]
        rows = model._default_manager.filter(**{community: tester.community_id})
        for path in privacy.about:
            rows = rows.exclude(**{path: tester.pk})
        locations.append(
            DataLocation(
                model,
                rows,
                privacy.texts,
                privacy.is_scrubbed_whole,
                is_far=community.count("__") > 1,
            )
        )
    return locations


def own_traces(values: Mapping[str, str]) -> Traces:
    """All of a profile, for texts that the person wrote or that are about them."""
    words = [values.get(name, "") for name in _WORDS]
    return Traces(
        [*words, *_full_names(values)],
        email=values.get("email", ""),
        phone=values.get("phone", ""),
        wide=True,
    )


def other_traces(tester: Tester, values: Mapping[str, str]) -> Traces:
    """What no other tester of the community has: another Tara keeps her name."""
    others = Tester.objects.filter(community=tester.community_id).exclude(pk=tester.pk)
    first, last, phone = (
        values.get(name, "") for name in ("first_name", "last_name", "phone")
    )
    namesakes = others.filter(first_name__iexact=first, last_name__iexact=last)
    return Traces(
        [] if namesakes.exists() else _full_names(values),
        email=values.get("email", ""),
        phone="" if others.filter(phone=phone).exists() else phone,
    )


def _full_names(values: Mapping[str, str]) -> list[str]:
    """Both names in either order; a first name alone is nobody's own."""
    first, last = values.get("first_name", ""), values.get("last_name", "")
    if not (first and last):
        alone = first or last
        return [alone] if " " in alone else []
    names = [f"{first} {last}", f"{last} {first}", f"{last}, {first}"]
    # Chinese names, for one, are written without a space.
    return names if (first + last).isascii() else [*names, f"{last}{first}"]


def in_chunks(
    rows: QuerySet[Any], fields: Sequence[str], size: int = _CHUNK, /, **named: str
) -> Iterator[Row]:
    """Any number of rows, a few in memory at once, without an open cursor.

    `named` are columns of other tables, each under the name it gets.
    """
    columns = {name: F(path) for name, path in named.items()}
    ordered = rows.order_by("pk").values("pk", *fields, **columns)
    rest = ordered
    while chunk := list(rest[:size]):
        rest = ordered.filter(pk__gt=chunk[-1]["pk"])
        yield from chunk


def matches_in(location: DataLocation, traces: Traces) -> Iterator[Row]:
    """The rows of a location that hold a trace."""
    rows = location.rows
    read = location.model._default_manager.all() if location.is_far else rows
    look = traces.are_read_in if location.is_scrubbed_whole else traces.are_in
    for row in in_chunks(read, location.fields, location.size):
        if not any(look(row[name]) for name in location.fields):
            continue
        if not location.is_far or rows.filter(pk=row["pk"]).exists():
            yield row
