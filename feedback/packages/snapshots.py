"""Files that are made beforehand, by a worker, and given out until the next is made."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from ..formats import PACKAGE_FILE
from ..models import (
    Community,
    DataPackage,
    PackageFormat,
    RefreshEvery,
    Snapshot,
    SnapshotState,
)
from ..models.packages import UNFINISHED
from . import files
from .tables import PackageBroken, opened

# Seconds after which a reader tries again.
RETRY_AFTER = 15
# A worker that takes longer is taken for dead.
DEADLINE = timedelta(minutes=30)
# What is given out, and the one before, which somebody may be reading.
KEPT = 2
# How long a worker may leave a notice unread.
_NOTIFY_AGAIN = timedelta(seconds=30)
# Packages that the clock begins in one go.
_MAX_DUE = 100


def newest(package: DataPackage) -> Snapshot | None:
    """The one to give out: made of the package as it is now."""
    ready = package.snapshots.filter(state=SnapshotState.READY, recipe=package.recipe)
    return ready.first()


def ask(package: DataPackage) -> Snapshot:
    """Have one made, unless one is being made. Gives the last that ended, or it."""
    last = package.snapshots.first()
    if last is None or last.state not in UNFINISHED:
        begin(package)
    return last or Snapshot(package=package)


def begin(package: DataPackage) -> bool:
    """Whether there was none that waits or is being made."""
    try:
        with transaction.atomic():
            Snapshot.objects.create(package=package, format=package.format)
    except IntegrityError:
        return False
    return True


def keep_up(package: DataPackage) -> None:
    """Have a stored package's file made, unless there is one of it as it is now."""
    if not package.is_live and newest(package) is None:
        begin(package)


def due() -> list[int]:
    """The snapshots that a worker is to be notified of."""
    now = timezone.now()
    late = Snapshot.objects.filter(state=SnapshotState.MAKING, deadline__lte=now)
    sentence = "It took too long, or the worker ended. It will be tried again."
    late.update(state=SnapshotState.FAILED, problem=sentence, finished_at=now)
    for package in _old(now)[:_MAX_DUE]:
        begin(package)
    is_silent = Q(deadline=None) | Q(deadline__lte=now)
    rows = Snapshot.objects.filter(is_silent, state=SnapshotState.WAITING)
    waiting = list(rows.order_by("pk").values_list("pk", flat=True)[:_MAX_DUE])
    Snapshot.objects.filter(pk__in=waiting).update(deadline=now + _NOTIFY_AGAIN)
    return waiting


def _old(now: datetime) -> QuerySet[Any]:
    """The packages whose time has come. One that failed waits like the rest."""
    own = Snapshot.objects.filter(package=OuterRef("pk")).order_by("-pk")
    asked = Subquery(own.values("created_at")[:1])
    is_old = Q(asked=None)
    for minutes in RefreshEvery.values:
        before = now - timedelta(minutes=minutes)
        is_old |= Q(refresh_every=minutes, asked__lte=before)
    rows = DataPackage.objects.filter(is_active=True, refresh_every__gt=0)
    return (
        rows.exclude(Exists(own.filter(state__in=UNFINISHED)))
        .annotate(asked=asked)
        .filter(is_old)
    )


def work(snapshot_id: int) -> None:
    """Make it, unless another worker does. What fails is a sentence on the row."""
    now = timezone.now()
    own = Snapshot.objects.filter(pk=snapshot_id)
    # One that a newer version has asked for is made by a worker of that version.
    waiting = own.filter(state=SnapshotState.WAITING, format_version__lte=PACKAGE_FILE)
    if not waiting.update(state=SnapshotState.MAKING, deadline=now + DEADLINE):
        return
    snapshot = own.select_related(
        "package__feedback_type__project__community",
        "package__project__community",
        "package__community",
        "package__filter__feedback_type__project",
    ).get()
    try:
        _make(snapshot, now)
    except (PackageBroken, files.PackageTooLarge) as error:
        _fail(snapshot, str(error))
    except Exception:
        _fail(snapshot, "Something went wrong on our side, and was logged.")
        raise
    _prune(snapshot.package)


def _make(snapshot: Snapshot, now: datetime) -> None:
    package = snapshot.package
    table = opened(package, now)
    if package.format == PackageFormat.PARQUET:
        from . import parquet  # An extra, which is large.

        made = parquet.make(table)
    else:
        made = files.make(table, package.format)
    with made.file:
        snapshot.file.save("", File(made.file), save=False)
    done = {
        "state": SnapshotState.READY,
        "file": snapshot.file.name,
        "format": package.format,
        "format_version": PACKAGE_FILE,
        "recipe": package.recipe,
        "rows": made.rows,
        "size": made.size,
        "sha256": made.sha256,
        "read_at": now,
        "finished_at": timezone.now(),
    }
    own = Snapshot.objects.filter(pk=snapshot.pk, state=SnapshotState.MAKING)
    if not own.update(**done):
        # Somebody was erased meanwhile, who may be in it.
        snapshot.file.storage.delete(str(snapshot.file.name))


def _fail(snapshot: Snapshot, problem: str) -> None:
    own = Snapshot.objects.filter(pk=snapshot.pk, state=SnapshotState.MAKING)
    own.update(state=SnapshotState.FAILED, problem=problem, finished_at=timezone.now())


def _prune(package: DataPackage) -> None:
    ended = package.snapshots.exclude(state__in=UNFINISHED)
    ready = ended.filter(state=SnapshotState.READY)
    for rows, kept in ((ready, KEPT), (ended.exclude(pk__in=ready), KEPT)):
        old = list(rows.values_list("pk", flat=True)[kept:])
        package.snapshots.filter(pk__in=old).delete()


def forget(community: Community) -> None:
    """Remove all of a community: nobody knows whom they hold.

    Call it in the transaction that ends an erasure. One that is being made now has read
    what was not erased yet: without its row it is thrown away.
    """
    rows = Snapshot.objects.filter(package__community=community)
    # With the names of their files, which a worker may be writing down.
    pks = [row.pk for row in rows.select_for_update(of=("self",)).order_by("pk")]
    Snapshot.objects.filter(pk__in=pks).delete()
