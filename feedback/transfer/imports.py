"""An import from its file to its end, a part at a time.

The file is read first: see `intake`. Then each part is one transaction, which also says
that it is done: whoever is killed on the way, the next worker goes on with the next
part, no row is written twice, and none half.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from ..changes import Origin
from ..changes.rehearsal import is_awaited, rehearsal
from ..formats import IMPORT
from ..models import Community
from ..models.imports import AT_WORK, ImportPart, ImportState, TicketImport
from . import intake
from .columns import TypeColumns
from .errors import FileUnreadable
from .rows import Counts, Part
from .submitters import count_newcomers

# Parts are worked on.
_WRITING = (ImportState.CHECKING, ImportState.IMPORTING)
_COUNTED = ("created", "updated", "unchanged")
# Files of this many rows are worked on while the person waits.
AT_ONCE = 500
# Seconds after which an import that nobody works on is taken up again.
_SILENT = timedelta(seconds=15)
# The rows of others' people are not kept longer.
KEPT = timedelta(days=7)


def finish(row: TicketImport) -> None:
    """Go on to the end of what it is at."""
    while go_on(row.pk):
        pass
    row.refresh_from_db()


def work(pk: int, seconds: float) -> bool:
    """Go on for some seconds; whether there is more to do."""
    ends = time.monotonic() + seconds
    while is_unfinished := go_on(pk):
        if time.monotonic() > ends:
            break
    return is_unfinished


def start(row: TicketImport) -> bool:
    """From a check to the import itself; False where it was not checked."""
    with transaction.atomic():
        checked = TicketImport.objects.filter(pk=row.pk, state=ImportState.CHECKED)
        zeros = dict.fromkeys(("position", "refused", "testers", *_COUNTED), 0)
        begun = checked.update(state=ImportState.IMPORTING, **zeros)
        if begun:
            row.parts.update(is_done=False)
    return bool(begun)


def abort(row: TicketImport) -> bool:
    """After the part that is at work now. What is imported stays."""
    rows = TicketImport.objects.filter(pk=row.pk).exclude(state=ImportState.DONE)
    stopped = rows.update(state=ImportState.ABORTED, upload=None)
    return bool(stopped)


def stop_unread(community: Community) -> None:
    """Nobody can look for a person in a file that is not read yet."""
    rows = TicketImport.objects.filter(feedback_type__project__community=community)
    for pk in rows.filter(state=ImportState.READING).values_list("pk", flat=True):
        intake.refuse(
            pk,
            "A tester was erased before the file was read. Take them out of it, and"
            " import it again.",
        )


def due() -> list[int]:
    """Those that nobody works on, though they are not at an end."""
    silent = Q(worked_at=None) | Q(worked_at__lt=timezone.now() - _SILENT)
    rows = TicketImport.objects.filter(silent, state__in=AT_WORK)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:20])


def prune() -> None:
    """Delete a few of those that are older than is kept."""
    old = TicketImport.objects.filter(created_at__lt=timezone.now() - KEPT)
    for row in old.exclude(state__in=AT_WORK).order_by("pk")[:2]:
        row.delete()


def go_on(pk: int) -> bool:
    """Do the next part; whether there may be another.

    An import of a newer version is left to a worker of that version.
    """
    if _readable().filter(pk=pk, state=ImportState.READING).exists():
        return intake.go_on(pk)
    return _do_next(pk)


def _readable() -> QuerySet[TicketImport]:
    return TicketImport.objects.filter(format__lte=IMPORT)


@transaction.atomic
def _do_next(pk: int) -> bool:
    rows = _readable().select_for_update(of=("self",), skip_locked=True)
    row = rows.filter(pk=pk, state__in=_WRITING).first()
    if row is None:
        return False
    part = row.parts.filter(is_done=False).order_by("start").first()
    try:
        if part is None:
            _end(row)
        else:
            _do(row, part)
    except FileUnreadable as error:
        # Somebody has changed the form meanwhile.
        row.state, row.note = ImportState.ABORTED, f"Stopped: {error}"
        row.save(update_fields=["state", "note"])
        return False
    return part is not None


def _end(row: TicketImport) -> None:
    if row.state == ImportState.IMPORTING:
        row.state = ImportState.DONE
    else:
        row.state = ImportState.CHECKED
        if row.makes_testers:
            row.testers = count_newcomers(row)
    row.save(update_fields=["state", "testers"])


def _do(row: TicketImport, part: ImportPart) -> None:
    of = TypeColumns(row.feedback_type)
    cells = [(number, texts) for number, texts in part.rows]
    makes = row.makes_testers
    work = Part(of, of.read(row.header), cells, makes_testers=makes)
    kept = [fault for fault in part.faults if not fault[1]]
    work.refuse({number: sentence for number, _, sentence in kept})
    if row.state == ImportState.CHECKING:
        counts = _checked(row, work)
    else:
        counts = _written(row, work)
        row.testers += counts.testers
    part.faults = [*kept, *work.faults]
    part.is_done = True
    part.save(update_fields=["faults", "is_done"])
    row.position += len(part.rows)
    row.refused += counts.refused
    for name in _COUNTED:
        setattr(row, name, getattr(row, name) + getattr(counts, name))
    row.worked_at = timezone.now()
    written = ["position", "refused", "testers", "forecast", "worked_at", *_COUNTED]
    row.save(update_fields=written)


def _written(row: TicketImport, work: Part) -> Counts:
    return work.write(Origin(actor=row.by), f"import {row.pk}")


def _checked(row: TicketImport, work: Part) -> Counts:
    """Where a trigger waits, by writing the rows and undoing it: nothing is surer."""
    if not is_awaited(row.feedback_type):
        return work.check()
    with rehearsal() as starts:
        counts = _written(row, work)
    for trigger, rows in starts.items():
        row.forecast[str(trigger)] = row.forecast.get(str(trigger), 0) + rows
    return counts
