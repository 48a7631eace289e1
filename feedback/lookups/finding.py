"""The record that a caller names, and a limit to guessing at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from ..access.addresses import neighbourhood
from ..access.keys import Actor, KeyActor
from ..models import LookupKind, LookupMiss, Project, RecordLookup
from ..models.lookups import MISSES_AN_HOUR
from ..packages.columns import Column
from ..packages.tables import values_of
from ..packages.values import Value
from ..selection.records import known_by
from ..selection.saved import all_of
from ..selection.values import text_of

_MAX_LOOKED_AT = 100


class NoRecord(Exception):
    """There is none; the miss is counted."""


class SeveralRecords(Exception):
    """There are several, and one is asked for."""


class TooManyMisses(Exception):
    """The caller missed too often this hour; `wait` is in how many seconds to go on."""

    def __init__(self, wait: int) -> None:
        super().__init__(
            f"{MISSES_AN_HOUR} of your lookups this hour found nothing, so no more are"
            " answered before the next hour."
        )
        self.wait = wait


def find(
    lookup: RecordLookup,
    columns: Sequence[Column],
    given: str,
    actor: Actor,
    address: str,
) -> list[Value]:
    """The values of the one record that is known by this, in the order of the columns.

    Raises NoRecord, SeveralRecords, TooManyMisses, and ValidationError where it is no
    value.
    """
    text = text_of(given.strip())
    misses, now = LookupMiss.objects.all(), timezone.now()
    caller = _name_of(actor, address)
    if misses.misses_of(lookup.community, caller, now) >= MISSES_AN_HOUR:
        raise TooManyMisses(3600 - now.minute * 60 - now.second)
    where = known_by(
        lookup.found_by,
        text,
        community=lookup.community_id,
        external=lookup.external_name,
    )
    records = [] if where is None else _records(lookup, where)
    if len(records) > 1:
        raise SeveralRecords
    if not records:
        misses.note(lookup.community, caller, now)
        raise NoRecord
    [(_, values)] = values_of(columns, _all(lookup).filter(pk=records[0]))
    return values


def _records(lookup: RecordLookup, where: Q) -> list[int]:
    # A limit of one or two makes PostgreSQL expect to meet them soon among all rows.
    rows = _all(lookup).filter(where).order_by()
    return list(rows.values_list("pk", flat=True)[:_MAX_LOOKED_AT])


def _all(lookup: RecordLookup) -> QuerySet[Any]:
    """All that it may find; nobody who was erased."""
    if lookup.subject_kind == LookupKind.PROJECT:
        own = Project.objects.filter(community=lookup.community_id)
        return own.filter(deleting_since=None)
    return all_of(lookup)


def _name_of(actor: Actor, address: str) -> str:
    """Whose misses are counted together: nobody is limited by those of others."""
    who = f"key {actor.key.pk}" if isinstance(actor, KeyActor) else f"user {actor.pk}"
    return f"{who} {neighbourhood(address)}"
