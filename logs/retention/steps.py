"""How the clock goes through what there is: in short steps, with long rests.

A pass goes once through a table, in the order of its keys, and ends where the rest is
too young. What may not go is passed over, and looked at again by the next pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q

from ..models import RetentionCursor
from .policies import Limits, problems
from .tier import Row, Tier

# Seconds of work at once, after which nine times as long is left to others: they keep
# nine tenths of what the database can do.
BUDGET = 0.1
REST = 9
# From the beginning of a pass to that of the next one through the same table.
EVERY = timedelta(hours=1)
# The row that says how long all rest; whoever takes it and is not heard of has died.
_TURN = "turn"
_PATIENCE = timedelta(seconds=30)
# The clock goes by small steps, so that a day is no delay.
LATE = timedelta(days=1)
# How far machines' clocks may be apart. What is later than now by more was written by
# one that was wrong, and says nothing.
APART = timedelta(hours=1)
_MOMENTS = ("begun_at", "ended_at", "worked_at", "rests_until")


class Step(NamedTuple):
    """How many rows went of how many, and whether the pass is at its end."""

    looked_at: int
    removed: int
    is_last: bool


def go_on(tiers: Sequence[Tier], now: datetime) -> int:
    """Work for a moment if it is time to; how many rows went.

    Of several clocks one has the turn, so that they rest together too.
    """
    if any(problems()):
        return 0
    cursors = _cursors(tiers, now)
    due = [tier for tier in tiers if _is_due(tier, cursors, now)]
    if not due or not _take_turn(cursors[_TURN], now):
        return 0
    due.sort(key=lambda tier: cursors[tier.name].worked_at or now - EVERY)
    limits, begun, removed = Limits.at(now), monotonic(), 0
    spent = 0.0
    while due and spent <= BUDGET:
        tier = due.pop(0)
        step = take_step(tier, limits)
        removed += step.removed
        if step.is_last:
            due += [each for each in tiers if each.follows == tier.name]
        else:
            due.append(tier)
        spent = monotonic() - begun
    rests_until = now + timedelta(seconds=(1 + REST) * spent)
    RetentionCursor.objects.filter(tier=_TURN).update(rests_until=rests_until)
    return removed


def whole_pass(tiers: Iterable[Tier], now: datetime) -> Iterator[tuple[Tier, Step]]:
    """All of it at once, from the beginning, without a rest; tells of each step.

    A clock may take steps of the same pass, and the last one too.
    """
    tiers = list(tiers)
    _cursors(tiers, now)
    limits = Limits.at(now)
    for tier in tiers:
        # The clock's own pass, if it is in one, ends with this one.
        cursor = RetentionCursor.objects.filter(tier=tier.name)
        cursor.update(position=0, begun_at=None)
        step = take_step(tier, limits, waits=True)
        yield tier, step
        while not step.is_last:
            step = _take_step(tier, limits, waits=True, begins=False)
            yield tier, step


def take_step(tier: Tier, limits: Limits, waits: bool = False) -> Step:
    """The next rows of the pass. Where a clock is at it another one does nothing."""
    if not _is_under_way(RetentionCursor.objects.get(tier=tier.name)):
        tier.begin(limits)
    return _take_step(tier, limits, waits)


@transaction.atomic
def _take_step(tier: Tier, limits: Limits, waits: bool, begins: bool = True) -> Step:
    """Nothing where the pass has ended meanwhile, and no other one `begins`."""
    held = RetentionCursor.objects.select_for_update(skip_locked=not waits)
    cursor = held.filter(tier=tier.name).first()
    if cursor is None or not (begins or _is_under_way(cursor)):
        return Step(0, 0, True)
    if not _is_under_way(cursor):
        cursor.begun_at, cursor.position = _beginning(tier, cursor, limits.now), 0
    rows, is_last = ahead(tier, cursor.position, limits)
    old = [row for row in rows if is_old(tier, row, limits)]
    removed = tier.remove(old) if old else 0
    cursor.worked_at = limits.now
    cursor.position = rows[-1].key if rows else 0
    if is_last:
        ended_at = max(limits.now, cursor.begun_at or limits.now)
        cursor.ended_at, cursor.position = ended_at, 0
    cursor.save()
    return Step(len(rows), removed, is_last)


def _beginning(tier: Tier, cursor: RetentionCursor, now: datetime) -> datetime:
    """When a pass begins: after the one before it, also where this clock is behind."""
    begins_at = now
    if cursor.ended_at is not None:
        begins_at = max(now, cursor.ended_at + timedelta(microseconds=1))
    before = RetentionCursor.objects.filter(tier=tier.follows, ended_at__gt=begins_at)
    return before.values_list("ended_at", flat=True).first() or begins_at


def ahead(
    tier: Tier, after: int, limits: Limits, community: int | None = None
) -> tuple[list[Row], bool]:
    """The rows after a key, and whether none after them can be old."""
    newest = limits.newest(tier.kept)
    if newest is None:
        return [], True
    rows = tier.next(after, community)
    known = [row.born for row in rows if row.born <= limits.now + APART]
    return rows, not rows or (bool(known) and min(known) >= newest)


def is_old(tier: Tier, row: Row, limits: Limits) -> bool:
    limit = limits.oldest(tier.kept, row.community)
    return row.since is not None and limit is not None and row.since < limit


def behind(tiers: Iterable[Tier], now: datetime) -> list[Tier]:
    """Those whose rows should be gone for a day, as far as a glance shows."""
    if any(problems()):
        return []
    cursors = {row.tier: row for row in RetentionCursor.objects.all()}
    for row in cursors.values():
        _correct(row, now)
    limits = Limits.at(now - LATE)
    return [
        tier
        for tier in tiers
        if _is_late(cursors.get(tier.name), now)
        and any(
            is_old(tier, row, limits)
            for after in {0, getattr(cursors.get(tier.name), "position", 0)}
            for row in ahead(tier, after, limits)[0]
        )
    ]


def _is_late(cursor: RetentionCursor | None, now: datetime) -> bool:
    return cursor is None or cursor.ended_at is None or cursor.ended_at < now - LATE


def _is_under_way(cursor: RetentionCursor) -> bool:
    if cursor.begun_at is None:
        return False
    return cursor.ended_at is None or cursor.ended_at < cursor.begun_at


def _is_due(tier: Tier, cursors: Mapping[str, RetentionCursor], now: datetime) -> bool:
    """Whether its pass is under way, or is to begin."""
    own = cursors[tier.name]
    if _is_under_way(own):
        return True
    if tier.follows:
        before = cursors[tier.follows].ended_at
        return before is not None and (own.begun_at is None or own.begun_at < before)
    return own.begun_at is None or own.begun_at <= now - EVERY


def _cursors(tiers: Iterable[Tier], now: datetime) -> dict[str, RetentionCursor]:
    rows = {row.tier: row for row in RetentionCursor.objects.all()}
    names = {_TURN, *(tier.name for tier in tiers)}
    if missing := sorted(names - rows.keys()):
        made = [RetentionCursor(tier=name) for name in missing]
        RetentionCursor.objects.bulk_create(made, ignore_conflicts=True)
        rows = {row.tier: row for row in RetentionCursor.objects.all()}
    for row in rows.values():
        for name in _correct(row, now):
            wrong = RetentionCursor.objects.filter(pk=row.pk)
            wrong.filter(**{f"{name}__gt": now + APART}).update(**{name: None})
    return rows


def _correct(cursor: RetentionCursor, now: datetime) -> list[str]:
    """Forget what a clock that was wrong has noted; the names of that."""
    moments = {name: getattr(cursor, name) for name in _MOMENTS}
    wrong = [name for name, at in moments.items() if at and at > now + APART]
    for name in wrong:
        setattr(cursor, name, None)
    return wrong


def _take_turn(turn: RetentionCursor, now: datetime) -> bool:
    """False while all rest, or where another clock was faster."""
    if turn.rests_until is not None and turn.rests_until > now:
        return False
    free = Q(rests_until=None) | Q(rests_until__lte=now)
    rows = RetentionCursor.objects.filter(free, pk=turn.pk)
    return bool(rows.update(rests_until=now + _PATIENCE))
