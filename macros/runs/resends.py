"""The one door to send deliveries again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.template.defaultfilters import pluralize
from django.utils import timezone

from feedback.access.roles import RUN_MACRO
from feedback.access.unlocking import locked_message
from feedback.models import ApiKey
from logs import audit
from logs.models import Action, DeliveryState, Resend, Run
from logs.models.deliveries import DeliveryQuerySet
from logs.recording.requeue import Blocker, Requeued, blocker, plain, requeue

from .. import queue
from ..models import WebRequest

MAX_AT_ONCE = 100_000
# The clock rings for the rest.
_MAX_WAKE_UPS = 100
# Ids in one statement.
_CHUNK = 500


class ResendRefused(Exception):
    """Why nothing was resent, as a sentence for the person who asked."""


@dataclass(slots=True)
class ResendPreview:
    """What a resend would do: how many go out again, and why the others can't."""

    count: int = 0
    delivered: int = 0
    blockers: dict[str, int] = field(default_factory=dict)


def preview_resend(
    selection: DeliveryQuerySet, kind: Resend, actor: Any
) -> ResendPreview:
    """Look before resending. Raises ResendRefused."""
    rows = _checked(selection, actor).annotate(blocker=blocker(kind))
    counts = rows.values_list("blocker", "state").annotate(count=Count("pk"))
    found = ResendPreview()
    for why, state, count in counts:
        if why:
            label = Blocker(why).label
            found.blockers[label] = found.blockers.get(label, 0) + count
            continue
        found.count += count
        if state == DeliveryState.DELIVERED:
            found.delivered += count
    return found


def resend(selection: DeliveryQuerySet, kind: Resend, actor: Any) -> Requeued:
    """Send again what can be, of the rows on which the actor may run macros.

    Each goes out under its own delivery id. What is being sent is left alone; a
    pending retry is replaced. Raises ResendRefused, and then nothing is written.
    """
    rows = _checked(selection, actor)
    with transaction.atomic():
        found = requeue(rows, kind, actor.get_username(), timezone.now())
        _tell(found, _by_community(found), kind, actor)
        for run_id in sorted(found.runs)[:_MAX_WAKE_UPS]:
            transaction.on_commit(partial(queue.notify, run_id, found.runs[run_id]))
    return found


def _by_community(found: Requeued) -> Iterable[list[int]]:
    """The runs of each. Raises ResendRefused where web requests are locked."""
    by_community: dict[int, list[int]] = defaultdict(list)
    keys = ApiKey.objects.valid().filter(community=OuterRef("community"))
    rows = Run.objects.annotate(is_unlocked=Exists(keys)).order_by("pk")
    columns = rows.values_list("community", "community__name", "is_unlocked", "pk")
    pks = sorted(found.runs)
    for start in range(0, len(pks), _CHUNK):
        chunk = columns.filter(pk__in=pks[start : start + _CHUNK])
        for community, name, is_unlocked, pk in chunk:
            if not is_unlocked and _sends(pk):
                raise ResendRefused(f"Nothing was resent. {locked_message(name)}")
            by_community[community].append(pk)
    return by_community.values()


def _sends(run_id: int) -> bool:
    """Whether it has web requests, whatever its macro has by now."""
    steps = Run.objects.values_list("snapshot", flat=True).get(pk=run_id)["steps"]
    # A run that started under an older version has nothing else.
    return any(step.get("kind", WebRequest.kind) == WebRequest.kind for step in steps)


def _tell(
    found: Requeued, by_community: Iterable[list[int]], kind: Resend, actor: Any
) -> None:
    """One entry in the audit log for each community."""
    for runs in by_community:
        count = sum(found.runs[pk] for pk in runs)
        told = (
            f"{kind.label}: {count:,} deliver{pluralize(count, 'y,ies')}"
            f" of {len(runs):,} run{pluralize(len(runs))}."
        )
        # Named by the first, where there are several.
        run = Run.objects.get(pk=runs[0])
        audit.record(Action.RESENT, run, actor=actor, detail=told)


def _checked(selection: DeliveryQuerySet, actor: Any) -> DeliveryQuerySet:
    rows = plain(selection.visible_to(actor, RUN_MACRO))
    if rows[: MAX_AT_ONCE + 1].count() > MAX_AT_ONCE:
        raise ResendRefused(
            f"More than {MAX_AT_ONCE:,} deliveries are selected, and no more can be"
            " resent at once. Narrow the filter, and resend in parts."
        )
    return rows
