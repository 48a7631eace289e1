"""A run goes in parts: texts, attempts, deliveries, what started it, at last its row.

Nothing of it goes while it is not over, and what others hold is left for the next pass.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from feedback.changes import deletion

from ..models import Attempt, Delivery, Run, RunChange, Transcript
from ..models.runs import SETTLED
from ..models.transcripts import KEY
from . import partitions
from .policies import Kept, Limits
from .tier import LONG_AGO, Row, Tier, delete_free, size_of

# Whoever is not to run twice on the same ticket or tester looks into the log for that.
# So the deliveries stay for as long as it is asked of the macro, trigger or schedule.
REMEMBERS = (
    "macro__once_per_subject",
    "trigger__once_per_subject",
    "schedule__only_undelivered",
)
_OF_A_RUN = ("community", "created_at", "finished_at", "state", *REMEMBERS)


def _is_remembered(run: Mapping[str, Any]) -> bool:
    return any(run[name] for name in REMEMBERS)


class OfRuns(Tier):
    """Rows that belong to runs."""

    # What the rows are ordered by.
    key: ClassVar[str] = "pk"
    # The look-ups to the run and, if it has one of its own, to the row's moment.
    columns: ClassVar[tuple[str, ...]]
    # Whether the moments are later than those of the rows before.
    is_in_order: ClassVar[bool] = False
    # Whether they stay for whoever is not to run twice.
    is_looked_into: ClassVar[bool] = False

    def read(self, rows: QuerySet[Any]) -> list[Row]:
        values = list(rows.values_list(self.key, *self.columns))
        runs = _runs(each[1] for each in values)
        return [self._row(*each, of=runs.get(each[1])) for each in values]

    def _row(self, key: int, run: int, *own: Any, of: Mapping[str, Any] | None) -> Row:
        if of is None:
            return Row(key, None, None, LONG_AGO, run)
        since = own[0] if own else of["finished_at"]
        if of["state"] not in SETTLED or (self.is_looked_into and _is_remembered(of)):
            since = None
        born = own[0] if self.is_in_order else of["created_at"]
        return Row(key, of["community"], since, born, run)

    def remove(self, rows: Sequence[Row]) -> int:
        settled = _settled({row.run for row in rows})
        return self.remove_of_settled([row for row in rows if row.run in settled])

    @abstractmethod
    def remove_of_settled(self, rows: Sequence[Row]) -> int:
        """Delete rows of runs that are over, and stay so until this is done."""

    def these(self, rows: Sequence[Row]) -> QuerySet[Any]:
        return self.model._base_manager.filter(pk__any_of=[row.key for row in rows])


def _runs(pks: Any) -> dict[int, Mapping[str, Any]]:
    rows = Run.objects.filter(pk__any_of=sorted(set(pks))).order_by()
    return {each["pk"]: each for each in rows.values("pk", *_OF_A_RUN)}


def _settled(pks: Collection[int]) -> set[int]:
    """Those of the runs that are over; nothing of them is sent again meanwhile."""
    rows = Run.objects.settled().filter(pk__any_of=sorted(pks)).order_by("pk")
    held = rows.select_for_update(no_key=True, skip_locked=True, of=("self",))
    return set(held.values_list("pk", flat=True))


class Bodies(OfRuns):
    """What was sent and came back: by deliveries, since they have no number."""

    name = "bodies"
    kept = Kept.BODIES
    model = Transcript
    community = "delivery__run__community"
    key = "delivery"
    noun = str(Kept.BODIES.label)
    columns = ("delivery__run", "started_at")

    def begin(self, limits: Limits) -> None:
        """Whole months go at once: of all communities, and of no run at work."""
        longest = limits.longest(self.kept)
        if longest is not None and partitions.are_used():
            # Asked for the first one alone, the database may go through all by date.
            at_work = Run.objects.unsettled().order_by()
            begun = at_work.values_list("created_at", flat=True)
            partitions.drop_before(min([longest, *begun]))

    def next(self, after: int, community: int | None = None) -> list[Row]:
        rows = Transcript.objects.filter(delivery__gt=after)
        if community is not None:
            rows = rows.filter(**{self.community: community})
        read = self.read(rows.order_by("delivery", "number", "started_at")[: self.most])
        if len(read) < self.most or read[0].key == read[-1].key:
            return read
        # The last delivery may have more, which would be passed over.
        return [row for row in read if row.key != read[-1].key]

    def remove_of_settled(self, rows: Sequence[Row]) -> int:
        return sum(delete_free(part) for part in _transcripts(rows))

    def size(self, rows: Sequence[Row]) -> int:
        return sum(size_of(part) for part in _transcripts(rows))


def _transcripts(rows: Sequence[Row]) -> Iterator[QuerySet[Transcript]]:
    """All of the deliveries from the first moment to the last, which are old, too."""
    by_community = defaultdict[int | None, list[Row]](list)
    for row in rows:
        by_community[row.community].append(row)
    for own in by_community.values():
        moments = [row.since for row in own if row.since]
        yield Transcript.objects.filter(
            delivery__pk__any_of=sorted({row.key for row in own}),
            started_at__range=(min(moments), max(moments)),
        )


class Attempts(OfRuns):
    """Once their transcripts are gone."""

    name = "attempts"
    follows = "bodies"
    kept = Kept.ATTEMPTS
    model = Attempt
    community = "delivery__run__community"
    columns = ("delivery__run", "started_at")
    is_in_order = True

    def remove_of_settled(self, rows: Sequence[Row]) -> int:
        key = {name: OuterRef(name) for name in KEY}
        left = Transcript.objects.filter(**key)
        return delete_free(self.these(rows).filter(~Exists(left)))


class Deliveries(OfRuns):
    """Once their attempts are gone."""

    name = "deliveries"
    follows = "attempts"
    kept = Kept.DELIVERIES
    is_looked_into = True
    model = Delivery
    community = "run__community"
    columns = ("run",)

    def remove_of_settled(self, rows: Sequence[Row]) -> int:
        left = Attempt.objects.filter(delivery=OuterRef("pk"))
        ended = Q(finished_at__isnull=False, lease="")
        return delete_free(self.these(rows).filter(ended, ~Exists(left)))


class Changes(OfRuns):
    """What had changed on the subjects of a run that was started by it."""

    name = "changes"
    follows = "deliveries"
    kept = Kept.DELIVERIES
    is_looked_into = True
    model = RunChange
    community = "run__community"
    columns = ("run",)

    def remove_of_settled(self, rows: Sequence[Row]) -> int:
        left = Delivery.objects.filter(run=OuterRef("run"))
        return delete_free(self.these(rows).filter(~Exists(left)))


class Runs(OfRuns):
    """Once all that there is most of is gone; with their payloads."""

    name = "runs"
    follows = "changes"
    kept = Kept.DELIVERIES
    is_looked_into = True
    model = Run
    community = "community"
    most = 200

    def read(self, rows: QuerySet[Any]) -> list[Row]:
        pks = list(rows.values_list("pk", flat=True))
        runs, newest = _runs(pks), _newest_of_schedules(pks)
        return [
            row._replace(since=None) if row.key in newest else row
            for row in (self._row(pk, pk, of=runs.get(pk)) for pk in pks)
        ]

    def remove(self, rows: Sequence[Row]) -> int:
        pks = list(self._empty(rows).values_list("pk", flat=True))
        # Waits, in the order in which all do.
        deletion.lock(Run, pks)
        return self.remove_of_settled([row for row in rows if row.key in pks])

    def remove_of_settled(self, rows: Sequence[Row]) -> int:
        gone = list(self._empty(rows).values_list("pk", flat=True))
        Run.objects.filter(pk__any_of=gone).only("pk").delete()
        return len(gone)

    def _empty(self, rows: Sequence[Row]) -> QuerySet[Any]:
        left = (
            Exists(model.objects.filter(run=OuterRef("pk")))
            for model in (Delivery, RunChange)
        )
        empty = self.these(rows).filter(*(~each for each in left), state__in=SETTLED)
        return empty.order_by("pk")


def _newest_of_schedules(pks: Sequence[int]) -> set[int]:
    """A schedule may ask what has changed since its last run."""
    # One look-up for each: PostgreSQL would read all runs to see that none is newer.
    of_mine = Run.objects.filter(schedule=OuterRef("schedule")).order_by("-pk")
    mine = Run.objects.filter(pk__any_of=list(pks)).exclude(schedule=None).order_by()
    newest = mine.filter(pk=Subquery(of_mine.values("pk")[:1]))
    return set(newest.values_list("pk", flat=True))
