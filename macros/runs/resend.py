"""The one door to send deliveries again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.template.defaultfilters import pluralize
from django.utils import timezone

from feedback import formats
from feedback.access.keys import Actor
from feedback.access.roles import RUN_MACRO
from feedback.access.unlocking import locked_message
from feedback.models import ApiKey
from feedback.selection.confirmed import digest_of
from logs import audit
from logs.models import Action, DeliveryState, Resend, Run
from logs.models.deliveries import DeliveryQuerySet
from logs.recording.requeue import Blocker, Requeued, blocker, plain, requeue

from .. import queue
from ..models import kind_named

MAX_AT_ONCE = 100_000
# The clock notifies of the rest.
_MAX_WAKE_UPS = 100
# Ids in one statement.
_CHUNK = 500


class ResendRefused(Exception):
    """Why nothing was resent, as a sentence for the person who asked."""


@dataclass(slots=True)
class ResendPreview:
    """What a resend would do: how many deliveries go out again, and why others can't.

    `digest` knows those that go out from any others. `delivered` is how many of them
    have been delivered before; `blockers` counts the others by the reason.
    """

    count: int = 0
    digest: str = ""
    delivered: int = 0
    blockers: dict[str, int] = field(default_factory=dict)


def preview_resend(
    selection: DeliveryQuerySet, kind: Resend, actor: Actor
) -> ResendPreview:
    """Count what `resend` would do. Raises ResendRefused."""
    rows = _checked(selection, actor).annotate(blocker=blocker(kind))
    counts = rows.values_list("blocker", "state").annotate(count=Count("pk"))
    preview = ResendPreview()
    for why, state, count in counts:
        if why:
            label = Blocker(why).label
            preview.blockers[label] = preview.blockers.get(label, 0) + count
            continue
        preview.count += count
        if state == DeliveryState.DELIVERED:
            preview.delivered += count
    preview.digest = digest_of(rows.filter(blocker=""))
    return preview


def resend(
    selection: DeliveryQuerySet,
    kind: Resend,
    actor: Actor,
    *,
    confirmed: str | None = None,
) -> Requeued:
    """Send again whatever can be, where the actor may run macros.

    Each goes out under its own delivery id. What is being sent is left alone; a
    pending retry is replaced. `confirmed` is the preview's digest, None where nobody
    was shown one. Raises ResendRefused or SelectionChanged, and then nothing is
    written.
    """
    rows = _checked(selection, actor)
    with transaction.atomic():
        now, by = timezone.now(), actor.get_username()
        requeued = requeue(rows, kind, by, now, confirmed=confirmed)
        _audit(requeued, _by_community(requeued), kind, actor)
        for run_id in sorted(requeued.runs)[:_MAX_WAKE_UPS]:
            transaction.on_commit(partial(queue.notify, run_id, requeued.runs[run_id]))
    return requeued


def _by_community(requeued: Requeued) -> Iterable[list[int]]:
    """The runs of each community. Raises ResendRefused if web requests are locked."""
    by_community: dict[int, list[int]] = defaultdict(list)
    keys = ApiKey.objects.valid().filter(community=OuterRef("community"))
    rows = Run.objects.annotate(is_unlocked=Exists(keys)).order_by("pk")
    columns = rows.values_list("community", "community__name", "is_unlocked", "pk")
    pks = sorted(requeued.runs)
    for start in range(0, len(pks), _CHUNK):
        chunk = columns.filter(pk__in=pks[start : start + _CHUNK])
        for community, name, is_unlocked, pk in chunk:
            if not is_unlocked and _needs_key(pk):
                raise ResendRefused(f"Nothing was resent. {locked_message(name)}")
            by_community[community].append(pk)
    return by_community.values()


def _needs_key(run_id: int) -> bool:
    """Whether a step of the run needs an API key, whatever its macro has by now.

    Of a run that this version can't read, nobody knows that it needs none.
    """
    snapshot = Run.objects.values_list("snapshot", flat=True).get(pk=run_id)
    if not formats.is_readable(snapshot.get("format"), formats.RUN):
        return True
    kinds = (kind_named(step["kind"]) for step in snapshot["steps"])
    return any(kind is None or kind.NEEDS_API_KEY for kind in kinds)


def _audit(
    requeued: Requeued, by_community: Iterable[list[int]], kind: Resend, actor: Actor
) -> None:
    """One entry in the audit log for each community."""
    for runs in by_community:
        count = sum(requeued.runs[pk] for pk in runs)
        detail = (
            f"{kind.label}: {count:,} deliver{pluralize(count, 'y,ies')}"
            f" of {len(runs):,} run{pluralize(len(runs))}."
        )
        # The entry names the first of several.
        run = Run.objects.get(pk=runs[0])
        audit.record(Action.RESENT, run, actor=actor, detail=detail)


def _checked(selection: DeliveryQuerySet, actor: Actor) -> DeliveryQuerySet:
    rows = plain(selection.visible_to(actor, RUN_MACRO))
    if rows[: MAX_AT_ONCE + 1].count() > MAX_AT_ONCE:
        raise ResendRefused(
            f"More than {MAX_AT_ONCE:,} deliveries are selected, and no more can be"
            " resent at once. Narrow the filter, and resend in parts."
        )
    return rows
