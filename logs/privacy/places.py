"""Where one person's values may stand, and what these are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import F, QuerySet

from feedback.models import Comment, Feedback, Tester

from ..models import Attempt, Run
from ..models.attempts import TEXTS
from .traces import Traces

# What is emptied. The country is not looked for in texts: its two letters are a word
# in too many languages.
PROFILE = Tester.PROFILE
_WORDS = tuple(name for name in PROFILE if name not in ("email", "phone", "country"))
_TICKET = (
    "title",
    "description",
    "form_values",
    "external_data",
    "external_provenance",
)
# Rows in memory at once; an answer may have 64 KB.
_CHUNK = 100


@dataclass(frozen=True)
class Place:
    """Rows, and the columns in them that hold texts.

    `is_far` says that they are known only by way of other tables. Then the whole table
    is read in the order of its key, and asked of each find whether it is one of them:
    a join for every few rows would take a hundred times as long.
    """

    kind: str
    rows: QuerySet[Any]
    fields: Sequence[str]
    is_far: bool = False


def own_places(tester: Tester) -> list[Place]:
    comments = Comment.objects.filter(feedback__submitter=tester)
    return [
        Place("ticket", Feedback.objects.filter(submitter=tester), _TICKET),
        Place("comment", comments, ("text",)),
    ]


def other_places(tester: Tester) -> list[Place]:
    """The rest of the community, where only what is the person's alone is looked for.

    The attempts come last: they are the many.
    """
    community = tester.community_id
    tickets = Feedback.objects.filter(feedback_type__project__community=community)
    comments = Comment.objects.filter(
        feedback__feedback_type__project__community=community
    )
    testers = Tester.objects.filter(community=community).exclude(pk=tester.pk)
    attempts = Attempt.objects.filter(delivery__run__community=community)
    runs = Run.objects.filter(community=community)
    # A macro can be edited by hand; what it was before can't.
    version = apps.get_model("macros", "MacroVersion")
    versions = version._default_manager.filter(macro__community=community)
    elsewhere = tickets.exclude(submitter=tester)
    said = comments.exclude(feedback__submitter=tester)
    logged = attempts.exclude(delivery__feedback__submitter=tester)
    logged = logged.exclude(delivery__tester=tester)
    return [
        Place("ticket", elsewhere, _TICKET, is_far=True),
        Place("comment", said, ("text",), is_far=True),
        Place("tester", testers, ("external_data", "external_provenance")),
        Place("run", runs, ("selection", "snapshot")),
        Place("version", versions, ("document",)),
        Place("attempt", logged, TEXTS, is_far=True),
    ]


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
    # As in Chinese.
    return names if (first + last).isascii() else [*names, f"{last}{first}"]


def in_chunks(
    rows: QuerySet[Any], fields: Sequence[str], **named: str
) -> Iterator[dict[str, Any]]:
    """Any number of rows, a few in memory at once, without an open cursor.

    `named` are columns of other tables, and how they are called.
    """
    last = 0
    columns = {name: F(path) for name, path in named.items()}
    ordered = rows.order_by("pk").values("pk", *fields, **columns)
    while chunk := list(ordered.filter(pk__gt=last)[:_CHUNK]):
        last = chunk[-1]["pk"]
        yield from chunk


def found_in(place: Place, traces: Traces) -> Iterator[dict[str, Any]]:
    """The rows of a place that hold a trace."""
    model = place.rows.model
    rows = model._default_manager.all() if place.is_far else place.rows
    for row in in_chunks(rows, place.fields):
        if not any(traces.are_in(row[name]) for name in place.fields):
            continue
        if not place.is_far or place.rows.filter(pk=row["pk"]).exists():
            yield row
