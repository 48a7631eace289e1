"""The record that a caller names, and a limit to guessing at it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from ..access.addresses import neighbourhood
from ..access.keys import Actor, KeyActor
from ..models import Feedback, LookupKind, LookupMiss, Project, RecordLookup, Tester
from ..models.lookups import MISSES_AN_HOUR
from ..selection.records import known_by
from ..selection.values import text_of


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


def records_of(lookup: RecordLookup) -> QuerySet[Any]:
    """All that it may find; nobody who was erased."""
    if lookup.subject_kind == LookupKind.PROJECT:
        own = Project.objects.filter(community=lookup.community_id)
        return own.filter(deleting_since=None)
    types = {"feedback_type__project__community": lookup.community_id}
    if lookup.project_id is not None:
        types = {"feedback_type__project": lookup.project_id}
    if lookup.feedback_type_id is not None:
        types = {"feedback_type": lookup.feedback_type_id}
    tickets = Feedback.objects.filter(**types)
    if lookup.subject_kind == LookupKind.FEEDBACK:
        return tickets
    testers = Tester.objects.filter(community=lookup.community_id, erased_at=None)
    if lookup.project_id is not None:
        testers = testers.filter(pk__in=tickets.order_by().values("submitter"))
    return testers


def find(
    lookup: RecordLookup, rows: QuerySet[Any], given: str, actor: Actor, address: str
) -> Any:
    """The one of the rows that is known by this.

    `rows` are of `records_of`, with all that is asked of them. Raises NoRecord,
    SeveralRecords, TooManyMisses, and ValidationError where it is no value.
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
    # A limit of one or two makes PostgreSQL expect to meet them soon among all rows.
    found = list(rows.filter(where).order_by()[:100]) if where is not None else []
    if len(found) > 1:
        raise SeveralRecords
    if not found:
        misses.note(lookup.community, caller, now)
        raise NoRecord
    return found[0]


def _name_of(actor: Any, address: str) -> str:
    """Whose misses are counted together: nobody is limited by those of others."""
    who = f"key {actor.key.pk}" if isinstance(actor, KeyActor) else f"user {actor.pk}"
    return f"{who} {neighbourhood(address)}"
